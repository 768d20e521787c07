// A pocket page carries Leaflet and its data deflated (RFC 1951), to be small enough for a message.
// Leaflet runs as an inline script again: the page's policy knows its hash, and no other text passes.
"use strict";
const whenReady = async (run) => {
  const bytes = Uint8Array.from(atob(document.getElementById("packed").textContent), (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const { leaflet, data } = await new Response(plain).json();
  const script = document.createElement("script");
  script.textContent = leaflet;
  document.head.append(script);
  document.getElementById("data").textContent = data;
  run();
};
