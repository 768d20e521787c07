// The search box: a combobox (WAI-ARIA) over names and codes; `taken` is called with the village.
"use strict";
function offerSearch(data, villages, make, taken) {
  let matches = [], marked = -1, names = null;
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
  const take = (village) => { shut(); box.value = village.name; taken(village); };
  box.addEventListener("input", () => {
    const wanted = box.value.trim().toLocaleLowerCase();
    if (!wanted) { shut(); return; }
    names ??= villages.map((village) => (village.name + " " + village.code).toLocaleLowerCase());
    const begins = villages.filter(({ at }) => names[at].startsWith(wanted));
    matches = [...begins, ...villages.filter(({ at }) => !names[at].startsWith(wanted) && names[at].includes(wanted))].slice(0, 20);
    list.replaceChildren(...matches.map((village, at) => {
      const item = make("li", village.name);
      item.id = "match-" + at; item.setAttribute("role", "option");
      item.append(make("div", data.kecamatan[village.district][2] + " · " + data.kabupaten[village.region][1] + " · " + village.code, "small soft"));
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(village); });
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
