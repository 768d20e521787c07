// Outlines as paths, each made when it is first drawn. Law: an arc is thinned alone and its ends stay, so
// that neighbours keep one border; coarse ones are for scales at which nobody sees the difference.
"use strict";
function makeShapes(arcs) {
  const STEP = 8; // cells of 75 m: a pixel of zoom 8
  const thin = [];
  const thinned = (points) => {
    const kept = [points[0], points[1]], end = points.length - 2;
    for (let i = 2; i < end; i += 2) {
      const dx = points[i] - kept[kept.length - 2], dy = points[i + 1] - kept[kept.length - 1];
      if (dx * dx + dy * dy >= STEP * STEP) kept.push(points[i], points[i + 1]);
    }
    kept.push(points[end], points[end + 1]);
    // An island whose outline is one arc stays an island.
    return kept.length < 8 && points[0] === points[end] && points[1] === points[end + 1] ? points : kept;
  };
  const trace = (path, rings, coarse) => {
    for (const ring of rings) {
      let first = true;
      for (const ref of ring) {
        const arc = ref < 0 ? ~ref : ref, points = coarse ? thin[arc] ??= thinned(arcs[arc]) : arcs[arc], size = points.length;
        for (let i = 0; i < size; i += 2) {
          const n = ref < 0 ? size - 2 - i : i;
          if (first) path.moveTo(points[n], points[n + 1]); else path.lineTo(points[n], points[n + 1]);
          first = false;
        }
      }
    }
    return path;
  };
  // `one` is a village or a stretch of border: its `rings` are lists of arcs.
  return (one, coarse) => (one.paths ??= [])[+coarse] ??= trace(new Path2D(), one.rings, coarse);
}
