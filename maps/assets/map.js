// The map page. Law: every text is set with textContent or drawn on a canvas, never parsed.
// `drawMap(map)` gets the Leaflet map that folium made; what it shows stands in the data block.
"use strict";
function drawMap(map) {
  const data = JSON.parse(document.getElementById("data").textContent);
  const words = data.words;
  const number = new Intl.NumberFormat(data.lang === "id" ? "id-ID" : "en-GB");
  const decimal = new Intl.NumberFormat(data.lang === "id" ? "id-ID" : "en-GB",
    { minimumFractionDigits: 1, maximumFractionDigits: 2 });
  const $ = (id) => document.getElementById(id);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  };

  const { borders, villages, siteWeeks } = unpack(data);
  const drawn = villages.filter((village) => village.box[0] !== Infinity);
  const polygons = drawn.filter((village) => village.path), points = drawn.filter((village) => !village.path);
  const hollow = polygons.length > 0;

  // --- where things are ----------------------------------------------------------------------
  const [x0, y0, cell] = data.grid;
  const origin = L.latLng(Math.atan(Math.sinh(Math.PI * (1 - 2 * y0))) * 180 / Math.PI, x0 * 360 - 180);
  const toPlace = (x, y) => L.latLng(
    Math.atan(Math.sinh(Math.PI * (1 - 2 * (y0 + y * cell)))) * 180 / Math.PI, (x0 + x * cell) * 360 - 180);
  const bounds = (some) => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { box: one } of some) {
      box[0] = Math.min(box[0], one[0]); box[1] = Math.min(box[1], one[1]);
      box[2] = Math.max(box[2], one[2]); box[3] = Math.max(box[3], one[3]);
    }
    return L.latLngBounds(toPlace(box[0], box[1]), toPlace(box[2], box[3]));
  };
  let week = data.weeks.length - 1, chosen = null;
  const state = (village) => +data.weeks[week].states[village.at];

  // --- draw ----------------------------------------------------------------------------------
  const canvas = make("canvas"), ctx = canvas.getContext("2d");
  canvas.setAttribute("aria-hidden", "true");
  map.getContainer().append(canvas);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let colours, hatch;
  const readColours = () => {
    const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name).trim();
    colours = { ink: of("--ink"), paper: of("--paper"), halo: of("--halo"),
      edges: [0, 1, 2, 3].map((level) => of("--edge-" + level)) };
    const tile = make("canvas");
    tile.width = tile.height = 16;
    const pen = tile.getContext("2d");
    pen.strokeStyle = "#8b8880"; pen.lineWidth = 1.6;
    pen.beginPath();
    for (const shift of [-16, -8, 0, 8, 16]) { pen.moveTo(shift, 16); pen.lineTo(shift + 16, 0); }
    pen.stroke();
    hatch = ctx.createPattern(tile, "repeat");
  };
  const colour = (look) => look.pattern === "empty" ? colours.paper : look.colour;
  const label = (text, x, y, size, weight = 600) => {
    ctx.font = weight + " " + size + "px system-ui, sans-serif";
    ctx.lineWidth = 4; ctx.lineJoin = "round"; ctx.strokeStyle = colours.halo; ctx.strokeText(text, x, y);
    ctx.fillStyle = colours.ink; ctx.fillText(text, x, y);
  };
  const view = () => {
    const scale = 256 * 2 ** map.getZoom() * cell, at = map.latLngToContainerPoint(origin);
    return { scale, x: at.x, y: at.y, ratio: Math.min(devicePixelRatio || 1, 2) };
  };
  const draw = () => {
    const { scale, x, y, ratio } = view(), size = map.getSize(), zoom = map.getZoom();
    if (canvas.width !== size.x * ratio || canvas.height !== size.y * ratio) {
      canvas.width = size.x * ratio; canvas.height = size.y * ratio;
      canvas.style.width = size.x + "px"; canvas.style.height = size.y + "px";
    }
    const world = () => ctx.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
    const screen = () => ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const west = -x / scale, north = -y / scale, east = west + size.x / scale, south = north + size.y / scale;
    const inView = ({ box }) => box[2] >= west && box[0] <= east && box[3] >= north && box[1] <= south;
    const shown = polygons.filter(inView);
    screen(); ctx.clearRect(0, 0, size.x, size.y);
    world();
    data.states.forEach((look, number) => {
      ctx.fillStyle = colour(look);
      const these = shown.filter((village) => state(village) === number);
      for (const village of these) ctx.fill(village.path, "evenodd");
      if (look.pattern === "hatch") {
        hatch.setTransform(new DOMMatrix().scale(.5 / scale));
        ctx.fillStyle = hatch;
        for (const village of these) ctx.fill(village.path, "evenodd");
      }
    });
    ctx.lineJoin = "round";
    const widths = [.8, zoom < 8 ? 1.6 : 2.4, zoom < 8 ? .5 : 1.2, zoom < 8 ? .25 : .7];
    for (const level of [3, 2, 0, 1]) {
      ctx.lineWidth = widths[level] / scale; ctx.strokeStyle = colours.edges[level];
      ctx.stroke(borders[level]);
    }
    ctx.strokeStyle = colours.ink; ctx.lineWidth = (zoom < 8 ? .7 : zoom < 10 ? 1.5 : 2.5) / scale;
    for (const village of shown) {
      if (data.states[state(village)].pattern === "thick_edge") ctx.stroke(village.path);
    }
    if (chosen && chosen.path) {
      ctx.lineWidth = 6 / scale; ctx.strokeStyle = colours.paper; ctx.stroke(chosen.path);
      ctx.lineWidth = 3 / scale; ctx.strokeStyle = colours.ink; ctx.stroke(chosen.path);
    }
    screen();
    ctx.textAlign = "center"; ctx.textBaseline = "middle";
    // A name that would cover another waits until the reader comes nearer.
    const taken = [];
    const free = (px, py, half, height) => {
      const covers = taken.some((one) => Math.abs(one.px - px) < one.half + half && Math.abs(one.py - py) < height);
      if (!covers) taken.push({ px, py, half });
      return !covers;
    };
    const radius = Math.max(3, Math.min(9, (zoom - 4) * 1.3));
    for (const village of points) {
      if (inView(village)) dot(village, x + village.x * scale, y + village.y * scale, radius);
    }
    // The chosen village has its name before all others.
    if (chosen) shown.sort((one, other) => (other === chosen) - (one === chosen));
    for (const village of shown) {
      const wide = (village.box[2] - village.box[0]) * scale, high = (village.box[3] - village.box[1]) * scale;
      if (Math.min(wide, high) < 30 || village.x === undefined) continue;
      const look = data.states[state(village)], px = x + village.x * scale, py = y + village.y * scale;
      const named = zoom >= 9 && wide > 90 && high > 44 || zoom >= 12;
      ctx.font = "600 12px system-ui, sans-serif";
      ctx.fillStyle = look.pattern === "empty" ? colours.ink : look.ink;
      if (look.pattern === "hatch") label(look.letter, px, py, 12);
      else ctx.fillText(look.letter, px, py);
      ctx.font = "400 12px system-ui, sans-serif";
      if (named && free(px, py + 16, ctx.measureText(village.name).width / 2 + 2, 14)) label(village.name, px, py + 16, 12, 400);
    }
    const height = zoom < 7 ? 12 : 14;
    if (zoom < 10) for (const [, full, rx, ry] of data.kabupaten) {
      if (rx === undefined) continue;
      const name = full.replace(/^Kabupaten /, ""), px = x + rx * scale, py = y + ry * scale;
      ctx.font = "600 " + height + "px system-ui, sans-serif";
      const half = ctx.measureText(name).width / 2 + 2;
      if (free(px, py, half, height)) label(name, px, py, height);
    }
  };
  const dot = (village, x, y, radius) => {
    const look = data.states[state(village)], open = hollow || look.pattern === "empty";
    ctx.beginPath(); ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = open ? colours.paper : look.colour; ctx.fill();
    ctx.setLineDash(look.pattern === "hatch" ? [2, 2] : []);
    ctx.lineWidth = open ? Math.max(1.5, radius / 3) : look.pattern === "thick_edge" ? 1.5 : .5;
    ctx.strokeStyle = look.pattern === "empty" || look.pattern === "hatch" ? "#8b8f93"
      : open ? look.colour : look.pattern === "thick_edge" ? colours.ink : colours.paper;
    ctx.stroke(); ctx.setLineDash([]);
    if (village === chosen) {
      ctx.beginPath(); ctx.arc(x, y, radius + 3, 0, 2 * Math.PI);
      ctx.lineWidth = 3; ctx.strokeStyle = colours.ink; ctx.stroke();
    }
    if (radius < 7) return;
    ctx.font = "600 11px system-ui, sans-serif";
    ctx.fillStyle = open ? colours.ink : look.ink; ctx.fillText(look.letter, x, y + .5);
    if (map.getZoom() >= 11) label(village.name, x, y + radius + 10, 12, 400);
  };
  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  map.on("move zoom viewreset resize", redraw);
  dark.addEventListener("change", () => { readColours(); redraw(); });
  new ResizeObserver(() => { map.invalidateSize({ animate: false }); draw(); }).observe(map.getContainer());

  const probe = make("canvas").getContext("2d");
  map.on("click", (event) => {
    const { scale, x, y } = view(), px = event.containerPoint.x, py = event.containerPoint.y;
    let nearest = null, reach = 16;
    for (const village of points) {
      const away = Math.hypot(x + village.x * scale - px, y + village.y * scale - py);
      if (away < reach) { reach = away; nearest = village; }
    }
    const wx = (px - x) / scale, wy = (py - y) / scale;
    nearest ??= polygons.find(({ box, path }) => wx >= box[0] && wx <= box[2] && wy >= box[1] && wy <= box[3]
      && probe.isPointInPath(path, wx, wy, "evenodd")) ?? null;
    choose(nearest);
  });

  // --- the panel -----------------------------------------------------------------------------
  const chip = (look) => {
    const node = make("span", look.letter, "chip " + look.pattern);
    node.style.color = look.ink; node.style.backgroundColor = look.colour;
    return node;
  };
  const span = (minutes) => {
    const days = Math.floor(minutes / 1440), hours = Math.floor(minutes % 1440 / 60), rest = minutes % 60;
    const parts = [[days, words.days], [hours, words.hours], [days ? 0 : rest, words.minutes]];
    const said = parts.filter(([count]) => count).map(([count, unit]) => number.format(count) + " " + unit);
    return said.join(" ") || "0 " + words.minutes;
  };
  const siteNode = (at) => {
    const [, name, kind, access, provider] = data.sites[at], seen = siteWeeks[week][at];
    const node = make("li", undefined, "site"), title = make("strong", undefined);
    if (seen) title.append(chip(data.states[seen.state]));
    title.append(make("span", name));
    node.append(title, make("p", kind + " · " + access + " · " + provider, "small soft"));
    if (!seen) { node.append(make("p", words.site_not_yet)); return node; }
    const facts = make("dl"), fact = (term, value) => facts.append(make("dt", term), make("dd", value));
    fact(words.availability, seen.availability < 0 ? "–" : decimal.format(seen.availability / 100) + " %");
    fact(words.observed_share, decimal.format(seen.observed / 10) + " %");
    node.append(facts);
    if (!seen.causes.length) { node.append(make("p", words.outages_none, "soft")); return node; }
    node.append(make("p", words.outages, "small soft"));
    const causes = make("dl");
    for (const [cause, minutes] of seen.causes) causes.append(make("dt", data.causes[cause]), make("dd", span(minutes)));
    node.append(causes);
    return node;
  };
  const panel = make("aside");
  panel.id = "panel"; panel.hidden = true; panel.tabIndex = -1;
  $("stage").append(panel);
  const showPanel = () => {
    panel.hidden = !chosen;
    if (!chosen) return;
    const look = data.states[state(chosen)];
    panel.setAttribute("aria-label", chosen.name);
    const close = make("button", "×"), verdict = make("p"), strip = make("div"), list = make("ul");
    close.id = "close"; close.type = "button"; close.setAttribute("aria-label", words.close);
    close.addEventListener("click", () => choose(null));
    verdict.id = "verdict"; verdict.append(chip(look), make("span", look.word));
    strip.id = "weeks"; strip.setAttribute("role", "img");
    strip.setAttribute("aria-label", data.weeks.map((one) => one.label + ": "
      + data.states[+one.states[chosen.at]].word).join("; "));
    data.weeks.forEach((one, at) => {
      const mark = chip(data.states[+one.states[chosen.at]]);
      mark.title = one.label + ": " + data.states[+one.states[chosen.at]].word;
      if (at === week) mark.setAttribute("aria-current", "true");
      strip.append(mark);
    });
    chosen.sites.forEach((at) => list.append(siteNode(at)));
    panel.replaceChildren(close, make("h2", chosen.name),
      make("p", words.district + " " + chosen.districtName + " · " + data.kabupaten[chosen.region][1], "soft"),
      make("p", chosen.code, "small soft"), verdict, make("p", look.meaning, "soft"),
      make("h3", fill(words.strip, { count: number.format(data.weeks.length) })), strip,
      make("h3", words.sites), chosen.sites.length ? list : make("p", words.no_sites));
  };
  const choose = (village, focus) => {
    chosen = village;
    showPanel(); redraw();
    if (village && focus) panel.focus();
    if (!village) map.getContainer().focus({ preventScroll: true });
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen) choose(null); });

  // --- week, legend, regions -----------------------------------------------------------------
  const showWeek = (next) => {
    week = Math.max(0, Math.min(data.weeks.length - 1, next));
    const one = data.weeks[week], counts = data.states.map(() => 0), regions = data.kabupaten.map(() => [0, 0]);
    for (const village of villages) {
      const is = state(village);
      counts[is]++; regions[village.region][1]++;
      if (is === 0) regions[village.region][0]++;
    }
    $("stable").textContent = number.format(one.stable);
    $("of").textContent = fill(words.of, { total: number.format(villages.length) }) + " " + words.headline;
    $("meets").textContent = fill(words.on_target, { count: number.format(one.target) });
    $("when").textContent = one.label + " (" + one.id + ")";
    $("week").value = week; $("week").setAttribute("aria-valuetext", one.label);
    $("earlier").disabled = week === 0; $("later").disabled = week === data.weeks.length - 1;
    $("states").replaceChildren(...data.states.map((look, at) => {
      const row = make("li"), name = make("span", look.word);
      name.title = look.meaning;
      row.append(chip(look), name, make("span", number.format(counts[at]), "number"));
      return row;
    }));
    const row = (name, [good, all], action) => {
      const item = make("li"), button = make("button"), bar = make("span", undefined, "bar"), part = make("i");
      button.type = "button";
      part.style.width = (all ? 100 * good / all : 0) + "%";
      bar.append(part);
      button.append(make("span", name), make("span", number.format(good) + " / " + number.format(all), "number"), bar);
      button.addEventListener("click", action);
      item.append(button);
      return item;
    };
    $("regions").replaceChildren(row(words.region_whole, [one.stable, villages.length], () => fit(drawn)),
      ...data.kabupaten.map(([, name], at) => row(name, regions[at], () => fit(drawn.filter((v) => v.region === at)))));
    showPanel(); redraw();
  };
  const fit = (some) => {
    if (!some.length) return;
    // What the panel covers is no place to show anything.
    const all = map.getContainer().getBoundingClientRect(), over = panel.getBoundingClientRect();
    const beside = !panel.hidden && over.width < all.width, below = !panel.hidden && !beside;
    map.fitBounds(bounds(some), { maxZoom: 12, animate: false, paddingTopLeft: [16, 16],
      paddingBottomRight: [16 + (beside ? all.right - over.left : 0), 16 + (below ? Math.max(0, all.bottom - over.top) : 0)] });
  };

  // --- set up --------------------------------------------------------------------------------
  document.querySelector("h1").textContent = data.title;
  offerSearch(data, villages, make, (village) => {
    choose(village, true);
    fit(village.box[0] === Infinity ? [] : [village]);
  });
  $("week").max = data.weeks.length - 1; $("week").setAttribute("aria-label", words.week);
  $("pick").hidden = data.weeks.length < 2;
  $("week").addEventListener("input", () => showWeek(+$("week").value));
  for (const [id, step, text] of [["earlier", -1, words.week_previous], ["later", 1, words.week_next]]) {
    $(id).setAttribute("aria-label", text);
    $(id).addEventListener("click", () => showWeek(week + step));
  }
  document.querySelector("#legend summary").textContent = words.legend;
  document.querySelector("#areas summary").textContent = words.regions;
  $("hollow").hidden = !(hollow && points.length); $("hollow").textContent = words.legend_hollow;
  $("limits-title").textContent = words.thresholds;
  const head = data.thresholds.head;
  head.forEach((text, at) => {
    const row = make("tr"), name = make("th", text);
    name.scope = "row";
    row.append(name, ...data.thresholds.rows.map((cells) => make("td", cells[at])));
    $("limits").append(row);
  });
  $("notes").replaceChildren(...data.notes.map((text) => make("p", text)));
  const container = map.getContainer();
  container.setAttribute("role", "application"); container.setAttribute("aria-label", words.map_label);
  L.control.zoom({ position: "bottomleft", zoomInTitle: words.zoom_in, zoomOutTitle: words.zoom_out }).addTo(map);
  $("legend").open = $("areas").open = matchMedia("(min-width: 900px)").matches;
  readColours();
  fit(drawn);
  showWeek(week);
}
