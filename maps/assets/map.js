// The map page: what is chosen now, and who is told of it. Law: every text is set with textContent or
// drawn on a canvas, never parsed. `drawMap(map)` gets the Leaflet map that folium made.
"use strict";
function drawMap(map) {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = data.words, locale = data.lang === "id" ? "id-ID" : "en-GB";
  const $ = (id) => document.getElementById(id);
  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  };
  const kit = { $, make,
    number: new Intl.NumberFormat(locale),
    decimal: new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 2 }),
    fill: (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]),
    chip: (look) => {
      const node = make("span", look.letter, "chip " + look.pattern);
      // What is empty has the colour of the paper, here as on the map.
      if (look.pattern !== "empty") { node.style.color = look.ink; node.style.backgroundColor = look.colour; }
      return node;
    } };

  const found = unpack(data), { villages } = found;
  const layers = makeLayers(data, found);
  const now = { week: data.weeks.length - 1, chosen: null, region: null, district: null, view: "area",
    layerName: "state", layer: layers.get("state"),
    inside: (village) => (now.region === null || village.region === now.region)
      && (now.district === null || village.district === now.district) };
  if (data.kabupaten.length === 1) now.region = 0;
  const canvas = makeCanvas(map, data, found, now);
  const views = ["area", "dots", "tiles"].filter((view) => view === "dots" || (view === "area" ? canvas.areas : canvas.tiles));
  now.view = views[0];

  const fit = (some) => {
    const box = canvas.bounds(some);
    if (!box) return;
    // What the panel covers is no place to show anything.
    const all = map.getContainer().getBoundingClientRect(), over = panel.node.getBoundingClientRect();
    const seen = over.width > 0, beside = seen && over.width < all.width, below = seen && !beside;
    map.fitBounds(box, { maxZoom: 12, animate: false, paddingTopLeft: [16, 16],
      paddingBottomRight: [16 + (beside ? all.right - over.left : 0), 16 + (below ? Math.max(0, all.bottom - over.top) : 0)] });
  };
  const choose = (village, focus) => {
    now.chosen = village;
    panel.show(close); canvas.redraw();
    if (village && focus) { fit([village]); panel.node.focus(); }
  };
  const close = () => { choose(null); map.getContainer().focus({ preventScroll: true }); };
  const refresh = () => { side.show(); panel.show(close); canvas.redraw(); };
  const acts = {
    choose,
    week: (next) => { now.week = Math.max(0, Math.min(data.weeks.length - 1, next)); refresh(); },
    go: (region, district) => {
      now.region = data.kabupaten.length === 1 ? 0 : region; now.district = district; now.chosen = null;
      refresh();
      fit(villages.filter(now.inside));
    },
    view: (view) => { now.view = view; canvas.redraw(); fit(villages.filter(now.inside)); },
    layer: (name) => { now.layerName = name; now.layer = layers.get(name); refresh(); },
  };
  const panel = makePanel(data, found, layers, now, kit);
  const side = makeSide(data, found, layers, now, kit, acts);

  document.querySelector("h1").textContent = data.title;
  $("side").setAttribute("aria-label", data.title); // a landmark for readers who listen
  offerSearch(data, villages, make, acts);
  map.on("click", ({ containerPoint: { x, y } }) => choose(canvas.pick(x, y)));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && now.chosen) close(); });
  const container = map.getContainer();
  container.setAttribute("role", "application"); container.setAttribute("aria-label", words.map_label);
  L.control.zoom({ position: "topleft", zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(map);
  if (data.base) {
    const [url, credit] = data.base;
    L.tileLayer(url, { maxZoom: 16, keepBuffer: 0, updateWhenZooming: false }).addTo(map);
    $("base").textContent = credit; $("base").hidden = false;
  }
  $("hollow").hidden = !canvas.hollow; $("hollow").textContent = words.legend_hollow;
  side.setUp(views);
  new ResizeObserver(() => {
    const before = map.getSize();
    if (!map.invalidateSize({ animate: false }).getSize().equals(before)) canvas.draw();
  }).observe(container);

  // On paper: light, one column, the region in view, everything unfolded.
  const paper = (on) => {
    const folds = [...document.querySelectorAll("details")];
    document.documentElement.classList.toggle("printing", on);
    for (const fold of folds) {
      if (on) fold.dataset.was = fold.open;
      fold.open = on || fold.dataset.was === "true";
    }
    map.invalidateSize({ animate: false });
    canvas.readColours();
    fit(villages.filter(now.inside));
    canvas.draw();
  };
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));
  side.show();
  map.invalidateSize({ animate: false }); // the side has its words, and the map what is left
  fit(villages);
}
