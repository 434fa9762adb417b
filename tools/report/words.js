/* ---- figures, each with a sentence that says what it means ------------------------------------ */

const number = (v, digits) => v === null || v === undefined ? "–" : Number(v).toPrecision(digits);
const percent = p => p === null || p === undefined ? "–" : (100 * p).toFixed(p < 0.1 ? 2 : 1) + " %";
const measured = (metric, v) => v === null || v === undefined ? "–" :
  (metric.share ? percent(v) : number(v, 4)) + (metric.unit ? " " + metric.unit : "");
const labelOf = c => c.label || "class " + c.index;
/* The first of its names. */
const short = label => label.split(",")[0] || label;
const isNumber = net => net.number !== undefined;

/* Letters that change the direction of what follows stay inside of a name. */
function named(kind, name, attributes) {
  const made = element(kind, undefined, attributes);
  made.append(element("bdi", name));
  return made;
}

const AREA = [[0.05, "a small spot"], [0.15, "one part of the picture"], [0.3, "a good part of the picture"],
  [1, "spread over the picture"]];
const SENTENCES = {
  energy_area: v => `Half of the heat lies on ${percent(v)} of the picture: ${AREA.find(([most]) => v <= most)[1]}. ` +
    "A map without any preference would need 50 %.",
  entropy: () => "How far the heat is spread: 0 if one pixel has all of it; the more pixels share it, the higher.",
  gini: v => `${v > 0.7 ? "Few places have nearly all the heat" : v > 0.4 ? "Some places have much more heat than others" :
    "The heat is much the same everywhere"}: 0 is the same everywhere, 1 all of it in one place.`,
  ties: v => v > 0.5 ? "Most pixels have the same value as others: which of them matters more, the map does not say." :
    "The share of pixels that have the same value as another: among them the map does not say which matters more.",
  complexity: v => `The map is ${v < 0.2 ? "dark but for a few places" : v < 0.5 ? "hot in parts" : "hot nearly everywhere"}: ` +
    "the mean of its values, of which the largest is 1."
};

const LIKENESS = [[0.95, "nearly the same map"], [0.7, "much the same places"], [0.3, "partly the same places"],
  [-0.3, "other places"], [-1, "the opposite places"]];

/* [name, value, sentence] of everything that is known of a map. */
function figuresOf(map, net, first) {
  const rows = [];
  if (map.target)
    rows.push(["Probability", percent(map.target.probability), sureness(map.target.probability, net)]);
  rows.push(...data.metrics.map(metric => [metric.title, measured(metric, map[metric.name]),
    map[metric.name] === null ? "This map has no such figure." :
      SENTENCES[metric.name] ? SENTENCES[metric.name](map[metric.name]) : capital(metric.summary) + "."]));
  if (map.kl !== null && !isNumber(net))
    rows.push(["KL divergence", number(map.kl, 4), "How far the network's answer is from " +
      `${data.truth ? data.truth + "'s" : "being certain of this class"}, in nats: 0 would be no difference.`]);
  if (map.likeness !== undefined && map.likeness !== null && net !== first)
    rows.push(["Likeness", number(map.likeness, 3), `Against the map of ${first.name}: ` +
      `${LIKENESS.find(([least]) => map.likeness >= least)[1]}. 1 is the same, 0 unrelated, -1 the opposite.`]);
  return rows;
}

function sureness(p, net) {
  const others = net.classes - 1;
  if (p === null) return "";
  if (net.scores === "sigmoid" && net.classes > 2)
    return "How sure the network is of this class by itself; it can be sure of several.";
  return `${p > 0.9 ? "The network is sure" : p > 0.5 ? "The network leans to this class" : p > 0.1 ? "The network is not sure" :
    "The network does not believe it"}: ${many(others, "other class shares", "other classes share")} the other ${percent(1 - p)}. ` +
    "It says how sure the network is, not how often it is right.";
}

/* What everyone who sees the map should know, a sentence each. */
function noticed(map) {
  const flat = map.flags.includes("flat"), reason = flag => flag === "flat" && map.remark ? ": " + map.remark : "";
  const say = flag => capital(data.sentences[flag]) + reason(flag) + ".";
  return (map.left_out ? ["No map: " + map.left_out + "."] : []).concat(map.flags.map(say),
    map.remark && !flat ? ["Note: " + map.remark + "."] : []);
}

/* The button of a target: the class that it stands for here, and what was asked. */
function targetWords(map, target) {
  const asked = /^top\d+$/.test(target) ? "top " + target.slice(3) : target === "expected" ? target : "";
  if (map.target) return [short(labelOf(map.target)), asked];
  if (map.question) return [map.question, ""];
  return [asked || target, map.left_out === "the network says what is expected" ? "as said" : ""];
}

const contra = v => Math.abs(v).toFixed(4) + (v < 0 ? " against" : " for");
function readingOf(map, v) {
  if (map.left_out !== undefined) return "no map";
  if (v === null) return "the network did not see this";
  return v.toFixed(4) + (map.signed ? `, where 0.5 is zero: ${contra(2 * v - 1)}` : "");
}

function recordOf(map, net, method, picture) {
  const rows = [["Network", net.model], ["Layer", net.layer], isNumber(net) ? ["Number", net.number] : ["Classes", net.classes],
    ["Scores", net.scores], ["Method", method.id], ["Picture", picture.entry.name], ["Size", `${picture.width} × ${picture.height}`]];
  if (map.target) rows.push(["Class", `${map.target.index}, ${labelOf(map.target)}`], ["Logit", number(map.target.logit, 6)]);
  else if (map.left_out === undefined) rows.push(["Value", number(map.value, 6)], ["Question", map.question]);
  if (map.left_out === undefined)
    rows.push(["Flags", map.flags.join(", ") || "none"], ["Map", `${map.width} × ${map.height}`], ["Time", number(map.ms, 3) + " ms"]);
  if (data.at) rows.push(["Place", `x ${data.at[0]}, y ${data.at[1]}`]);
  if (data.over) rows.push(["Region", data.over]);
  if (map.row !== undefined) rows.push(["Row", map.row]);
  if (map.box) rows.push(["Box", map.box.map(v => v.toFixed(1)).join(", ")]);
  return rows;
}
