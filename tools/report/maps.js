/* ---- what a picture has ----------------------------------------------------------------------
   A picture is an element of JSON by itself; it is read when it is shown, and the last few stay. */

const data = told("data");
const FIRST = data.first || 0, KEPT = 8;

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

const kept = new Map();
async function pictureOf(i) {
  if (kept.has(i)) return kept.get(i);
  const picture = told("picture" + (FIRST + i)), image = new Image();
  image.src = picture.source;
  await image.decode();
  Object.assign(picture, {image, layers: new Map(), number: i, entry: data.pictures[i]});
  kept.set(i, picture);
  for (const old of kept.keys()) if (kept.size > KEPT && old !== i) kept.delete(old);
  return picture;
}

const cellAt = (network, method, target) => (network * data.methods.length + method) * data.targets.length + target;

/* ---- the library's way of drawing: docs/drawing.md has the formulas --------------------------- */

const drawing = data.drawing, colours = {plain: bytes(data.colours.plain), signed: bytes(data.colours.signed)};

/* 16 bits for each value, the lower byte first. */
function valuesOf(map) {
  if (!map.numbers && map.values) {
    const raw = bytes(map.values), out = new Float64Array(raw.length / 2);
    for (let k = 0; k < out.length; k++) out[k] = (raw[2 * k] + 256 * raw[2 * k + 1]) / 65535;
    map.numbers = out;
    delete map.values;
  }
  return map.numbers;
}

const sinc = x => x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
const KERNELS = {
  bilinear: [1, x => Math.max(1 - Math.abs(x), 0)],
  bicubic: [2, x => (x = Math.abs(x)) < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0],
  lanczos: [3, x => Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0]
};

/* The weights of each output of a side: [first, weights]. */
function taps(size, out) {
  const [support, weight] = KERNELS[drawing.upsampling], ratio = size / out, stretch = Math.max(ratio, 1), found = [];
  for (let i = 0; i < out; i++) {
    const centre = (i + 0.5) * ratio, reach = support * stretch;
    const first = Math.trunc(Math.max(centre - reach + 0.5, 0)), end = Math.trunc(Math.min(centre + reach + 0.5, size));
    const weights = [];
    for (let x = first; x < end; x++) weights.push(weight((x + 0.5 - centre) / stretch));
    const sum = weights.reduce((a, b) => a + b, 0);
    found.push([first, weights.map(w => w / sum)]);
  }
  return found;
}

/* A map at another size, within its own range. */
function enlarged(v, height, width, rows, columns) {
  const down = taps(height, rows), along = taps(width, columns), out = new Float32Array(rows * columns);
  const row = new Float64Array(width);
  let least = Infinity, most = -Infinity;
  for (const value of v) { least = Math.min(least, value); most = Math.max(most, value); }
  for (let y = 0, i = 0; y < rows; y++) {
    row.fill(0);
    down[y][1].forEach((w, t) => { for (let x = 0, at = (down[y][0] + t) * width; x < width; x++) row[x] += w * v[at + x]; });
    for (let x = 0; x < columns; x++, i++) {
      const [first, weights] = along[x];
      let sum = 0;
      for (let t = 0; t < weights.length; t++) sum += weights[t] * row[first + t];
      out[i] = Math.min(Math.max(sum, least), most);
    }
  }
  return out;
}

function blurLine(v, from, n, step, sigma) {
  const reach = Math.min(Math.ceil(3 * sigma), n - 1), copy = new Float64Array(n), weight = [];
  for (let d = 0; d <= reach; d++) weight.push(Math.exp(-d * d / (2 * sigma * sigma)));
  for (let x = 0; x < n; x++) copy[x] = v[from + x * step];
  for (let x = 0; x < n; x++) {
    let sum = 0, all = 0;
    for (let d = Math.max(-x, -reach); d <= Math.min(n - 1 - x, reach); d++) {
      sum += weight[Math.abs(d)] * copy[x + d];
      all += weight[Math.abs(d)];
    }
    v[from + x * step] = sum / all;
  }
}

/* The cells as they are drawn: smoothed where that was asked for. */
function smoothed(map) {
  const v = valuesOf(map);
  if (!map.drawn.blur) return v;
  const out = Float64Array.from(v), [down, along] = map.drawn.blur;
  for (let y = 0; y < map.height && along > 0; y++) blurLine(out, y * map.width, map.width, 1, along);
  for (let x = 0; x < map.width && down > 0; x++) blurLine(out, x, map.height, map.width, down);
  return out;
}

const HIDDEN = 40; // grey of what a masked picture does not show
const magnitude = (v, signed) => signed ? Math.abs(2 * v - 1) : v;

/* Where the scale ends: of the magnitudes that are not zero, `clip` percent lie above. */
function endOfScale(v, signed, clip) {
  const found = [];
  for (const value of v) {
    const size = magnitude(value, signed);
    if (size > 0) found.push(size);
  }
  found.sort((a, b) => a - b);
  return found.length ? found[found.length - 1 - Math.floor(clip / 100 * found.length)] : 1;
}

