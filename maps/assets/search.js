// The search box: a combobox (WAI-ARIA) over names and codes of kabupaten, kecamatan and villages.
// Law: what is called so comes before what begins so, and that before what holds it; villages first.
"use strict";
function offerSearch(data, villages, make, acts) {
  let matches = [], marked = -1, entries = null;
  // Nobody types "Kabupaten" to find one; made at the first letter, because a nation has many names.
  const region = ([code, name], at) => ({ name, code, where: [], plain: name.replace(/^(Kabupaten|Kota) /, ""), take: () => acts.go(at, null) });
  const district = ([at, code, name], n) => ({ name, code, where: [data.words.district, data.kabupaten[at][1]], plain: name, take: () => acts.go(at, n) });
  const place = (village) => ({ name: village.name, code: village.code, plain: village.name,
    where: [data.kecamatan[village.district][2], data.kabupaten[village.region][1]], take: () => acts.choose(village, true) });
  const everything = () => [...villages.map(place), ...data.kecamatan.map(district), ...data.kabupaten.map(region)]
    .map((entry) => ({ ...entry, find: entry.plain.toLocaleLowerCase() }));
  const list = document.getElementById("found"), box = document.getElementById("search");
  const mark = (next) => {
    marked = next;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", at === marked));
    if (marked >= 0 && matches.length) {
      list.children[marked].scrollIntoView({ block: "nearest" });
      box.setAttribute("aria-activedescendant", list.children[marked].id);
    } else box.removeAttribute("aria-activedescendant");
  };
  const shut = () => { list.hidden = true; box.setAttribute("aria-expanded", "false"); mark(-1); };
  const take = (entry) => { shut(); box.value = entry.name; entry.take(); };
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLocaleLowerCase();
    if (!wanted) { shut(); return; }
    entries ??= everything();
    const rank = ({ find, code }) => find === wanted || code === wanted ? 0 : find.startsWith(wanted) || code.startsWith(wanted) ? 1
      : find.includes(wanted) || code.includes(wanted) ? 2 : 3;
    const ranked = [[], [], [], []];
    for (const entry of entries) ranked[rank(entry)].push(entry);
    matches = ranked.slice(0, 3).flat().slice(0, 20);
    list.replaceChildren(...matches.map((entry, at) => {
      const item = make("li", entry.name);
      item.id = "match-" + at; item.setAttribute("role", "option");
      item.append(make("div", [...entry.where, entry.code].join(" · "), "small soft"));
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(entry); });
      return item;
    }));
    if (!matches.length) {
      const none = make("li", data.words.search_none);
      none.setAttribute("role", "option"); none.setAttribute("aria-disabled", "true");
      list.replaceChildren(none);
    }
    list.hidden = false; box.setAttribute("aria-expanded", "true"); mark(matches.length ? 0 : -1);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (matches.length) mark((marked + (event.key === "ArrowDown" ? 1 : -1) + matches.length) % matches.length);
    } else if (event.key === "Enter" && marked >= 0) take(matches[marked]);
    else if (event.key === "Escape") shut();
  });
  box.addEventListener("blur", shut);
  box.placeholder = data.words.search; box.setAttribute("aria-label", data.words.search);
}
