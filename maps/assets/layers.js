// What the map's colours say: for each layer its entries (look and word) and which one a village has.
// Law: a village that was not observed has its own look in every layer, unlike "none" and unlike "bad".
"use strict";
function makeLayers(data, found) {
  const { villages, sites } = found;
  const words = data.words, STABLE = 0, FAIR = 1, NOT_OBSERVED = 4, NOT_CONNECTED = 5;
  const unseen = { ...data.states[NOT_OBSERVED] }, unconnected = { ...data.states[NOT_CONNECTED] };
  const state = (village, week) => +data.weeks[week].states[village.at];
  // The site that gave a village its state: the best of those that a service depends on.
  const lead = (village, week) => {
    let best = null, rank = [9, 0];
    for (const at of village.sites) {
      const seen = found.siteWeeks[week][at];
      if (!seen || !sites[at].critical) continue;
      if (seen.state < rank[0] || seen.state === rank[0] && -(seen.availability ?? 0) < rank[1]) {
        best = at; rank = [seen.state, -(seen.availability ?? 0)];
      }
    }
    return best;
  };
  // The sites' words, those most met first; what has no colour left is "other".
  const categories = (names, counts) => {
    const order = names.map((_, at) => at).filter((at) => counts[at]).sort((a, b) => counts[b] - counts[a] || a - b);
    const room = data.categories.length, own = order.length > room ? order.slice(0, room - 1) : order;
    const entries = own.map((at, n) => look(n, names[at]));
    if (own.length < order.length) entries.push(look(own.length, words.other));
    const place = new Map(order.map((at) => [at, own.includes(at) ? own.indexOf(at) : own.length]));
    return { entries, place };
  };
  const look = (n, word) => ({ word, meaning: "", colour: data.categories[n][0], ink: data.categories[n][1],
    letter: String(n + 1), pattern: "full" });

  const bySite = (key, names) => {
    const counts = names.map(() => 0);
    for (const village of villages) if (village.sites.length) counts[sites[village.sites[0]][key]]++;
    for (const site of sites) counts[site[key]] ||= 1;
    const { entries, place } = categories(names, counts), none = entries.length;
    entries.push(unconnected);
    const of = (village, week) => {
      if (state(village, week) === NOT_CONNECTED || !village.sites.length) return none;
      return place.get(sites[lead(village, week) ?? village.sites[0]][key]);
    };
    return { entries, of };
  };

  const byCause = () => {
    const counts = data.causes.map(() => 0);
    for (const week of found.siteWeeks) for (const seen of week) if (seen) for (const [cause] of seen.causes) counts[cause]++;
    const { entries, place } = categories(data.causes, counts), none = entries.length;
    entries.push({ word: words.outages_none, meaning: "", colour: data.scale[0][0], ink: data.scale[0][1], letter: "·", pattern: "full" },
      unseen, unconnected);
    const of = (village, week) => {
      const is = state(village, week), at = lead(village, week), causes = at === null ? [] : found.siteWeeks[week][at].causes;
      if (causes.length) return place.get(causes[0][0]);
      return is === NOT_CONNECTED ? none + 2 : is === NOT_OBSERVED ? none + 1 : none;
    };
    return { entries, of };
  };

  const byPeople = () => {
    const number = new Intl.NumberFormat(data.lang === "id" ? "id-ID" : "en-GB"), steps = [1, 1000, 2500, 5000];
    const named = [words.people_served, ...steps.map((from, n) => n + 1 < steps.length
      ? number.format(from) + "–" + number.format(steps[n + 1] - 1) : "≥ " + number.format(from))];
    const entries = named.map((word, n) => ({ word, meaning: "", colour: data.scale[n][0], ink: data.scale[n][1],
      letter: String(n), pattern: "full" }));
    entries.push({ ...unseen, word: words.people_unknown, meaning: "" });
    // Stable and fair villages are served; of one that was not observed we do not know.
    const of = (village, week) => {
      const is = state(village, week);
      if (is === STABLE || is === FAIR) return 0;
      if (is === NOT_OBSERVED || village.people === null) return entries.length - 1;
      return Math.max(0, steps.findLastIndex((from) => village.people >= from) + 1);
    };
    return { entries, of, people: true };
  };

  const made = {};
  const make = {
    state: () => ({ entries: data.states, of: state }),
    access: () => bySite("access", data.accesses),
    provider: () => bySite("provider", data.providers),
    cause: byCause,
    people: byPeople,
  };
  return { names: Object.keys(make), get: (name) => made[name] ??= make[name](), state, lead };
}
