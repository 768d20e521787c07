// Reads the packed parts of the data block: the mirror of maps/topology.py and maps/map_data.py.
"use strict";
function unpack(data) {
  
  const DIGIT = new Uint8Array(128);
  [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    .forEach((letter, at) => { DIGIT[letter.charCodeAt(0)] = at; });
  const reader = (text) => {
    let at = 0;
    const next = () => {
      let value = 0, scale = 1, digit;
      do { digit = DIGIT[text.charCodeAt(at++)]; value += (digit & 31) * scale; scale *= 32; } while (digit & 32);
      return value;
    };
    const signed = () => { const value = next(); return value % 2 ? -(value + 1) / 2 : value / 2; };
    return { next, signed, more: () => at < text.length };
  };
  const arcs = [];
  for (const read = reader(data.arcs); read.more();) {
    const points = new Float64Array(2 * read.next());
    for (let i = 0, x = 0, y = 0; i < points.length; i += 2) {
      points[i] = x += read.signed(); points[i + 1] = y += read.signed();
    }
    arcs.push(points);
  }
  const borders = [0, 1, 2, 3].map(() => new Path2D());
  arcs.forEach((points, n) => {
    const path = borders[+data.levels[n]];
    path.moveTo(points[0], points[1]);
    for (let i = 2; i < points.length; i += 2) path.lineTo(points[i], points[i + 1]);
  });
  const shapes = reader(data.shapes);
  const villages = data.villages.map(([district, tail, name, x, y]) => {
    const [region, districtCode, districtName] = data.kecamatan[district];
    const village = { name, x, y, region, districtName, code: districtCode + "." + tail, sites: [],
      path: null, box: [Infinity, Infinity, -Infinity, -Infinity] };
    village.find = (name + " " + village.code).toLocaleLowerCase();
    for (let rings = shapes.next(); rings > 0; rings--) {
      village.path ??= new Path2D();
      let first = true;
      for (let count = shapes.next(); count > 0; count--) {
        const ref = shapes.signed(), points = arcs[ref < 0 ? ~ref : ref], size = points.length;
        for (let i = 0; i < size; i += 2) {
          const at = ref < 0 ? size - 2 - i : i, px = points[at], py = points[at + 1];
          if (first) village.path.moveTo(px, py); else village.path.lineTo(px, py);
          first = false;
          const box = village.box;
          if (px < box[0]) box[0] = px; if (px > box[2]) box[2] = px;
          if (py < box[1]) box[1] = py; if (py > box[3]) box[3] = py;
        }
      }
      village.path.closePath();
    }
    if (!village.path && x !== undefined) village.box = [x, y, x, y];
    return village;
  });
  data.sites.forEach((site, at) => villages[site[0]].sites.push(at));
  villages.forEach((village, at) => { village.at = at; });
  const siteWeeks = data.weeks.map((week) => {
    const read = reader(week.sites);
    return data.sites.map(() => {
      const state = read.next() - 1;
      if (state < 0) return null;
      const availability = read.next() - 1, observed = read.next(), causes = [];
      for (let left = read.next(); left > 0; left--) causes.push([read.next(), read.next()]);
      return { state, availability, observed, causes };
    });
  });
  return { borders, villages, siteWeeks };
}
