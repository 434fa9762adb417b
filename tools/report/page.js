const data = told("data");
const state = {picture: 0, network: 0, method: 0, target: 0, opacity: 0.5, x: -1, y: -1};
const heat = at("heat"), pen = heat.getContext("2d", {willReadFrequently: true});

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}
const colours = {plain: bytes(data.colours.plain), signed: bytes(data.colours.signed)};
const pictures = data.pictures.map(p => { const image = new Image(); image.src = p.source; return image; });

function index() {
  return ((state.picture * data.networks.length + state.network) * data.methods.length + state.method) *
    data.targets.length + state.target;
}
const map = () => data.maps[index()];

/* 16 bits for each value, the lower byte first. */
const unpacked = new Map();
function values(i) {
  if (!unpacked.has(i)) {
    const raw = bytes(data.maps[i].values), out = new Float64Array(raw.length / 2);
    for (let k = 0; k < out.length; k++) out[k] = (raw[2 * k] + 256 * raw[2 * k + 1]) / 65535;
    unpacked.set(i, out);
  }
  return unpacked.get(i);
}

/* Bilinear with half-pixel centres, edges held: the library's upsampling. */
function sample(v, height, width, y, x) {
  const clamp = (t, n) => Math.min(Math.max(t, 0), n - 1);
  const fy = clamp(y * height - 0.5, height), fx = clamp(x * width - 0.5, width);
  const y0 = Math.floor(fy), x0 = Math.floor(fx), y1 = clamp(y0 + 1, height), x1 = clamp(x0 + 1, width);
  const top = v[y0 * width + x0] + (fx - x0) * (v[y0 * width + x1] - v[y0 * width + x0]);
  const low = v[y1 * width + x0] + (fx - x0) * (v[y1 * width + x1] - v[y1 * width + x0]);
  return top + (fy - y0) * (low - top);
}

/* The map at the centre of a pixel of the picture; null outside what the network saw, whose edges lie
   between pixels, as in the library. */
function valueAt(px, py) {
  if (!map().values) return null;
  const [left, top, width, height] = seen(), x = px - left, y = py - top;
  if (x < 0 || y < 0 || x >= width || y >= height) return null;
  return sample(values(index()), map().height, map().width, (y + 0.5) / height, (x + 0.5) / width);
}

/* What a map value, 0..255, does to the picture: the place of its colour in the table, and how much it covers, 0..1.
   Colours of a signed map meet in the picture, not in white: the rule of lib/image/overlay.c. */
function paint(level, signed) {
  if (!signed) return [3 * level, 1];
  const rest = 1 - (level < 128 ? 127 - level : level - 128) / 127;
  return [level < 128 ? 0 : 3 * 255, 1 - rest * rest];
}

/* The heat of a map at full opacity, at the size of the picture.  It is drawn once, so that the slider and
   the pointer do not wait for it. */
const layer = document.createElement("canvas");
let drawn = "";
function drawLayer(width, height) {
  const m = map(), name = index() + " " + width + " " + height;
  if (drawn === name) return;
  drawn = name;
  layer.width = width;
  layer.height = height;
  const brush = layer.getContext("2d"), frame = brush.createImageData(width, height), rgba = frame.data;
  const table = m.signed ? colours.signed : colours.plain;
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i += 4) {
      const v = valueAt(x, y);
      if (v === null) continue;
      const [c, cover] = paint(Math.round(255 * v), m.signed);
      rgba[i] = table[c];
      rgba[i + 1] = table[c + 1];
      rgba[i + 2] = table[c + 2];
      rgba[i + 3] = Math.round(255 * cover);
    }
  brush.putImageData(frame, 0, 0);
}

/* Where the map lies, in pixels of the picture. */
function seen() {
  const s = map().seen, x = Math.round(s[0] * heat.width), y = Math.round(s[1] * heat.height);
  return [x, y, Math.round((s[0] + s[2]) * heat.width) - x, Math.round((s[1] + s[3]) * heat.height) - y];
}

function draw() {
  const image = pictures[state.picture], m = map();
  heat.width = image.naturalWidth;
  heat.height = image.naturalHeight;
  /* As wide as the column, but a tall picture stays within the window. */
  heat.style.width = `min(100%, ${80 * heat.width / heat.height}vh)`;
  pen.drawImage(image, 0, 0);
  if (m.values && state.opacity > 0) {
    const [x, y, width, height] = seen();
    drawLayer(heat.width, heat.height);
    pen.fillStyle = "rgba(0, 0, 0, 0.75)";
    pen.beginPath();
    pen.rect(0, 0, heat.width, heat.height);
    pen.rect(x, y, width, height);
    pen.fill("evenodd");
    pen.globalAlpha = state.opacity;
    pen.drawImage(layer, 0, 0);
    pen.globalAlpha = 1;
  }
  place();
  if (state.x >= 0) mark();
}

/* A line in white with black edges. */
function trace(path, width) {
  for (const [more, colour] of [[2, "#000"], [0, "#fff"]]) {
    pen.lineWidth = width + more;
    pen.strokeStyle = colour;
    pen.stroke(path);
  }
}

