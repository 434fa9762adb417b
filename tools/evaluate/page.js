const data = told("data");
const names = list => list.map(item => item.name);
const networks = names(data.networks), methods = names(data.methods), metrics = names(data.metrics);
const state = {metric: 0, network: -1, against: data.against, second: metrics.length > 1 ? 1 : 0, method: 0};
const LOWER = 1, HIGHER = 2;

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
const colour = n => `var(--n${n % 8})`;
const title = i => data.meanings[i].title ? `${data.meanings[i].title}${metrics[i].includes(":") ? " (" +
  metrics[i].slice(metrics[i].indexOf(":") + 1) + ")" : ""}` : metrics[i];
const direction = i => ({[LOWER]: "lower is better", [HIGHER]: "higher is better"})[data.meanings[i].better] ||
  "neither high nor low is better";

/* Three digits that say something. */
function text(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "none";
  const size = Math.abs(value);
  return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3);
}
const signed = value => (value >= 0 ? "+" : "") + text(value);
const excludesZero = e => e.low !== null && e.high !== null && (e.low > 0 || e.high < 0);

const key = (...parts) => JSON.stringify(parts);
const means = new Map(data.means.map(e => [key(e.network, e.metric, e.method), e]));
const minus = new Map();
for (const e of data.method_differences) {
  minus.set(key(e.network, e.metric, e.method, e.minus), e);
  minus.set(key(e.network, e.metric, e.minus, e.method), {...e, mean: negated(e.mean), low: negated(e.high), high: negated(e.low)});
}
function negated(value) { return value === null ? null : -value; }
const TOGETHER = networks.length; // all networks as one, where there are several
const network = n => n === TOGETHER ? "all together" : networks[n];
const mean = (n, i, j) => means.get(key(n === TOGETHER ? null : networks[n], metrics[i], methods[j]));
const difference = (n, i, j, k) => minus.get(key(n === TOGETHER ? null : networks[n], metrics[i], methods[j], methods[k]));
const shown = () => state.network < 0 ? networks.map((_, n) => n) : [state.network];

/* ---- plots ---------------------------------------------------------------------------------- */

function ticks(low, high) {
  const span = high - low || 1, raw = span / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= raw), out = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-6; t += step) out.push(Math.abs(t) < step / 1e6 ? 0 : t);
  return {at: out, digits: Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)))};
}

/* Numbers on an axis: value -> place, with a little room. */
function axis(values, from, to) {
  const known = values.filter(v => v !== null && v !== undefined && Number.isFinite(v));
  let low = Math.min(...known), high = Math.max(...known);
  if (!known.length) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - Math.abs(low) * .1 - 1e-6, high + Math.abs(high) * .1 + 1e-6];
  const room = (high - low) * .04;
  [low, high] = [low - room, high + room];
  return {low, high, place: v => from + (v - low) / (high - low) * (to - from), ticks: ticks(low, high)};
}

/* Rows of dots with whiskers: rows [{name, marks: [{mean, low, high, network}]}] */
function whiskers(svg, rows, zero) {
  const width = Math.max(320, svg.parentNode.clientWidth - 18), longest = Math.max(...rows.map(r => r.name.length));
  const left = Math.min(Math.max(90, longest * 8 + 12), width * .42), right = width - 16;
  const line = Math.max(...rows.map(r => r.marks.length), 1) * 9 + 13, height = rows.length * line + 34;
  const all = rows.flatMap(r => r.marks.flatMap(m => [m.mean, m.low, m.high]));
  const x = axis(zero ? [...all, 0] : all, left, right);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  for (const t of x.ticks.at) {
    svg.append(shape("line", {class: "grid", x1: x.place(t), x2: x.place(t), y1: 4, y2: height - 26}),
      shape("text", {class: "quiet", x: x.place(t), y: height - 8, "text-anchor": "middle"}, t.toFixed(x.ticks.digits)));
  }
  if (zero) svg.append(shape("line", {class: "zero", x1: x.place(0), x2: x.place(0), y1: 4, y2: height - 26}));
  rows.forEach((row, i) => {
    const middle = 6 + i * line + line / 2;
    const limit = Math.floor((left - 8) / 7.6);
    const label = shape("text", {x: left - 8, y: middle + 4, "text-anchor": "end"},
      row.name.length > limit ? row.name.slice(0, limit - 1) + "…" : row.name);
    label.append(shape("title", {}, row.name));
    svg.append(label);
    row.marks.forEach((m, k) => {
      if (m.mean === null) return;
      const y = middle + (k - (row.marks.length - 1) / 2) * 9, group = shape("g", {class: "mark"});
      if (m.low !== null)
        group.append(shape("line", {x1: x.place(m.low), x2: x.place(m.high), y1: y, y2: y, stroke: colour(m.network), "stroke-width": 2}));
      group.append(shape("circle", {cx: x.place(m.mean), cy: y, r: 4, fill: colour(m.network)}),
        shape("title", {}, `${row.name}, ${network(m.network)}: ${text(m.mean)} [${text(m.low)}, ${text(m.high)}], ${m.questions} questions`));
      svg.append(group);
    });
  });
}

