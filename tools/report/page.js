/* ---- what is shown ------------------------------------------------------------------------------ */

const KINDS = {network: data.networks.map(n => n.name), method: data.methods.map(m => m.title), target: data.targets};
const KEYS = {m: "method", n: "network", t: "target"};
let current = null; // the picture that is shown
const cellOf = (kind, i) => { const s = {...state, [kind]: i}; return cellAt(s.network, s.method, s.target); };
const cell = () => cellAt(state.network, state.method, state.target);

function titleOf(map, net) {
  return map.left_out !== undefined ? "No map" : map.target ? `Why “${labelOf(map.target)}”?` :
    `${net.number} ${number(map.value, 6)}: ${map.question}?`;
}

/* ---- maps -------------------------------------------------------------------------------------- */

/* The cells on the stage: one, or all of the kind that stand side by side. */
const staged = () => state.beside ? KINDS[state.beside].map((_, i) => ({i, cell: cellOf(state.beside, i)})) : [{i: 0, cell: cell()}];

function caption(tile) {
  const map = current.maps[tile.cell], made = element("figcaption");
  if (!state.beside) return made;
  const name = state.beside === "target" ? targetWords(map, data.targets[tile.i])[0] : KINDS[state.beside][tile.i];
  made.append(named("b", name));
  const more = map.target && state.beside !== "target" ? `${labelOf(map.target)}, ${percent(map.target.probability)}` :
    map.target ? percent(map.target.probability) : map.value !== undefined ? number(map.value, 5) : "";
  if (more) made.append(element("br"), named("span", more));
  return made;
}

function stage() {
  const at_stage = at("stage");
  at_stage.classList.toggle("beside", Boolean(state.beside));
  at_stage.replaceChildren(...staged().map(tile => {
    const figure = element("figure"), sheet = element("div", undefined, {class: "sheet"}), map = current.maps[tile.cell];
    const now = tile.cell === cell(), canvas = element("canvas", undefined, {role: "img", "aria-describedby": "value"});
    if (now) Object.assign(canvas, {id: "heat", tabIndex: 0});
    canvas.setAttribute("aria-label", `${current.entry.name} with the map of ${data.methods[map_method(tile.cell)].title}`);
    canvas.tile = tile;
    sheet.append(canvas);
    figure.classList.toggle("now", now);
    figure.append(sheet, caption(tile), element("p", noticed(map).join("\n"), {class: "note", ...(now && {id: "note", role: "status"})}));
    return figure;
  }));
  fit();
  draw();
}
const map_method = c => Math.floor(c / data.targets.length) % data.methods.length;

/* As wide as the column, but the whole picture stays within the window. */
function fit() {
  if (!current) return;
  const {naturalWidth: w, naturalHeight: h} = current.image, narrow = innerWidth <= 760;
  const top = at("stage").getBoundingClientRect().top + scrollY, room = Math.max(260, innerHeight - top - 54);
  const tiles = state.beside ? KINDS[state.beside].length : 1, wide = at("stage").clientWidth;
  /* Side by side: the fewest columns with which all of them fit into the window, if any. */
  let columns = 1;
  while (state.beside && columns < Math.min(tiles, 8) && wide / (columns + 1) > 170 &&
    Math.ceil(tiles / columns) * (wide / columns * h / w + 60) > room) columns++;
  at("stage").style.setProperty("--tile", `${Math.floor((wide - 14 * (columns - 1)) / columns)}px`);
  for (const canvas of at("stage").querySelectorAll("canvas"))
    canvas.style.width = narrow ? "100%" : `min(100%, ${Math.floor(room * w / h)}px)`;
}

function draw() {
  const mark = state.x < 0 ? null : [state.x, state.y];
  for (const canvas of at("stage").querySelectorAll("canvas")) drawOn(canvas, current, canvas.tile.cell, state.opacity, mark);
}

function tell() {
  const read = c => readingOf(current.maps[c], valueAt(current, c, state.x, state.y));
  at("value").textContent = state.x < 0 ? "Point at the picture to read the map." : `x ${state.x}, y ${state.y}: ` +
    (state.beside ? staged().map(t => `${KINDS[state.beside][t.i]} ${read(t.cell)}`).join("; ") : read(cell()));
}