/* The edges between pixels that count in the mask and pixels that do not. */
const masked = data.mask ? bytes(data.mask) : null;
function maskEdges() {
  const path = new Path2D(), w = data.mask_width, h = masked.length / w, sx = heat.width / w, sy = heat.height / h;
  const inside = (x, y) => x >= 0 && y >= 0 && x < w && y < h && masked[y * w + x] !== 0;
  for (let y = 0; y <= h; y++)
    for (let x = 0; x <= w; x++) {
      if (inside(x, y) !== inside(x - 1, y)) { path.moveTo(x * sx, y * sy); path.lineTo(x * sx, (y + 1) * sy); }
      if (inside(x, y) !== inside(x, y - 1)) { path.moveTo(x * sx, y * sy); path.lineTo((x + 1) * sx, y * sy); }
    }
  return path;
}

/* Which scores are explained: a pixel, a region, the box of a row. */
function place() {
  const m = map(), picture = data.pictures[state.picture], path = new Path2D();
  const sx = heat.width / picture.width, sy = heat.height / picture.height, line = Math.max(1, heat.width / 400);
  if (masked) trace(maskEdges(), line);
  if (data.at) {
    const x = (data.at[0] + 0.5) * sx, y = (data.at[1] + 0.5) * sy, r = Math.max(3, Math.min(heat.width, heat.height) / 24);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      path.moveTo(x + dx * r / 3, y + dy * r / 3);
      path.lineTo(x + dx * r, y + dy * r);
    }
    trace(path, line);
  }
  if (m.box) {
    path.rect(m.box[0] * sx, m.box[1] * sy, (m.box[2] - m.box[0]) * sx, (m.box[3] - m.box[1]) * sy);
    trace(path, line);
  }
}

function mark() {
  const r = Math.max(4, heat.width / 60);
  for (const [width, colour] of [[4, "#000"], [2, "#fff"]]) {
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.arc(state.x + 0.5, state.y + 0.5, r, 0, 7);
    pen.stroke();
  }
}

const number = (v, digits) => v === null || v === undefined ? "–" : Number(v).toPrecision(digits);
const percent = p => (100 * p).toFixed(p < 0.1 ? 2 : 1) + " %";
const measured = (metric, v) => v === null ? "–" :
  (metric.share ? percent(v) : number(v, 4)) + (metric.unit ? " " + metric.unit : "");
const labelOf = c => c.label || "class " + c.index;


const against = v => Math.abs(v).toFixed(4) + (v < 0 ? " against" : " for");

function tell() {
  const v = state.x < 0 ? undefined : valueAt(state.x, state.y);
  at("value").textContent = v === undefined ? "Point at the picture to read the map." : `x ${state.x}, y ${state.y}: ` +
    (v !== null ? v.toFixed(4) + (map().signed ? `, where 0.5 is zero: ${against(2 * v - 1)}` : "")
      : map().values ? "the network did not see this" : "no map");
}

/* What everyone who sees the map should know, a sentence each. */
function noticed(m) {
  const flat = m.flags.includes("flat"), reason = flag => flag === "flat" && m.remark ? ": " + m.remark : "";
  const say = flag => data.sentences[flag][0].toUpperCase() + data.sentences[flag].slice(1) + reason(flag) + ".";
  return (m.left_out ? ["No map: " + m.left_out] : []).concat(m.flags.map(say), m.remark && !flat ? ["Note: " + m.remark + "."] : []);
}