/* Methods from the best to the worst, by the mean over the networks that are shown. */
function order() {
  const i = state.metric, score = j => {
    const found = shown().map(n => mean(n, i, j)).filter(e => e && e.mean !== null);
    return found.length ? found.reduce((sum, e) => sum + e.mean, 0) / found.length : null;
  };
  const sign = data.meanings[i].better === LOWER ? 1 : -1;
  return methods.map((_, j) => j).sort((a, b) => {
    const [u, v] = [score(a), score(b)];
    return u === null ? (v === null ? a - b : 1) : v === null ? -1 : sign * (u - v) || a - b;
  });
}

function drawMeans() {
  const i = state.metric;
  whiskers(at("means"), order().map(j => ({name: methods[j],
    marks: shown().map(n => ({...mean(n, i, j), network: n}))})), false);
  at("means-says").textContent = `The dot is the mean over all questions, the line its 95 % interval: how far the choice of ` +
    `pictures could have moved it by chance. ${capital(direction(i))}; the best method stands first.`;
  at("means").setAttribute("aria-label", `${title(i)} by method`);
  at("means-key").replaceChildren(...shown().map(n => {
    const item = element("li"), dot = element("i");
    dot.style.background = colour(n);
    item.append(dot, network(n));
    return item;
  }));
}

function drawPairs() {
  const i = state.metric, k = state.against, better = data.meanings[i].better;
  const rows = order().filter(j => j !== k).map(j => ({name: methods[j],
    marks: shown().map(n => ({...difference(n, i, j, k), network: n})).filter(m => m.mean !== undefined)}));
  for (const name of document.querySelectorAll(".reference")) name.textContent = methods[k];
  whiskers(at("pairs"), rows, true);
  const comparisons = rows.reduce((sum, r) => sum + r.marks.filter(m => m.mean !== null).length, 0);
  const clear = rows.reduce((sum, r) => sum + r.marks.filter(m => m.mean !== null && excludesZero(m)).length, 0);
  at("pairs-says").textContent = `Each method minus ${methods[k]} on the same questions, so what is hard for both does not count. ` +
    (better ? `${better === HIGHER ? "Right" : "Left"} of the dashed line is better. ` : "") +
    `A line that stays clear of 0 is a difference that chance does not explain: ${clear} of ${comparisons} are. ` +
    `Of so many comparisons about ${Math.max(1, Math.round(comparisons * .05))} would be by chance alone.`;
  at("pairs").setAttribute("aria-label", `${title(i)}: each method minus ${methods[k]}`);
}

function drawNumbers() {
  const i = state.metric, k = state.against, head = element("thead"), body = element("tbody"), top = element("tr");
  const caption = element("caption", `${title(i)}, mean [95 % interval]; behind it the difference to ${methods[k]}, * where its ` +
    `interval is without 0`);
  top.append(element("th", "Method", {scope: "col"}), ...shown().map(n => element("th", network(n), {scope: "col"})));
  head.append(top);
  for (const j of order()) {
    const row = element("tr");
    row.append(element("th", methods[j], {scope: "row"}));
    for (const n of shown()) {
      const e = mean(n, i, j), d = j === k ? null : difference(n, i, j, k);
      let cell = e && e.mean !== null ? `${text(e.mean)} [${text(e.low)}, ${text(e.high)}]` : "none";
      if (e && e.undefined) cell += ` (${e.undefined} without)`;
      if (d && d.mean !== null) cell += `  ${signed(d.mean)}${excludesZero(d) ? "*" : ""}`;
      row.append(element("td", cell));
    }
    body.append(row);
  }
  at("numbers").replaceChildren(caption, head, body);
}