/* ---- words -------------------------------------------------------------------------------------- */

function bars(says, map, net) {
  return says.top5.map(c => {
    const item = element("li"), line = element("div", undefined, {class: "line"}), bar = element("div", undefined, {class: "bar"});
    const fill = element("i");
    line.append(named("span", labelOf(c), {class: "name"}), element("span", percent(c.probability), {class: "share"}));
    fill.style.width = 100 * c.probability + "%";
    bar.append(fill);
    item.append(line, bar);
    if (map.target && map.target.index === c.index) item.className = "explained";
    return item;
  }).concat(says.value === undefined ? [] : [(() => {
    const line = element("div", undefined, {class: "line"}), item = element("li", undefined, {class: "explained"});
    line.append(element("span", net.number, {class: "name"}), element("span", number(says.value, 6), {class: "share"}));
    item.append(line);
    return item;
  })()]);
}

const rowOf = cells => { const row = element("tr"); row.append(...cells.map(text => named("td", String(text)))); return row; };

/* "motor scooter (n03791053)": the network's name of what is expected, and the list's where that is another. */
function shouldBe(entry, says) {
  const name = says.should === undefined ? entry.expected : short(says.should), made = [named("b", name)];
  if (folded(name) !== folded(entry.expected)) made.push(" (", element("bdi", entry.expected), ")");
  return made;
}

function verdict() {
  const entry = current.entry, says = saying(entry, state.network), box = at("verdict"), judged = says.right !== undefined;
  box.hidden = !entry.expected;
  if (!entry.expected) return;
  box.replaceChildren(element("span", judged ? says.right ? "✓ Right: " : "✗ Wrong: " : "Expected: ",
    {class: judged ? says.right ? "right" : "wrong" : ""}), judged && !says.right ? "it should be " : "", ...shouldBe(entry, says),
  judged ? says.right ? "" : `, the network says ${short(says.label)}.` : "; the network has no such class.");
}

function figures(map, net) {
  return map.left_out !== undefined ? [] : figuresOf(map, net, data.networks[0]).map(([name, value, says]) => {
    const box = element("div"), line = element("div", undefined, {class: "line"});
    line.append(element("dt", name), element("dd", value));
    box.append(line, element("dd", says, {class: "says"}));
    return box;
  });
}

function legend(map) {
  const scale = at("scale").getContext("2d"), table = map.signed ? colours.signed : colours.plain;
  for (let x = 0; x < 256; x++) {
    const c = 3 * x;
    scale.fillStyle = `rgb(${table[c]},${table[c + 1]},${table[c + 2]})`;
    scale.fillRect(x, 0, 1, 12);
  }
  at("low").textContent = map.signed ? "against" : "cold";
  at("high").textContent = map.signed ? "for" : "hot";
}

function write() {
  const map = current.maps[cell()], says = current.predictions[state.network], net = data.networks[state.network];
  const method = data.methods[state.method];
  at("title").replaceChildren(element("bdi", titleOf(map, net)));
  document.title = `${titleOf(map, net)} ${current.entry.name}`;
  at("summary").replaceChildren(element("bdi", current.entry.name), " · ", element("bdi", net.name), ` · ${method.title}` +
    (entries.length > 1 ? ` · ${FIRST + current.number + 1} of ${data.of || entries.length}` : ""));
  legend(map);
  verdict();
  at("top").replaceChildren(...bars(says, map, net));
  at("meaning").textContent = net.probabilities ? "Probability: " + net.probabilities + "." : "";
  at("parting").hidden = !says.disagreement;
  if (says.disagreement) {
    at("truth").textContent = data.truth;
    at("disagreement").replaceChildren(...says.disagreement.map(c => rowOf([labelOf(c), percent(c.probability), percent(c.truth)])));
  }
  at("figures").replaceChildren(...figures(map, net));
  at("record").replaceChildren(...recordOf(map, net, method, current).map(rowOf));
  tell();
}