/* Where the map lies in a drawing of this size: the pixels whose centre lies in it.  With padding it reaches beyond. */
function seenOf(map, width, height) {
  const side = (start, part, pixels) => {
    const begin = Math.min(Math.ceil(start * pixels - 0.51), pixels - 1);
    return [begin, Math.max(Math.ceil((start + part) * pixels - 0.51) - begin, 1)];
  };
  const [x, w] = side(map.seen[0], map.seen[2], width), [y, h] = side(map.seen[1], map.seen[3], height);
  return [x, y, w, h];
}

/* The level that values of at least so much reach half of the sum of all with. */
function levelOfSum(v, signed) {
  const found = Array.from(v, value => magnitude(value, signed)).sort((a, b) => b - a);
  const need = found.reduce((sum, x) => sum + x, 0) / 2;
  let sum = 0;
  return found.find(x => (sum += x) >= need) || 0;
}

/* A value of the map -> its place on the scale of the colours; in views of a part of the sum, its level is 1/2. */
function scaleOf(map, cells) {
  if (drawing.view === "masked" || drawing.view === "outline") {
    const level = levelOfSum(cells, map.signed), factor = level > 0 ? 0.5 / level : 0;
    return v => magnitude(v, map.signed) * factor;
  }
  const end = map.drawn.clip > 0 || map.drawn.blur ? endOfScale(cells, map.signed, map.drawn.clip) : 1;
  return map.signed ? v => 0.5 + (v - 0.5) / end : v => v / end;
}

/* What a place on the scale does to the picture: red, green, blue and how much of it they cover, 0..1.  Colours of a signed
   map meet in the picture, not in white. */
function paint(v, signed) {
  const level = Math.round(255 * Math.min(Math.max(v, 0), 1)), table = signed ? colours.signed : colours.plain;
  if (drawing.view === "masked") {
    const edge = Math.min(Math.max((level / 255 - 0.4) / 0.2, 0), 1);
    return [HIDDEN, HIDDEN, HIDDEN, 1 - edge * edge * (3 - 2 * edge)];
  }
  const rest = 1 - (level < 128 ? 127 - level : level - 128) / 127, c = 3 * (!signed ? level : level < 128 ? 0 : 255);
  return [table[c], table[c + 1], table[c + 2], signed ? 1 - rest * rest : level / 255];
}

/* Lines of equal value: level, colour, colour of the edges. */
function linesOf(map) {
  const table = map.signed ? colours.signed : colours.plain, white = [255, 255, 255];
  const line = (level, plain) => {
    const c = 3 * Math.round(255 * level), colour = plain ? white : [...table.slice(c, c + 3)];
    const dark = (2 * colour[0] + 5 * colour[1] + colour[2]) / 8 < 110;
    return [level, colour, dark ? white : [0, 0, 0]];
  };
  if (drawing.view === "outline") return [line(0.5, true)];
  return [1, 2, 3, 4].flatMap(i => map.signed ? [line(0.5 + i / 10), line(0.5 - i / 10)] : [line(i / 5)]);
}

/* Each line covers the pixels that are near to it; its distance is the difference of values over their slope. */
function drawLines(rgba, v, columns, rows, lines, thick) {
  const covered = (half, distance) => Math.min(Math.max(half + 0.5 - distance, 0), 1);
  for (let y = 0, k = 0; y < rows; y++)
    for (let x = 0; x < columns; x++, k++) {
      const left = x > 0 ? k - 1 : k, right = x < columns - 1 ? k + 1 : k;
      const above = y > 0 ? k - columns : k, below = y < rows - 1 ? k + columns : k;
      const slope = Math.hypot(right > left ? (v[right] - v[left]) / (right - left) : 0, (v[below] - v[above]) / 2);
      if (slope < 1e-6) continue;
      let colour = [0, 0, 0], cover = 0; // blended over nothing: colours weighed by what they cover
      for (const [level, inner, edge] of lines)
        for (const [half, c] of [[thick, edge], [thick / 2, inner]]) {
          const w = covered(half, Math.abs(v[k] - level) / slope);
          colour = colour.map((old, i) => (1 - w) * old + w * c[i]);
          cover = 1 - (1 - w) * (1 - cover);
        }
      if (cover > 0) colour.forEach((sum, i) => { rgba[4 * k + i] = Math.round(sum / cover); });
      rgba[4 * k + 3] = Math.round(255 * cover);
    }
}

/* A map at the size of its picture: its values, and what it does to the picture.  Made once, so that the slider and the
   pointer do not wait for it. */