function drawScatter() {
  const [i, o] = [state.metric, state.second], svg = at("scatter");
  const width = Math.max(320, svg.parentNode.clientWidth - 18), height = Math.min(460, width * .7);
  const dots = shown().flatMap(n => methods.map((_, j) => ({n, j, x: mean(n, i, j)?.mean, y: mean(n, o, j)?.mean})))
    .filter(d => Number.isFinite(d.x) && Number.isFinite(d.y));
  const x = axis(dots.map(d => d.x), 56, width - 20), y = axis(dots.map(d => d.y), height - 44, 12);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren();
  for (const t of x.ticks.at)
    svg.append(shape("line", {class: "grid", x1: x.place(t), x2: x.place(t), y1: 12, y2: height - 44}),
      shape("text", {class: "quiet", x: x.place(t), y: height - 28, "text-anchor": "middle"}, t.toFixed(x.ticks.digits)));
  for (const t of y.ticks.at)
    svg.append(shape("line", {class: "grid", x1: 56, x2: width - 20, y1: y.place(t), y2: y.place(t)}),
      shape("text", {class: "quiet", x: 50, y: y.place(t) + 4, "text-anchor": "end"}, t.toFixed(y.ticks.digits)));
  svg.append(shape("text", {class: "quiet", x: width - 20, y: height - 8, "text-anchor": "end"}, title(i)),
    shape("text", {class: "quiet", x: 60, y: 24}, title(o)));
  const taken = [];
  for (const d of dots) {
    const dot = shape("circle", {class: "mark", cx: x.place(d.x), cy: y.place(d.y), r: 5, fill: colour(d.n)});
    dot.append(shape("title", {}, `${methods[d.j]}, ${network(d.n)}: ${text(d.x)}, ${text(d.y)}`));
    svg.append(dot);
  }
  for (const d of shown().length === 1 ? dots : []) { // names where they do not cover each other
    const w = methods[d.j].length * 7, right = x.place(d.x) + 9 + w < width - 16;
    const box = {x: right ? x.place(d.x) + 9 : x.place(d.x) - 9 - w, y: y.place(d.y) - 9, w, h: 17};
    if (taken.some(b => b.x < box.x + box.w && box.x < b.x + b.w && b.y < box.y + box.h && box.y < b.y + b.h)) continue;
    taken.push(box);
    svg.append(shape("text", {x: box.x, y: y.place(d.y) + 4}, methods[d.j]));
  }
  at("scatter-says").textContent = `Each dot is a method${shown().length > 1 ? " on one network" : ""}: ${title(i)} (${direction(i)}) ` +
    `across, ${title(o)} (${direction(o)}) up the page. Methods that please one measure and not the other stand apart.`;
  svg.setAttribute("aria-label", `${title(o)} against ${title(i)}`);
}

/* ---- picture by picture ----------------------------------------------------------------------- */

/* Pictures are shown of one network. */
const asked = () => shown()[0] === TOGETHER ? 0 : shown()[0];

function questions() {
  const n = asked(), found = [];
  data.values[n][state.metric][state.method].forEach((value, q) => { if (value !== null) found.push({q, n, value}); });
  const sign = data.meanings[state.metric].better === LOWER ? 1 : -1;
  return found.sort((a, b) => sign * (a.value - b.value) || a.q - b.q);
}

function picture(found) {
  const figure = element("figure"), caption = element("figcaption"), source = data.drawn[`${found.n},${found.q},${state.method}`];
  if (source) figure.append(element("img", undefined, {src: source, alt: `map of ${methods[state.method]} over ${data.keys[found.q]}`}));
  caption.append(element("b", text(found.value)), ` ${data.keys[found.q]}`);
  figure.append(caption);
  return figure;
}

