/* ---- the list of pictures: search, filter, order ----------------------------------------------- */

const state = {picture: -1, network: 0, method: 0, target: 0, beside: "", opacity: drawing.opacity, x: -1, y: -1};
const entries = data.pictures, BATCH = 240, PRINTED = 200;
const isIndex = entries.some(e => e.page);

const saying = (entry, n) => entry.says ? entry.says[n] : undefined;
const sure = entry => { const s = saying(entry, state.network); return s && s.probability !== undefined ? s.probability : null; };
const right = entry => saying(entry, state.network)?.right;
const apart = entry => entry.says && new Set(entry.says.map(s => s.label)).size > 1;

const FILTERS = [["all", "All", () => true]];
if (data.labelled) FILTERS.push(["wrong", "Wrong", e => right(e) === false], ["right", "Right", e => right(e) === true]);
if (entries.some(e => e.says?.some(s => s.probability !== undefined)))
  FILTERS.push(["unsure", "Below 50 %", e => sure(e) !== null && sure(e) < 0.5]);
if (data.networks.length > 1) FILTERS.push(["apart", "Networks disagree", apart]);
if (entries.some(e => e.failed)) FILTERS.push(["failed", "Not explained", e => Boolean(e.failed)]);

const size = (e, none) => sure(e) === null ? none : sure(e);
const wrongness = e => right(e) === false ? 0 : right(e) === true ? 2 : 1;
const ORDERS = [["unsure", "Least certain first", (a, b) => size(a, 2) - size(b, 2)],
  ["sure", "Most certain first", (a, b) => size(b, -1) - size(a, -1)],
  ["name", "By name", (a, b) => a.name.localeCompare(b.name, undefined, {numeric: true})],
  ["given", "As given", () => 0]];
/* The surest mistakes tell most, then the right answers that were nearly mistakes. */
if (data.labelled) ORDERS.unshift(["wrong", "Wrong first", (a, b) => wrongness(a) - wrongness(b) ||
  (wrongness(a) ? size(a, 2) - size(b, 2) : size(b, -1) - size(a, -1))]);

const folded = text => text.normalize("NFKC").toLocaleLowerCase();
const searched = entries.map(e => folded([e.name, e.expected || "", ...(e.says || []).map(s => s.label || "")].join("\n")));

let shown = [];
function select() {
  const terms = folded(at("search").value).split(/\s+/).filter(Boolean);
  const keep = FILTERS.find(f => f[0] === at("filter").value)[2], order = ORDERS.find(o => o[0] === at("order").value)[2];
  shown = entries.map((_, i) => i).filter(i => keep(entries[i]) && terms.every(t => searched[i].includes(t)));
  shown.sort((a, b) => order(entries[a], entries[b]) || a - b);
}

function answerLine(entry) {
  const line = element("span", undefined, {class: "class"}), says = saying(entry, state.network);
  if (!says) return line;
  if (says.right !== undefined)
    line.append(element("span", says.right ? "✓ " : "✗ ", {class: says.right ? "right" : "wrong", role: "img",
      "aria-label": says.right ? "right:" : "wrong:"}));
  line.append(element("bdi", says.label === undefined ? number(says.value, 5) : says.label));
  return line;
}

function thumb(i) {
  const entry = entries[i], item = element("li"), button = element("button", undefined, {type: "button", class: "thumb"});
  const file = named("span", entry.name, {class: "file"}), p = sure(entry);
  button.dataset.i = i;
  button.title = entry.name + (p === null ? "" : `, ${percent(p)}`) + (entry.expected ? `, expected: ${entry.expected}` : "");
  if (entry.thumb) button.append(element("img", undefined, {src: entry.thumb, alt: "", loading: "lazy", decoding: "async"}));
  else button.append(element("span", "!", {class: "none"}));
  button.append(entry.failed ? element("span", "not explained", {class: "class wrong"}) : answerLine(entry), file);
  if (i === state.picture) button.setAttribute("aria-current", "true");
  item.append(button);
  return item;
}

let drawn = 0;
function more() {
  const next = shown.slice(drawn, drawn + BATCH);
  drawn += next.length;
  at("thumbs").append(...next.map(thumb));
  observer.disconnect();
  if (drawn < shown.length) observer.observe(at("thumbs").lastElementChild);
}
const observer = new IntersectionObserver(seen => { if (seen.some(s => s.isIntersecting)) more(); }, {rootMargin: "600px"});

