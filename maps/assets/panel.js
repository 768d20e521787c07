// The panel of a village: state, cause, weeks, and each site with its last good values and contact.
// Law: every text is set as text; a link is made of checked digits only.
"use strict";
function makePanel(data, found, layers, now, kit) {
  const { sites } = found, { make, number, decimal, fill, chip } = kit, words = data.words, STRIP = 4;
  const panel = make("aside");
  panel.id = "panel"; panel.hidden = true; panel.tabIndex = -1;
  document.getElementById("stage").append(panel);

  const span = (minutes) => {
    const days = Math.floor(minutes / 1440), hours = Math.floor(minutes % 1440 / 60), rest = minutes % 60;
    const parts = [[days, words.days], [hours, words.hours], [days ? 0 : rest, words.minutes]];
    const said = parts.filter(([count]) => count).map(([count, unit]) => number.format(count) + " " + unit);
    return said.join(" ") || "0 " + words.minutes;
  };
  // One chip a week; what they say stands in one label for those who do not see them.
  const strip = (from, stateOf, name) => {
    const node = make("div", undefined, "strip"), said = [];
    for (let at = from; at < data.weeks.length && at <= Math.max(now.week, from + STRIP - 1); at++) {
      const is = stateOf(at), look = is === null ? null : data.states[is], mark = chip(look ?? data.states[5]);
      if (!look) mark.textContent = "";
      mark.title = data.weeks[at].label + ": " + (look ? look.word : words.site_not_yet);
      if (at === now.week) mark.classList.add("this");
      said.push(mark.title);
      node.append(mark);
    }
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", name + ": " + said.join("; "));
    return node;
  };
  const facts = () => {
    const list = make("dl");
    return { list, add: (term, value) => list.append(make("dt", term), make("dd", value)) };
  };
  const lastGood = ({ good }) => {
    const { list, add } = facts();
    if (good.rtt !== null) add(words.thresholds_rtt, number.format(good.rtt) + " ms");
    if (good.loss !== null) add(words.thresholds_loss, decimal.format(100 * good.loss) + " %");
    if (good.down !== null || good.up !== null) {
      add(words.thresholds_rate, [good.down, good.up].map((rate) => rate === null ? "–" : decimal.format(rate)).join(" / ") + " Mbit/s");
    }
    return list.children.length ? list : make("p", words.not_measured);
  };
  const contact = ({ contact: name, phone }) => {
    const node = make("p", name ? name + " " : ""), digits = phone.replace(/[\s().-]/g, "");
    if (/^\+?[0-9]{5,15}$/.test(digits)) {
      const link = make("a", phone, "call");
      link.href = "tel:" + digits;
      node.append(link);
    } else node.append(phone);
    return node;
  };
  const siteNode = (at) => {
    const site = sites[at], seen = found.siteWeeks[now.week][at];
    const node = make("li", undefined, "site"), title = make("strong");
    if (seen) title.append(chip(data.states[seen.state]));
    title.append(make("span", site.name));
    node.append(title, make("p", [data.kinds[site.kind], data.accesses[site.access], data.providers[site.provider]].join(" · "), "small soft"));
    if (seen) {
      const { list, add } = facts();
      add(words.availability, seen.availability === null ? "–" : decimal.format(seen.availability) + " %");
      add(words.observed_share, number.format(seen.observed) + " %");
      node.append(list);
      node.append(make("p", seen.causes.length ? words.outages : words.outages_none, "small soft"));
      const causes = facts();
      for (const [cause, minutes] of seen.causes) causes.add(data.causes[cause], span(minutes));
      if (seen.causes.length) node.append(causes.list);
    } else node.append(make("p", words.site_not_yet));
    node.append(strip(Math.max(0, now.week - STRIP + 1), (week) => found.siteWeeks[week][at]?.state ?? null, site.name));
    node.append(make("p", site.good ? words.last_good + ", " + data.weeks[site.good.week].label : words.last_good_none, "small soft"));
    if (site.good) node.append(lastGood(site));
    if (site.contact !== undefined) node.append(make("p", words.contact, "small soft"), contact(site));
    return node;
  };

  const show = (close) => {
    const village = now.chosen;
    panel.hidden = !village;
    if (!village) return;
    const is = layers.state(village, now.week), look = data.states[is], lead = layers.lead(village, now.week);
    panel.setAttribute("aria-label", village.name);
    const shut = make("button", "×"), verdict = make("p"), list = make("ul");
    shut.id = "close"; shut.type = "button"; shut.setAttribute("aria-label", words.close);
    shut.addEventListener("click", close);
    verdict.id = "verdict"; verdict.append(chip(look), make("span", look.word));
    const main = lead === null ? undefined : found.siteWeeks[now.week][lead].causes[0];
    const cause = make("p", main ? fill(words.main_cause, { cause: data.causes[main[0]], time: span(main[1]) }) : "");
    cause.hidden = !main;
    village.sites.forEach((at) => list.append(siteNode(at)));
    const strips = strip(0, (week) => layers.state(village, week), village.name);
    strips.id = "weeks";
    const count = strips.children.length;
    panel.replaceChildren(shut, make("h2", village.name),
      make("p", words.district + " " + data.kecamatan[village.district][2] + " · " + data.kabupaten[village.region][1], "soft"),
      make("p", village.code + (village.people === null ? "" : " · " + fill(words.people, { count: number.format(village.people) })), "small soft"),
      verdict, make("p", look.meaning, "soft"), cause,
      make("h3", fill(words.strip, { count: number.format(count) })), strips,
      make("h3", words.sites), village.sites.length ? list : make("p", words.no_sites));
  };
  return { node: panel, show };
}