function layerOf(picture, cell) {
  const map = picture.maps[cell], width = picture.image.naturalWidth, height = picture.image.naturalHeight;
  if (map.left_out !== undefined) return null;
  if (picture.layers.has(cell)) return picture.layers.get(cell);
  const seen = seenOf(map, width, height), [left, top, columns, rows] = seen, cells = smoothed(map);
  const values = enlarged(cells, map.height, map.width, rows, columns), scaled = values.map(scaleOf(map, cells));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, {width: columns, height: rows});
  const pen = canvas.getContext("2d"), frame = pen.createImageData(columns, rows), rgba = frame.data;
  if (drawing.view === "contours" || drawing.view === "outline")
    drawLines(rgba, scaled, columns, rows, linesOf(map), 2 * (map.drawn.line > 0 ? map.drawn.line : 1 + Math.floor(Math.min(width, height) / 800)));
  else
    scaled.forEach((v, k) => {
      const [r, g, b, cover] = paint(v, map.signed);
      rgba.set([r, g, b, Math.round(255 * cover)], 4 * k);
    });
  pen.putImageData(frame, 0, 0);
  const layer = {seen, values, canvas, left, top};
  picture.layers.set(cell, layer);
  return layer;
}

/* The map's own value at a pixel of the picture; null outside what the network saw. */
function valueAt(picture, cell, px, py) {
  const layer = layerOf(picture, cell);
  if (!layer) return null;
  const [left, top, width, height] = layer.seen, x = px - left, y = py - top;
  return x < 0 || y < 0 || x >= width || y >= height ? null : layer.values[y * width + x];
}

/* ---- a canvas --------------------------------------------------------------------------------- */

/* A line in white with black edges. */
function trace(pen, path, width) {
  for (const [more, colour] of [[2, "#000"], [0, "#fff"]]) {
    pen.lineWidth = width + more;
    pen.strokeStyle = colour;
    pen.stroke(path);
  }
}

const masked = data.mask ? bytes(data.mask) : null;
/* The edges between pixels that count in the mask and pixels that do not. */
function maskEdges(width, height) {
  const path = new Path2D(), w = data.mask_width, h = masked.length / w, sx = width / w, sy = height / h;
  const inside = (x, y) => x >= 0 && y >= 0 && x < w && y < h && masked[y * w + x] !== 0;
  for (let y = 0; y <= h; y++)
    for (let x = 0; x <= w; x++) {
      if (inside(x, y) !== inside(x - 1, y)) { path.moveTo(x * sx, y * sy); path.lineTo(x * sx, (y + 1) * sy); }
      if (inside(x, y) !== inside(x, y - 1)) { path.moveTo(x * sx, y * sy); path.lineTo((x + 1) * sx, y * sy); }
    }
  return path;
}

/* What the network did not see lies outside of a frame of two tones; a masked picture hides it. */
function drawUnseen(pen, map, seen, width, height, opacity) {
  const x = Math.max(seen[0], 0), y = Math.max(seen[1], 0);
  const w = Math.min(seen[0] + seen[2], width) - x, h = Math.min(seen[1] + seen[3], height) - y;
  const around = (out, colour) => {
    const path = new Path2D();
    path.rect(x - out, y - out, w + 2 * out, h + 2 * out);
    path.rect(x, y, w, h);
    pen.fillStyle = colour;
    pen.fill(path, "evenodd");
  };
  if (w >= width && h >= height) return;
  if (drawing.view === "masked") {
    pen.globalAlpha = opacity;
    around(width + height, `rgb(${HIDDEN} ${HIDDEN} ${HIDDEN})`);
    pen.globalAlpha = 1;
  }
  if (map.drawn.line <= 0) return;
  around(2 * map.drawn.line, "#000");
  around(map.drawn.line, "#fff");
}

/* Which scores are explained: a pixel, a region, the box of a row. */
function drawPlace(pen, picture, map, width, height) {
  const sx = width / picture.width, sy = height / picture.height, line = Math.max(1, width / 400), path = new Path2D();
  if (masked) trace(pen, maskEdges(width, height), line);
  if (data.at) {
    const x = (data.at[0] + 0.5) * sx, y = (data.at[1] + 0.5) * sy, r = Math.max(3, Math.min(width, height) / 24);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      path.moveTo(x + dx * r / 3, y + dy * r / 3);
      path.lineTo(x + dx * r, y + dy * r);
    }
    trace(pen, path, line);
  }
  if (map.box) {
    path.rect(map.box[0] * sx, map.box[1] * sy, (map.box[2] - map.box[0]) * sx, (map.box[3] - map.box[1]) * sy);
    trace(pen, path, line);
  }
}

/* The ring at the pixel that is read. */
function drawMark(pen, width, x, y) {
  const path = new Path2D();
  path.arc(x + 0.5, y + 0.5, Math.max(4, width / 60), 0, 7);
  trace(pen, path, 2);
}

function drawOn(canvas, picture, cell, opacity, mark) {
  const map = picture.maps[cell], image = picture.image, width = image.naturalWidth, height = image.naturalHeight;
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  canvas.style.setProperty("--ratio", width / height); // for paper
  pen.globalAlpha = 1;
  pen.drawImage(image, 0, 0);
  const layer = opacity > 0 ? layerOf(picture, cell) : null;
  if (layer) {
    pen.globalAlpha = opacity;
    pen.drawImage(layer.canvas, layer.left, layer.top);
    pen.globalAlpha = 1;
    drawUnseen(pen, map, layer.seen, width, height, opacity);
  }
  drawPlace(pen, picture, map, width, height);
  if (mark) drawMark(pen, width, ...mark);
}
