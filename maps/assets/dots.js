// Villages as dots: with their letters where there is room, as mere pixels where there are too many.
// Law: dots grow with the people of a village where all are known, and are alike where not.
"use strict";
function makeDots(ctx, spots, now, colours, { dense, label }) {
  const GREY = "#8b8f93";
  const mean = spots.length && spots.every((village) => village.people !== null)
    ? spots.reduce((sum, one) => sum + one.people, 0) / spots.length : 0;
  const radiusAt = (zoom) => Math.max(dense ? 1.1 : 3, Math.min(9, (zoom - (dense ? 5 : 4)) * 1.3));
  const radiusOf = (village, radius) => mean && !dense ? radius * Math.max(.6, Math.min(1.8, Math.sqrt(village.people / mean))) : radius;

  const dot = (pane, village, px, py, radius, hollow) => {
    const { ink, paper } = colours(), look = pane.look(village), open = hollow || look.pattern === "empty";
    ctx.globalAlpha = pane.faded(village) ? .3 : 1;
    ctx.beginPath(); ctx.arc(px, py, radius, 0, 2 * Math.PI);
    ctx.fillStyle = open ? paper : look.colour; ctx.fill();
    ctx.setLineDash(look.pattern === "hatch" ? [2, 2] : []);
    ctx.lineWidth = open ? Math.max(1.5, radius / 3) : look.pattern === "thick_edge" ? 1.5 : .5;
    ctx.strokeStyle = look.pattern === "empty" || look.pattern === "hatch" ? GREY
      : open ? look.colour : look.pattern === "thick_edge" ? ink : paper;
    ctx.stroke(); ctx.setLineDash([]);
    if (hollow) { // a thin line around, because the ground may have the ring's colour
      ctx.beginPath(); ctx.arc(px, py, radius + ctx.lineWidth / 2 + .5, 0, 2 * Math.PI);
      ctx.lineWidth = 1; ctx.strokeStyle = ink; ctx.stroke();
    }
    ctx.globalAlpha = 1;
    if (village === now.chosen) {
      ctx.beginPath(); ctx.arc(px, py, radius + 3, 0, 2 * Math.PI);
      ctx.lineWidth = 3; ctx.strokeStyle = ink; ctx.stroke();
    }
    if (radius < 7) return;
    ctx.font = "600 11px system-ui, sans-serif";
    ctx.fillStyle = open ? ink : look.ink; ctx.fillText(look.letter, px, py + .5);
    ctx.font = "400 12px system-ui, sans-serif";
    if (pane.zoom >= 11 && pane.free(px, py + radius + 10, ctx.measureText(village.name).width / 2 + 2, 14)) label(village.name, px, py + radius + 10, 12, 400);
  };

  // Tens of thousands of squares are written into the picture itself, in the register's order: of
  // those that cover each other no state is favoured. Those outside the region in view are left out.
  const xs = Float64Array.from(spots, (village) => village.x), ys = Float64Array.from(spots, (village) => village.y);
  const pixels = (pane, radius) => {
    const { width, height } = ctx.canvas, { ratio } = pane, grow = pane.scale * ratio;
    const left = pane.x * ratio - radius * ratio, top = pane.y * ratio - radius * ratio, side = Math.max(2, Math.round(2 * radius * ratio));
    const image = ctx.createImageData(width, height), area = new Uint32Array(image.data.buffer);
    // Byte by byte red, green, blue and full alpha, in whatever order this machine keeps a number.
    const four = new Uint8Array(4), one = new Uint32Array(four.buffer);
    const number = (hex) => {
      four.set([1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))); four[3] = 255;
      return one[0];
    };
    const colour = now.layer.entries.map((look) => number(look.pattern === "empty" ? GREY : look.colour));
    for (let i = 0; i < spots.length; i++) {
      const px = Math.round(left + xs[i] * grow), py = Math.round(top + ys[i] * grow);
      if (px < 0 || py < 0 || px + side > width || py + side > height || pane.faded(spots[i])) continue;
      const fill = colour[pane.entry(spots[i])];
      for (let row = py * width + px, end = row + side * width; row < end; row += width) area.fill(fill, row, row + side);
    }
    ctx.putImageData(image, 0, 0);
    if (!now.chosen || now.chosen.x === undefined) return;
    ctx.lineWidth = 3; ctx.strokeStyle = colours().ink;
    ctx.strokeRect(pane.x + now.chosen.x * pane.scale - 5, pane.y + now.chosen.y * pane.scale - 5, 10, 10);
  };

  // Hollow ones are villages without polygon among areas.
  const draw = (pane, some, hollow) => {
    const { scale, x, y, wide, high } = pane, base = radiusAt(pane.zoom);
    pane.screen(); ctx.textAlign = "center"; ctx.textBaseline = "middle";
    if (dense && !hollow && base < 3) { pixels(pane, base); return; }
    for (const village of some) {
      const px = x + village.x * scale, py = y + village.y * scale;
      if (px > -20 && py > -20 && px < wide + 20 && py < high + 20) dot(pane, village, px, py, radiusOf(village, base), hollow);
    }
  };
  const nearest = (some, x, y, within) => {
    let found = null, best = within;
    for (const village of some) {
      const away = Math.hypot(village.x - x, village.y - y);
      if (away < best) { best = away; found = village; }
    }
    return found;
  };
  return { draw, nearest };
}