/* ---- choices ------------------------------------------------------------------------------------ */

function chip(name, value, words, more, change) {
  const made = element("label", undefined, {class: "chip"}), input = element("input", undefined, {type: "radio", name, value});
  const text = named("span", words);
  if (more) text.append(element("small", more));
  made.title = more ? `${words}, ${more}` : words;
  input.addEventListener("change", change);
  made.append(input, text);
  return made;
}

function group(name, title, chips, checked) {
  const set = element("fieldset");
  set.append(element("legend", title), ...chips);
  const input = set.querySelector(`input[value="${checked}"]`);
  if (input) input.checked = true;
  return set;
}

/* The buttons of a kind; those of the targets have the names that the classes have here. */
function chipsOf(kind) {
  return KINDS[kind].map((name, i) => {
    const [words, more] = kind === "target" ? targetWords(current.maps[cellOf("target", i)], name) : [name, ""];
    return chip(kind, String(i), words, more, () => choose(kind, i));
  });
}

function choices() {
  const focused = document.activeElement?.name, kinds = Object.keys(KINDS).filter(k => KINDS[k].length > 1);
  const sets = kinds.map(kind => group(kind, capital(kind === "target" ? "class" : kind), chipsOf(kind), state[kind]));
  if (kinds.length) {
    const views = [["", "one map"], ...kinds.map(k => [k, k === "target" ? "classes" : k + "s"])];
    sets.push(group("beside", "Side by side", views.map(([k, words]) => chip("beside", k, words, "", () => beside(k))), state.beside));
  }
  at("choices").replaceChildren(...sets);
  if (focused) at("choices").querySelector(`input[name="${focused}"]:checked`)?.focus();
}

function show() { choices(); stage(); write(); }

function choose(kind, i) {
  state[kind] = i;
  show();
  if (kind === "network" && entries.length > 1) list();
}

function beside(kind) {
  state.beside = kind;
  show();
}

/* ---- pictures ----------------------------------------------------------------------------------- */

function failed(i, why) {
  current = null;
  at("title").textContent = "Not explained";
  at("summary").replaceChildren(element("bdi", entries[i].name));
  at("stage").replaceChildren(element("p", capital(why) + ".", {class: "note", id: "note", role: "status"}));
  for (const id of ["choices", "top", "figures", "record"]) at(id).replaceChildren();
  for (const id of ["value", "meaning"]) at(id).textContent = "";
  at("verdict").hidden = at("parting").hidden = true;
}

/* Show a picture, which may be on another page. */
async function go(i) {
  const entry = entries[i];
  if (entry.page) { location.href = `${entry.page.split("/").map(encodeURIComponent).join("/")}#${i + 1}`; return; }
  Object.assign(state, {picture: i, x: -1, y: -1});
  openList(false);
  markCurrent();
  neighbours();
  try { history.replaceState(null, "", `#${FIRST + i + 1}`); } catch { /* a file may have no history */ }
  if (entry.failed) { failed(i, entry.failed); return; }
  const picture = await pictureOf(i).catch(() => null);
  if (state.picture !== i) return; // meanwhile another one was asked for
  if (!picture) { failed(i, "the picture in this page is damaged"); return; }
  current = picture;
  show();
}
const step = by => { const i = neighbour(by); if (i >= 0) go(i); };

/* ---- pointer and keys --------------------------------------------------------------------------- */

function read(x, y) {
  state.x = Math.min(Math.max(x, 0), current.image.naturalWidth - 1);
  state.y = Math.min(Math.max(y, 0), current.image.naturalHeight - 1);
  draw();
  tell();
}

function point(e) {
  const canvas = e.target;
  if (!canvas.tile) return;
  const box = canvas.getBoundingClientRect();
  read(Math.floor((e.clientX - box.left) / box.width * canvas.width), Math.floor((e.clientY - box.top) / box.height * canvas.height));
}

function press(e) {
  const figure = e.target.closest("figure"), canvas = figure?.querySelector("canvas");
  if (!state.beside || !canvas || canvas.tile.cell === cell()) return;
  choose(state.beside, canvas.tile.i);
}