function drawSpread() {
  const i = state.metric, svg = at("spread"), found = questions(), width = Math.max(320, svg.parentNode.clientWidth - 18);
  const x = axis(found.map(f => f.value), 16, width - 16);
  svg.setAttribute("viewBox", `0 0 ${width} 96`);
  svg.replaceChildren();
  for (const t of x.ticks.at)
    svg.append(shape("line", {class: "grid", x1: x.place(t), x2: x.place(t), y1: 4, y2: 70}),
      shape("text", {class: "quiet", x: x.place(t), y: 88, "text-anchor": "middle"}, t.toFixed(x.ticks.digits)));
  found.forEach((f, k) => {
    const dot = shape("circle", {class: "mark", cx: x.place(f.value), cy: 12 + (k * 23) % 52, r: 4, fill: colour(f.n), "fill-opacity": .7});
    dot.append(shape("title", {}, `${text(f.value)} ${data.keys[f.q]}`));
    for (const kind of ["click", "pointerenter"])
      dot.addEventListener(kind, () => { at("spread-value").textContent = `${text(f.value)}  ${data.keys[f.q]}`; });
    svg.append(dot);
  });
  svg.setAttribute("aria-label", `${title(i)} of every question`);
  at("spread-says").textContent = `Each dot is one question, asked of ${networks[asked()]}: the ${title(i)} of ` +
    `${methods[state.method]} (${direction(i)}). Point at a dot, or tap it, for the name of its picture.` +
    (Object.keys(data.drawn).length ? "" : " Pictures are shown where kldve evaluate writes the page itself.");
  const ends = Math.min(6, Math.floor(found.length / 2) || found.length);
  at("best").replaceChildren(...found.slice(0, ends).map(picture));
  at("worst").replaceChildren(...found.slice(-ends).reverse().map(picture));
}

/* ---- the page --------------------------------------------------------------------------------- */

function draw() {
  const meaning = data.meanings[state.metric];
  at("meaning").textContent = `${metrics[state.metric]}: ${meaning.summary || "a metric of the program that made this database"}; ` +
    `${direction(state.metric)}.${meaning.source ? ` After ${meaning.source}.` : ""}`;
  drawMeans();
  drawPairs();
  drawNumbers();
  if (metrics.length > 1) drawScatter();
  if (data.values.length) drawSpread();
}

function fill(id, list, value, name) {
  const select = at(id);
  list.forEach(([v, words]) => select.append(element("option", words, {value: v})));
  select.value = value;
  select.addEventListener("change", () => { state[name] = Number(select.value); draw(); });
}

function note(words, list) {
  const details = element("details"), items = element("ul");
  details.append(element("summary", words));
  items.append(...list.map(item => element("li", item)));
  details.append(items);
  at("notes").append(details);
}

const numbered = list => list.map((words, i) => [i, words]);
at("summary").textContent = `${many(data.questions, "question")} about ${many(data.pictures, "picture")}, ` +
  `${many(networks.length, "network")}, ${many(methods.length, "method")}, ${many(metrics.length, "metric")}. Intervals: ` +
  `${data.bootstrap.samples} bootstrap samples of the pictures.`;
if (data.unreadable.length)
  note(`${many(data.unreadable.length, "question")} could not be asked`, data.unreadable.map(u => `${u.question} (${u.network}): ${u.why}`));
const flags = data.maps.flatMap(m => Object.entries(m.flags).filter(([, count]) => count > 0).map(([name, count]) =>
  `${m.method}, ${m.network}: ${count} of ${many(m.maps, "map")} ${name}: ${data.sentences[name]}`));
if (flags.length) note("What to know about these maps", flags);
note("What was measured", [...data.networks, ...data.methods, ...data.metrics].map(item => `${item.name}: ${item.settings}`));
fill("metric", numbered(metrics.map((_, i) => title(i))), 0, "metric");
fill("network", [...(networks.length > 1 ? [[-1, "each"], [TOGETHER, "all together"]] : []), ...numbered(networks)], networks.length > 1 ? -1 : 0, "network");
fill("against", numbered(methods), state.against, "against");
fill("second", numbered(metrics.map((_, i) => title(i))), state.second, "second");
fill("method", numbered(methods), 0, "method");
state.network = networks.length > 1 ? -1 : 0;
at("scatter-section").hidden = metrics.length < 2;
at("spread-section").hidden = !data.values.length;
at("footer").textContent = `kldve ${data.version}; measured by ${data.build}.`;
themes(at("theme"));
let later;
addEventListener("resize", () => { clearTimeout(later); later = setTimeout(draw, 100); });
draw();
document.body.dataset.ready = "1";