function list() {
  select();
  drawn = 0;
  at("thumbs").replaceChildren();
  if (shown.length) more();
  const wrong = data.labelled ? entries.filter(e => right(e) === false).length : 0;
  at("count").textContent = (shown.length === entries.length ? many(entries.length, "picture") :
    `${shown.length} of ${many(entries.length, "picture")}`) + (data.labelled ? `, ${wrong} wrong` : "");
  at("print-list").disabled = !shown.length;
  neighbours();
}

function markCurrent() {
  for (const button of at("thumbs").querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  const button = at("thumbs").querySelector(`[data-i="${state.picture}"]`);
  if (!button) return;
  button.setAttribute("aria-current", "true");
  if (getComputedStyle(at("list")).position === "sticky") button.scrollIntoView({block: "nearest"});
}

/* The picture that stands `step` behind the present one in the list; -1: none. */
function neighbour(step) {
  const place = shown.indexOf(state.picture);
  return place < 0 ? shown.length ? shown[0] : -1 : shown[place + step] === undefined ? -1 : shown[place + step];
}
function neighbours() {
  at("before").disabled = neighbour(-1) < 0;
  at("after").disabled = neighbour(1) < 0;
}

/* Arrows walk through the list; Enter opens, as on every button. */
function walk(event) {
  const all = [...at("thumbs").querySelectorAll(".thumb")], now = all.indexOf(document.activeElement);
  const columns = Math.max(1, all.findIndex(b => b.offsetTop > all[0].offsetTop));
  const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -now, End: all.length - 1 - now}[event.key];
  if (now < 0 || step === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  if (now + step < 0) at("search").focus();
  else all[Math.min(now + step, all.length - 1)].focus();
}

function startList() {
  const fill = (id, choices) => at(id).append(...choices.map(([value, words]) => element("option", words, {value})));
  fill("filter", FILTERS);
  fill("order", ORDERS);
  at("list").hidden = false;
  at("frame").classList.add("listed");
  at("frame").classList.toggle("index", isIndex);
  for (const id of isIndex ? [] : ["show-list", "before", "after"]) at(id).hidden = false;
  at("search").addEventListener("input", list);
  at("filter").addEventListener("change", list);
  at("order").addEventListener("change", list);
  at("thumbs").addEventListener("keydown", walk);
  at("thumbs").addEventListener("click", e => {
    const button = e.target.closest(".thumb");
    if (button) go(Number(button.dataset.i));
  });
  at("search").addEventListener("keydown", e => {
    if (e.key === "ArrowDown" || e.key === "Enter") { e.preventDefault(); at("thumbs").querySelector(".thumb")?.focus(); }
    if (e.key === "Escape") { at("search").value = ""; list(); at("search").blur(); openList(false); }
  });
  at("print-list").addEventListener("click", printList);
  at("show-list").addEventListener("click", () => openList(!at("frame").classList.contains("open")));
}

/* Where there is no room for both, the list takes the place of the picture. */
function openList(open) {
  at("frame").classList.toggle("open", open);
  at("show-list").setAttribute("aria-expanded", String(open));
  at("show-list").textContent = open ? "Picture" : "Pictures";
}

/* ---- on paper ---------------------------------------------------------------------------------- */

async function sheets() {
  const paper = at("paper"), cell = cellAt(state.network, state.method, state.target);
  paper.replaceChildren();
  for (const i of shown.slice(0, PRINTED)) {
    if (entries[i].failed) continue;
    const picture = await pictureOf(i), figure = element("figure"), canvas = element("canvas"), map = picture.maps[cell];
    drawOn(canvas, picture, cell, state.opacity);
    const words = [entries[i].name, data.networks[state.network].name, data.methods[state.method].title];
    if (map.target) words.push(percent(map.target.probability));
    if (entries[i].expected) words.push("expected: " + entries[i].expected);
    const line = element("figcaption");
    words.forEach((text, k) => line.append(k ? " · " : "", element("bdi", text)));
    figure.append(element("h2", titleOf(map, data.networks[state.network])), canvas, line);
    paper.append(figure);
  }
  if (shown.length > PRINTED) paper.append(element("p", `The first ${PRINTED} of ${shown.length} pictures.`));
}

async function printList() {
  await sheets();
  document.body.classList.add("sheets");
  print();
}
addEventListener("afterprint", () => { document.body.classList.remove("sheets"); at("paper").replaceChildren(); });