function moveMark(e) {
  const by = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key];
  if (!by || !e.target.tile) return;
  e.preventDefault();
  e.stopPropagation();
  const w = current.image.naturalWidth, h = current.image.naturalHeight, far = e.shiftKey ? 1 : Math.max(1, Math.round(w / 64));
  if (state.x < 0) read(w >> 1, h >> 1);
  else read(state.x + far * by[0], state.y + far * by[1]);
}

const takesKeys = node => node.matches?.("input[type=search], input[type=range], input[type=radio], select, textarea");

function key(e) {
  if (e.ctrlKey || e.altKey || e.metaKey || at("help").open) return;
  if (e.key === "Escape") { openList(false); return; }
  const typing = e.target.matches?.("input[type=search], select, textarea");
  if (typing) return;
  const kind = KEYS[e.key];
  if (e.key === "?") help(true);
  else if (e.key === "/" && !at("list").hidden) { e.preventDefault(); if (innerWidth <= 760) openList(true); at("search").focus(); }
  else if (e.key === "p" && entries.length > 1 && !isIndex) step(1);
  else if (e.key === "P" && entries.length > 1 && !isIndex) step(-1);
  else if (kind && current) choose(kind, (state[kind] + 1) % KINDS[kind].length);
  else if (!takesKeys(e.target) && !isIndex && (e.key === "ArrowLeft" || e.key === "ArrowRight")) step(e.key === "ArrowLeft" ? -1 : 1);
}

function help(open) {
  if (open && !at("help").open) at("help").showModal();
  else if (!open) at("help").close();
}

const LISTED = [["←, →, p", "picture before, next picture"], ["/", "search the pictures"], ["Enter", "open the picture of the list"]];
const ALWAYS = [["m, n, t", "next method, network, class"], ["Esc", "leave the search, the list, this help"], ["?", "this help"]];

function start() {
  at("keys").append(...(entries.length > 1 ? LISTED : []).concat(ALWAYS).map(([keys, words]) => {
    const row = element("tr"), cells = [element("td"), element("td", words)];
    keys.split(", ").forEach((k, i) => cells[0].append(i ? " " : "", element("kbd", k)));
    row.append(...cells);
    return row;
  }));
  at("opacity").value = Math.round(100 * state.opacity);
  at("opacity").addEventListener("input", e => { state.opacity = e.target.value / 100; if (current) draw(); });
  at("stage").addEventListener("pointermove", point);
  at("stage").addEventListener("pointerdown", point);
  at("stage").addEventListener("click", press);
  at("stage").addEventListener("keydown", moveMark);
  at("before").addEventListener("click", () => step(-1));
  at("after").addEventListener("click", () => step(1));
  at("show-help").addEventListener("click", () => help(true));
  at("close-help").addEventListener("click", () => help(false));
  document.addEventListener("keydown", key);
  themes(at("theme"));
  let later;
  addEventListener("resize", () => { clearTimeout(later); later = setTimeout(() => { fit(); }, 60); });
  at("version").textContent = `Made by kldve ${data.kldve}. `;
  if (data.home) at("version").append(element("a", "All pictures", {href: data.home}));
}

/* The picture that the address names, by its number from 1; else the first of the list. */
function first() {
  const wanted = Number(location.hash.slice(1)) - 1 - FIRST;
  return entries[wanted] && !isIndex ? wanted : shown.length ? shown[0] : 0;
}

async function begin() {
  start();
  if (entries.length > 1) startList();
  else shown = [0];
  if (entries.length > 1) list();
  if (isIndex) {
    at("title").textContent = `${many(entries.length, "picture")}, explained`;
    at("summary").textContent = `${data.networks.map(n => n.name).join(", ")} · ${data.methods.map(m => m.title).join(", ")}`;
  } else {
    await go(first());
    addEventListener("hashchange", () => { const i = first(); if (i !== state.picture) go(i); });
  }
  document.body.dataset.ready = "1";
}
begin();