function write() {
  const m = map(), says = data.predictions[state.picture * data.networks.length + state.network];
  const net = data.networks[state.network], method = data.methods[state.method];
  at("title").textContent = m.left_out ? "No map" : m.target ? `Why “${labelOf(m.target)}”?` :
    `${net.number} ${number(m.value, 6)}: ${m.question}?`;
  at("summary").textContent = `${data.pictures[state.picture].name}, ${net.name}, ${method.title}`;
  at("note").textContent = noticed(m).join("\n");
  heat.setAttribute("aria-label", `${data.pictures[state.picture].name} with the map of ${method.title}`);
  at("low").textContent = m.signed ? "against" : "0";
  at("high").textContent = m.signed ? "for" : "1";
  const scale = at("scale").getContext("2d"), table = m.signed ? colours.signed : colours.plain;
  for (let x = 0; x < 130; x++) {
    const c = 3 * Math.round(255 * x / 129);
    scale.fillStyle = `rgb(${table[c]},${table[c + 1]},${table[c + 2]})`;
    scale.fillRect(x, 0, 1, 12);
  }
  at("meaning").textContent = net.probabilities ? "Probability: " + net.probabilities + "." : "";
  const list = at("top");
  list.replaceChildren(...says.top5.map(c => {
    const item = element("li"), line = element("div", undefined, {class: "line"}), bar = element("div", undefined, {class: "bar"});
    const fill = element("i");
    line.append(element("span", labelOf(c), {class: "name"}), element("span", percent(c.probability), {class: "share"}));
    fill.style.width = 100 * c.probability + "%";
    bar.append(fill);
    item.append(line, bar);
    if (m.target && m.target.index === c.index) item.className = "explained";
    return item;
  }));
  if (says.value !== undefined) {
    const line = element("div", undefined, {class: "line"}), item = element("li", undefined, {class: "explained"});
    line.append(element("span", net.number, {class: "name"}), element("span", number(says.value, 6), {class: "share"}));
    item.append(line);
    list.append(item);
  }
  at("parting").hidden = !says.disagreement;
  if (says.disagreement) {
    at("truth").textContent = data.truth;
    at("disagreement").replaceChildren(...says.disagreement.map(c => {
      const row = element("tr");
      row.append(...[labelOf(c), percent(c.probability), percent(c.truth)].map(text => element("td", text)));
      return row;
    }));
  }
  const rows = [["Network", net.model], ["Layer", net.layer],
    net.number ? ["Number", net.number] : ["Classes", net.classes], ["Scores", net.scores],
    ["Method", method.id], ["Picture", data.pictures[state.picture].path]];
  if (m.target)
    rows.push(["Class", `${m.target.index}, ${labelOf(m.target)}`], ["Logit", number(m.target.logit, 6)],
      ["Probability", percent(m.target.probability)]);
  else if (!m.left_out)
    rows.push(["Value", number(m.value, 6)], ["Question", m.question]);
  if (!m.left_out)
    rows.push(["KL", number(m.kl, 6)],
      ...data.metrics.map(metric => [metric.title, measured(metric, m[metric.name])]),
      ["Flags", m.flags.join(", ") || "none"], ["Map", `${m.width} × ${m.height}`], ["Time", number(m.ms, 3) + " ms"]);
  if (data.at) rows.push(["Place", `x ${data.at[0]}, y ${data.at[1]}`]);
  if (data.over) rows.push(["Region", data.over]);
  if (m.row !== undefined) rows.push(["Row", m.row]);
  if (m.box) rows.push(["Box", m.box.map(v => v.toFixed(1)).join(", ")]);
  at("record").replaceChildren(...rows.map(([name, text]) => {
    const row = element("tr");
    row.append(element("td", name), element("td", text));
    return row;
  }));
  tell();
}

function show() { draw(); write(); }

function choose(kind, i) {
  state[kind] = i;
  const chip = document.querySelector(`input[name=${kind}][value="${i}"]`);
  if (chip) chip.checked = true;
  if (kind === "picture") state.x = state.y = -1;
  show();
}

const kinds = {picture: data.pictures.map(p => p.name), network: data.networks.map(n => n.name),
  method: data.methods.map(m => m.title), target: data.targets};
for (const [kind, names] of Object.entries(kinds)) {
  if (names.length < 2) continue;
  const set = element("fieldset");
  set.append(element("legend", kind[0].toUpperCase() + kind.slice(1)));
  names.forEach((name, i) => {
    const chip = element("label", undefined, {class: "chip"}), input = element("input"), text = element("span", name);
    Object.assign(input, {type: "radio", name: kind, value: String(i), checked: i === 0});
    input.addEventListener("change", () => choose(kind, i));
    text.title = name;
    chip.append(input, text);
    set.append(chip);
  });
  at("choices").append(set);
}

at("opacity").addEventListener("input", e => { state.opacity = e.target.value / 100; draw(); });
function point(e) {
  const box = heat.getBoundingClientRect();
  state.x = Math.min(Math.max(Math.floor((e.clientX - box.left) / box.width * heat.width), 0), heat.width - 1);
  state.y = Math.min(Math.max(Math.floor((e.clientY - box.top) / box.height * heat.height), 0), heat.height - 1);
  draw();
  tell();
}
heat.addEventListener("pointermove", point);
heat.addEventListener("pointerdown", point);
heat.addEventListener("keydown", e => {
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key];
  if (!step) return;
  e.preventDefault();
  const far = e.shiftKey ? 1 : Math.max(1, Math.round(heat.width / 64));
  if (state.x < 0) [state.x, state.y] = [heat.width >> 1, heat.height >> 1];
  else {
    state.x = Math.min(Math.max(state.x + far * step[0], 0), heat.width - 1);
    state.y = Math.min(Math.max(state.y + far * step[1], 0), heat.height - 1);
  }
  draw();
  tell();
});
document.addEventListener("keydown", e => {
  const kind = {m: "method", n: "network", p: "picture", t: "target"}[e.key];
  if (!kind || e.ctrlKey || e.altKey || e.metaKey) return;
  choose(kind, (state[kind] + 1) % kinds[kind].length);
});
themes(at("theme"));
at("version").textContent = "Made by kldve " + data.kldve + ".";
Promise.all(pictures.map(p => p.decode())).then(() => { show(); document.body.dataset.ready = "1"; },
  () => { at("title").textContent = "A picture in this page is damaged"; });
