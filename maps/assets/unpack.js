// Reads the packed parts of the data block: the mirror of maps/topology.py and maps/map_pack.py.
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
    // What is not known is 0, what is known one higher.
    const known = (scale) => { const value = next(); return value ? (value - 1) / scale : null; };
    return { next, signed, known, more: () => at < text.length };
  };

  // Each arc with the box around it: west, north, east, south.
  const arcs = [], boxes = [];
  for (let read = reader(data.arcs), x = 0, y = 0; read.more();) {
    const points = new Int32Array(2 * read.next()), box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < points.length; i += 2) {
      points[i] = x += read.signed(); points[i + 1] = y += read.signed();
      if (x < box[0]) box[0] = x; if (x > box[2]) box[2] = x;
      if (y < box[1]) box[1] = y; if (y > box[3]) box[3] = y;
    }
    arcs.push(points); boxes.push(box);
  }
  const widen = (box, by) => {
    if (by[0] < box[0]) box[0] = by[0]; if (by[1] < box[1]) box[1] = by[1];
    if (by[2] > box[2]) box[2] = by[2]; if (by[3] > box[3]) box[3] = by[3];
  };

  const codes = reader(data.villages.codes), places = reader(data.villages.places);
  const people = reader(data.villages.people), shapes = reader(data.shapes);
  let district = 0, tail = 0, px = 0, py = 0, fresh = 0;
  const owner = [], level = new Uint8Array(arcs.length);
  const use = (arc, village) => {
    const first = owner[arc] ??= village;
    if (first !== village) level[arc] = first.region !== village.region ? 1 : first.district !== village.district ? 2 : 3;
  };
  const villages = data.villages.names.map((name, at) => {
    const step = codes.signed();
    district += step; tail = codes.signed() + (step ? 0 : tail);
    const [region, districtCode] = data.kecamatan[district];
    const village = { at, name, region, district, code: districtCode + "." + tail, sites: [], people: null,
      rings: null, paths: null, box: null, tile: null, x: undefined, y: undefined };
    if (places.next()) { village.x = px += places.signed(); village.y = py += places.signed(); }
    village.people = people.known(1);
    for (let rings = shapes.next(); rings > 0; rings--) {
      // An arc that runs backwards is ~n, as in TopoJSON.
      const ring = [], box = village.box ??= [Infinity, Infinity, -Infinity, -Infinity];
      for (let count = shapes.next(); count > 0; count--) {
        const ref = shapes.next(), arc = ref ? fresh - (ref + 1 >> 1) : fresh++;
        use(arc, village); widen(box, boxes[arc]);
        ring.push(ref && ref % 2 === 0 ? ~arc : arc);
      }
      (village.rings ??= []).push(ring);
    }
    if (!village.box && village.x !== undefined) village.box = [village.x, village.y, village.x, village.y];
    return village;
  });
  // Outside, between kabupaten, between kecamatan, between villages: a border's level is who shares it.
  // Those of a kecamatan are drawn together, so that what is not in view costs nothing.
  const borders = new Map();
  arcs.forEach((_, n) => {
    const key = owner[n].district * 4 + level[n];
    if (!borders.has(key)) borders.set(key, { level: level[n], rings: [], paths: null, box: [Infinity, Infinity, -Infinity, -Infinity] });
    borders.get(key).rings.push([n]); widen(borders.get(key).box, boxes[n]);
  });

  const [side, packed] = data.tiles;
  if (packed) {
    const read = reader(packed);
    let column = 0, row = 0;
    for (const village of villages) {
      if (village.x !== undefined) village.tile = [column += read.signed(), row += read.signed()];
    }
  }

  const good = reader(data.lastGood), sites = [];
  for (let read = reader(data.sites.columns), at = 0; read.more();) {
    const village = villages[at += read.signed()], name = data.sites.names[read.next()];
    const site = { village, name: name.join(village.name), kind: read.next(), access: read.next(), provider: read.next(), critical: read.next() };
    [site.contact, site.phone] = data.sites.contacts[read.known(1)] ?? [];
    const week = good.next() - 1;
    site.good = week < 0 ? null : { week, rtt: good.known(1), loss: good.known(1000), down: good.known(10), up: good.known(10) };
    village.sites.push(sites.length);
    sites.push(site);
  }
  // Weeks of sites are most of the data and not needed for the first picture: read when first asked for.
  const readWeeks = () => {
    const columns = Object.fromEntries(Object.entries(data.siteWeeks).map(([name, text]) => [name, reader(text)]));
    return data.weeks.map(() => sites.map(() => {
      const state = columns.states.next() - 1;
      if (state < 0) return null;
      const lost = columns.lost.next(), unseen = columns.unseen.next(), causes = [];
      for (let left = columns.causes.next(); left > 0; left--) causes.push([columns.causes.next(), columns.causes.next()]);
      return { state, availability: lost ? (10001 - lost) / 100 : null, observed: 100 - unseen, causes };
    }));
  };
  let weeks = null;
  return { arcs, borders: [...borders.values()], villages, sites, side, get siteWeeks() { return weeks ??= readWeeks(); } };
}
