// The side: where we are, how many are stable there, the week, the layer's legend, the way down.
// Law: every count is of villages of the register (or of their people), over the region in view.
"use strict";
function makeSide(data, { villages }, layers, now, kit, acts) {
  const { make, number, fill, chip, $ } = kit, words = data.words, [needed, span] = data.rule;
  const meets = (village) => {
    let stable = 0;
    for (let week = Math.max(0, now.week - span + 1); week <= now.week; week++) stable += layers.state(village, week) === 0;
    return stable >= needed;
  };
  const LAYERS = { state: words.layer_state, access: words.layer_access, provider: words.layer_provider,
    cause: words.layer_cause, people: words.layer_people };
  const VIEWS = { area: words.view_area, dots: words.view_dots, tiles: words.view_tiles };
  const trail = () => {
    const steps = [[data.root, null, null]];
    if (now.region !== null && data.kabupaten.length > 1) steps.push([data.kabupaten[now.region][1], now.region, null]);
    if (now.district !== null) steps.push([data.kecamatan[now.district][2], now.region, now.district]);
    $("trail").replaceChildren(...steps.map(([name, region, district], at) => {
      const button = make("button", name), item = make("li");
      button.type = "button";
      if (at === steps.length - 1) button.setAttribute("aria-current", "location");
      button.addEventListener("click", () => acts.go(region, district));
      item.append(button);
      return item;
    }));
  };
  const row = (name, good, all, action, lead) => {
    const item = make("li"), button = make("button"), bar = make("span", undefined, "bar"), part = make("i");
    button.type = "button";
    const label = make("span", undefined, "named");
    if (lead) label.append(lead);
    label.append(make("span", name));
    button.append(label);
    if (all !== null) {
      part.style.width = (all ? 100 * good / all : 0) + "%";
      bar.append(part);
      button.append(make("span", number.format(good) + " / " + number.format(all), "number"), bar);
    }
    button.addEventListener("click", action);
    item.append(button);
    return item;
  };
  const below = (here) => {
    if (now.district !== null) {
      return here.map((village) => row(village.name, 0, null, () => acts.choose(village, true), chip(data.states[layers.state(village, now.week)])));
    }
    const key = now.region === null ? "region" : "district", counts = new Map();
    for (const village of here) {
      const count = counts.get(village[key]) ?? [0, 0, village.region];
      count[1]++; if (layers.state(village, now.week) === 0) count[0]++;
      counts.set(village[key], count);
    }
    return [...counts].map(([at, [good, all, region]]) => key === "region"
      ? row(data.kabupaten[at][1], good, all, () => acts.go(at, null))
      : row(data.kecamatan[at][2], good, all, () => acts.go(region, at)));
  };
  const show = () => {
    const one = data.weeks[now.week], here = villages.filter(now.inside), layer = now.layer;
    const counts = layer.entries.map(() => 0);
    let stable = 0, target = 0;
    for (const village of here) {
      if (layers.state(village, now.week) === 0) stable++;
      if (meets(village)) target++;
      counts[layer.of(village, now.week)] += layer.people ? village.people ?? 0 : 1;
    }
    trail();
    $("stable").textContent = number.format(stable);
    $("of").textContent = fill(words.of, { total: number.format(here.length) }) + " " + words.headline;
    $("meets").textContent = fill(words.on_target, { count: number.format(target) });
    $("when").textContent = one.label + " (" + one.id + ")";
    $("week").value = now.week; $("week").setAttribute("aria-valuetext", one.label);
    $("earlier").disabled = now.week === 0; $("later").disabled = now.week === data.weeks.length - 1;
    $("entries-title").textContent = LAYERS[now.layerName];
    $("entries").replaceChildren(...layer.entries.map((look, at) => {
      const item = make("li"), name = make("span", look.word);
      if (look.meaning) name.append(make("small", look.meaning, "soft"));
      item.append(chip(look), name, make("span", number.format(counts[at]), "number"));
      return item;
    }));
    $("people-rule").hidden = !layer.people; $("people-rule").textContent = words.people_rule;
    document.querySelector("#areas summary").textContent = now.district !== null ? words.villages_below
      : now.region !== null ? words.districts : words.regions;
    $("regions").replaceChildren(...below(here));
  };

  const options = (node, names, said, label, taken) => {
    node.replaceChildren(...names.map((name) => {
      const option = make("option", said[name]);
      option.value = name;
      return option;
    }));
    node.setAttribute("aria-label", label);
    node.addEventListener("change", () => taken(node.value));
  };
  const setUp = (views) => {
    options($("view"), views, VIEWS, words.view, acts.view);
    $("view").value = now.view; $("view").hidden = views.length < 2;
    options($("layer"), layers.names, LAYERS, words.layer, acts.layer);
    $("week").max = data.weeks.length - 1; $("week").setAttribute("aria-label", words.week);
    $("pick").hidden = data.weeks.length < 2;
    $("week").addEventListener("input", () => acts.week(+$("week").value));
    for (const [id, step, text] of [["earlier", -1, words.week_previous], ["later", 1, words.week_next]]) {
      $(id).setAttribute("aria-label", text);
      $(id).addEventListener("click", () => acts.week(now.week + step));
    }
    $("print").textContent = words.print;
    $("print").addEventListener("click", () => print());
    document.querySelector("#legend summary").textContent = words.legend;
    $("where").setAttribute("aria-label", words.where);
    $("limits-title").textContent = words.thresholds;
    // One block for each access technology: four limits side by side do not fit a phone.
    const [, ...names] = data.thresholds.head;
    $("limits").replaceChildren(...data.thresholds.rows.map(([access, ...values]) => {
      const block = make("li"), list = make("dl");
      names.forEach((name, at) => list.append(make("dt", name), make("dd", values[at])));
      block.append(make("strong", access), list);
      return block;
    }));
    $("notes").replaceChildren(...data.notes.map((text) => make("p", text)));
    $("legend").open = $("areas").open = matchMedia("(min-width: 900px)").matches;
  };
  return { show, setUp };
}
