// The canvas: areas, dots or equal tiles in the looks of a layer. Law: every text is drawn, none parsed.
// While a finger moves, the last picture moves along; it is drawn anew when the finger rests.
"use strict";
function makeCanvas(map, data, { arcs, villages, borders, side }, now) {
  const MARGIN = 0.3, DENSE = 8000, REST_MS = 150, COARSE_BELOW = 8;
  const canvas = document.createElement("canvas"), ctx = canvas.getContext("2d");
  canvas.setAttribute("aria-hidden", "true");
  map.getContainer().append(canvas);
  const drawn = villages.filter((village) => village.box), polygons = drawn.filter((village) => village.rings);
  const loose = drawn.filter((village) => !village.rings), shape = makeShapes(arcs);
  const spots = drawn.filter((village) => village.x !== undefined), tiled = villages.filter((village) => village.tile);
  const dense = spots.length > DENSE, tileAt = new Map(tiled.map((village) => [village.tile.join(), village]));

  const [x0, y0, cell] = data.grid;
  const origin = L.latLng(Math.atan(Math.sinh(Math.PI * (1 - 2 * y0))) * 180 / Math.PI, x0 * 360 - 180);
  const toPlace = (x, y) => L.latLng(
    Math.atan(Math.sinh(Math.PI * (1 - 2 * (y0 + y * cell)))) * 180 / Math.PI, (x0 + x * cell) * 360 - 180);
  const boxOf = (village) => now.view === "tiles" && village.tile
    ? [(village.tile[0] - .5) * side, (village.tile[1] - .5) * side, (village.tile[0] + .5) * side, (village.tile[1] + .5) * side]
    : now.view === "area" || village.x === undefined ? village.box : [village.x, village.y, village.x, village.y];
  const bounds = (some) => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const village of some) {
      const one = boxOf(village);
      if (!one) continue;
      box[0] = Math.min(box[0], one[0]); box[1] = Math.min(box[1], one[1]);
      box[2] = Math.max(box[2], one[2]); box[3] = Math.max(box[3], one[3]);
    }
    return box[0] === Infinity ? null : L.latLngBounds(toPlace(box[0], box[1]), toPlace(box[2], box[3]));
  };

  let colours, hatch;
  const readColours = () => {
    const style = getComputedStyle(document.documentElement), of = (name) => style.getPropertyValue(name).trim();
    colours = { ink: of("--ink"), paper: of("--paper"), halo: of("--halo"),
      edges: [0, 1, 2, 3].map((level) => of("--edge-" + level)) };
    const tile = document.createElement("canvas");
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

  // What the canvas shows, in its own pixels: grid cell (0, 0) at (x, y), `scale` pixels a cell.
  const view = () => {
    const size = map.getSize(), at = map.latLngToContainerPoint(origin);
    const left = Math.round(size.x * MARGIN), top = Math.round(size.y * MARGIN);
    return { scale: 256 * 2 ** map.getZoom() * cell, x: at.x + left, y: at.y + top, left, top,
      wide: size.x + 2 * left, high: size.y + 2 * top, zoom: map.getZoom(), ratio: Math.min(devicePixelRatio || 1, dense ? 1 : 1.5) };
  };
  // Each village's entry of the layer in this week, until either changes.
  let cache = { looks: new Uint8Array(villages.length) };
  const looksNow = () => {
    if (cache.week !== now.week || cache.layer !== now.layer) {
      cache.week = now.week; cache.layer = now.layer;
      for (const village of villages) cache.looks[village.at] = now.layer.of(village, now.week);
    }
    return cache.looks;
  };
  let last = null;
  const shift = () => {
    const next = view(), grow = next.scale / last.scale;
    const dx = next.x - last.x * grow, dy = next.y - last.y * grow;
    if (grow === 1 && (Math.abs(dx) > last.left || Math.abs(dy) > last.top)) redraw(); // beyond its margin
    canvas.style.transform = "translate(" + dx + "px," + dy + "px) scale(" + grow + ")";
  };
  const draw = () => {
    last = view();
    const { scale, x, y, wide, high, ratio, zoom, left, top } = last;
    canvas.style.transform = "";
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
      canvas.width = Math.round(wide * ratio); canvas.height = Math.round(high * ratio);
      canvas.style.width = wide + "px"; canvas.style.height = high + "px";
      canvas.style.left = -left + "px"; canvas.style.top = -top + "px";
    }
    const pane = { scale, x, y, zoom, wide, high, ratio, coarse: zoom < COARSE_BELOW,
      world: () => ctx.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y),
      screen: () => ctx.setTransform(ratio, 0, 0, ratio, 0, 0) };
    const west = -x / scale, north = -y / scale, east = west + wide / scale, south = north + high / scale;
    const inView = (box) => box[2] >= west && box[0] <= east && box[3] >= north && box[1] <= south;
    const shown = (some) => some.filter((village) => inView(boxOf(village)));
    pane.borders = (level) => borders.filter((one) => one.level === level && inView(one.box));
    pane.screen(); ctx.clearRect(0, 0, wide, high);
    const taken = [];
    // A name that would cover another waits until the reader comes nearer.
    pane.free = (px, py, half, height) => {
      const covers = taken.some((one) => Math.abs(one.px - px) < one.half + half && Math.abs(one.py - py) < height);
      if (!covers) taken.push({ px, py, half });
      return !covers;
    };
    const looks = looksNow();
    pane.entry = (village) => looks[village.at];
    pane.look = (village) => now.layer.entries[looks[village.at]];
    pane.faded = (village) => !now.inside(village);
    if (now.view === "tiles") drawTiles(pane, shown(tiled));
    else if (now.view === "dots") dots.draw(pane, spots, false);
    else { drawAreas(pane, shown(polygons)); dots.draw(pane, loose, polygons.length > 0); }
    drawNames(pane);
  };

  const fillAll = (pane, some, trace) => {
    for (const faded of [true, false]) for (const look of now.layer.entries) {
      const these = some.filter((village) => pane.look(village) === look && pane.faded(village) === faded);
      if (!these.length) continue;
      ctx.globalAlpha = (faded ? .3 : 1) * (data.base ? .75 : 1); // a base map shows through
      ctx.fillStyle = colour(look);
      for (const village of these) trace(village);
      if (look.pattern === "hatch") {
        hatch.setTransform(new DOMMatrix().scale(.5 / pane.scale));
        ctx.fillStyle = hatch;
        for (const village of these) trace(village);
      }
    }
    ctx.globalAlpha = 1;
  };
  const mark = (pane, outline) => {
    ctx.lineWidth = 6 / pane.scale; ctx.strokeStyle = colours.paper; outline();
    ctx.lineWidth = 3 / pane.scale; ctx.strokeStyle = colours.ink; outline();
  };
  const drawAreas = (pane, some) => {
    const { scale, zoom } = pane;
    pane.world();
    const { coarse } = pane, hair = .95 / pane.ratio; // below a pixel of the screen a line costs a tenth
    fillAll(pane, some, (village) => ctx.fill(shape(village, coarse), "evenodd"));
    ctx.lineJoin = "round";
    const widths = coarse ? [hair, 1.6, hair * .7, hair * .4] : zoom < 10 ? [hair, 2.4, hair, hair * .7] : [1, 2.4, 1.4, .8];
    for (const level of [3, 2, 0, 1]) {
      ctx.lineWidth = widths[level] / scale; ctx.strokeStyle = colours.edges[level];
      for (const one of pane.borders(level)) ctx.stroke(shape(one, coarse));
    }
    ctx.strokeStyle = colours.ink; ctx.lineWidth = (coarse ? hair : zoom < 10 ? 1.5 : 2.5) / scale;
    for (const village of some) {
      if (pane.look(village).pattern === "thick_edge" && !pane.faded(village)) ctx.stroke(shape(village, coarse));
    }
    if (now.chosen && now.chosen.rings) mark(pane, () => ctx.stroke(shape(now.chosen, coarse)));
    pane.screen(); ctx.textAlign = "center"; ctx.textBaseline = "middle";
    // The chosen village has its name before all others.
    if (now.chosen) some.sort((one, other) => (other === now.chosen) - (one === now.chosen));
    const labels = [];
    for (const village of some) {
      const wide = (village.box[2] - village.box[0]) * scale, high = (village.box[3] - village.box[1]) * scale;
      if (Math.min(wide, high) < 30 || village.x === undefined || pane.faded(village)) continue;
      labels.push([village, pane.x + village.x * scale, pane.y + village.y * scale, zoom >= 9 && wide > 90 && high > 44 || zoom >= 12]);
    }
    writeAll(pane, labels);
  };
  // All letters have their place before the first name takes one.
  const writeAll = (pane, labels) => {
    for (const [village, px, py] of labels) {
      const look = pane.look(village);
      pane.free(px, py, 6, 14);
      if (look.pattern === "hatch") { label(look.letter, px, py, 12); continue; }
      ctx.font = "600 12px system-ui, sans-serif";
      ctx.fillStyle = look.pattern === "empty" ? colours.ink : look.ink; ctx.fillText(look.letter, px, py);
    }
    ctx.font = "400 12px system-ui, sans-serif";
    for (const [village, px, py, named] of labels) {
      if (named && pane.free(px, py + 16, ctx.measureText(village.name).width / 2 + 2, 14)) label(village.name, px, py + 16, 12, 400);
    }
  };
  const drawTiles = (pane, some) => {
    const { scale, x, y } = pane, inner = side * .94;
    pane.world();
    const corner = (village) => [village.tile[0] * side - inner / 2, village.tile[1] * side - inner / 2];
    fillAll(pane, some, (village) => ctx.fillRect(...corner(village), inner, inner));
    ctx.strokeStyle = colours.ink; ctx.lineWidth = Math.min(1.5, side * scale / 8) / scale;
    for (const village of some) {
      const look = pane.look(village);
      if (look.pattern === "thick_edge" && !pane.faded(village)) ctx.strokeRect(...corner(village), inner, inner);
      if (look.pattern !== "empty") continue;
      ctx.strokeStyle = "#8b8f93"; ctx.strokeRect(...corner(village), inner, inner); ctx.strokeStyle = colours.ink;
    }
    // A line where two kabupaten meet.
    ctx.beginPath(); ctx.lineWidth = 2 / scale; ctx.strokeStyle = colours.edges[1];
    for (const { tile: [c, r], region } of some) {
      const east = tileAt.get(c + 1 + "," + r), south = tileAt.get(c + "," + (r + 1));
      if (east && east.region !== region) { ctx.moveTo((c + .5) * side, (r - .5) * side); ctx.lineTo((c + .5) * side, (r + .5) * side); }
      if (south && south.region !== region) { ctx.moveTo((c - .5) * side, (r + .5) * side); ctx.lineTo((c + .5) * side, (r + .5) * side); }
    }
    ctx.stroke();
    if (now.chosen && now.chosen.tile) mark(pane, () => ctx.strokeRect(...corner(now.chosen), inner, inner));
    pane.screen(); ctx.textAlign = "center"; ctx.textBaseline = "middle";
    if (side * scale < 16) return;
    writeAll(pane, some.filter((village) => !pane.faded(village))
      .map((village) => [village, x + village.tile[0] * side * scale, y + village.tile[1] * side * scale, side * scale > 70]));
  };
  const dots = makeDots(ctx, spots, now, () => colours, { dense, label });
  // Without borders, and among tiles, a kabupaten's name stands in the middle of its villages.
  const middles = (place) => {
    const sums = data.kabupaten.map(() => [0, 0, 0]);
    for (const village of villages) {
      const at = place(village), sum = sums[village.region];
      if (at) { sum[0] += at[0]; sum[1] += at[1]; sum[2]++; }
    }
    return sums.map(([x, y, count]) => count ? [x / count, y / count] : null);
  };
  const byPlace = middles((village) => village.x === undefined ? null : [village.x, village.y]);
  const byTile = middles((village) => village.tile && [village.tile[0] * side, village.tile[1] * side]);
  const drawNames = ({ zoom, x, y, scale, free }) => {
    if (zoom >= 10) return;
    const height = zoom < 7 ? 12 : 14;
    data.kabupaten.forEach(([, full, rx, ry], region) => {
      const at = now.view === "tiles" ? byTile[region] : rx === undefined ? byPlace[region] : [rx, ry];
      if (!at) return;
      const name = full.replace(/^Kabupaten /, ""), px = x + at[0] * scale, py = y + at[1] * scale;
      ctx.font = "600 " + height + "px system-ui, sans-serif";
      if (free(px, py, ctx.measureText(name).width / 2 + 2, height)) label(name, px, py, height);
    });
  };

  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  };
  const probe = document.createElement("canvas").getContext("2d"); // a path is asked in its own measure
  const pick = (px, py) => {
    const { x, y } = map.latLngToContainerPoint(origin), scale = 256 * 2 ** map.getZoom() * cell;
    const wx = (px - x) / scale, wy = (py - y) / scale;
    if (now.view === "tiles") return tileAt.get(Math.round(wx / side) + "," + Math.round(wy / side)) ?? null;
    const nearest = dots.nearest(now.view === "dots" ? spots : loose, wx, wy, 16 / scale);
    if (nearest || now.view === "dots") return nearest;
    return polygons.find((village) => wx >= village.box[0] && wx <= village.box[2] && wy >= village.box[1] && wy <= village.box[3]
      && probe.isPointInPath(shape(village, false), wx, wy, "evenodd")) ?? null;
  };
  let resting;
  map.on("move zoom", () => last ? shift() : redraw());
  map.on("moveend zoomend viewreset resize", () => {
    clearTimeout(resting);
    if (last) resting = setTimeout(redraw, REST_MS); else redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
  readColours();
  return { draw, redraw, readColours, pick, bounds, areas: polygons.length > 0, tiles: tiled.length > 0,
    hollow: polygons.length > 0 && loose.length > 0 };
}
