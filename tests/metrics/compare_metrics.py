#!/usr/bin/env python3
"""Metrics of faithfulness against their formulas in numpy, on networks that are Python functions.

    compare_metrics.py LIBKLDVE

The network is a host's backend with callbacks; the formulas below run the same function.  They take from the
library the map at the size of the input and nothing else.  The random numbers of the library are written here
once more (SplitMix64), so that draws and the order of equal pixels are the same."""
import math
import os
import sys
import unittest

try:
    import cffi
    import numpy as np
    import pycparser  # pylint: disable=unused-import
except ImportError as lacking:
    print("skipped:", lacking)
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "examples", "python"))
import make_cdef  # pylint: disable=wrong-import-position

FFI = cffi.FFI()
FFI.cdef(make_cdef.cdef())
PATCH, MASK = 4, (1 << 64) - 1
SOFTMAX, SIGMOID, NUMBER = 0, 1, 3
RANK, INDEX, SET, VERSUS = range(4)
ZERO, BLUR, MEAN, BLACK, WHITE = 1, 2, 3, 4, 5
AT, ROW, BEST = 1, 3, 4


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


# ---- the networks ----------------------------------------------------------------------------------


class Network:
    """x = relu(W1 . means of 4 x 4 pixels), logits = W2 . mean over cells of x^2; of a detector a W2 for each row."""

    def __init__(self, seed, channels=2, height=24, width=20, maps=4, classes=5, scores=SOFTMAX, frames=1, rows=0,
                 places=False):
        random = np.random.RandomState(seed)
        self.size, self.maps, self.classes, self.scores = (channels, height, width), maps, classes, scores
        self.frames, self.rows, self.row, self.passes = frames, rows, 0, 0
        self.places, self.cell = places, (0, 0)
        self.prepare = (lambda pixel: pixel / 64 - 2) if places else (lambda pixel: pixel)
        self.first = random.normal(size=(maps, channels))
        self.last = 3 * random.normal(size=(max(rows, 1), classes, maps))
        self.input = random.normal(size=self.size).astype(np.float32)

    def features(self, x):
        c, h, w = self.size
        means = x.astype(np.float64).reshape(c, h // PATCH, PATCH, w // PATCH, PATCH).mean((2, 4))
        return np.maximum(np.einsum("mc,chw->mhw", self.first, means), 0)

    def pooled(self, features):
        return features[:, self.cell[0], self.cell[1]] ** 2 if self.places else (features ** 2).mean((1, 2))

    def logits(self, x, row=None):
        """What the library sees: float32, one score as two."""
        k = self.last[self.row if row is None else row] @ self.pooled(self.features(x))
        k = k.astype(np.float32)
        return np.append(k, np.float32(0)) if self.classes == 1 else k

    def probabilities(self, k):
        k = k.astype(np.float64)
        if self.classes > 1 and self.scores == SIGMOID:
            return 0.5 + np.tanh(k / 2) / 2
        e = np.exp(k - k.max())
        return e / e.sum()


class Backend:
    """A kldve_backend of a Network."""

    def __init__(self, net):
        self.net, self.kept = net, []
        self.table = FFI.new("kldve_backend *")
        self.table.struct_size = FFI.sizeof("kldve_backend")
        self.table.name = self.keep(FFI.new("char[]", b"numpy"))
        slots = ["open", "shape", "forward", "close", "vjp"] + (["pick"] if net.rows or net.places else [])
        for slot in slots:
            kind = FFI.typeof(getattr(self.table, slot))
            setattr(self.table, slot, self.keep(FFI.callback(kind, getattr(self, slot))))

    def keep(self, made):
        self.kept.append(made)
        return made

    def open(self, _ctx, _config, state):
        state[0] = self.keep(FFI.new("int *"))
        return 0

    def close(self, state):
        pass

    def shape(self, _state, out):
        net = self.net
        out.in_channels, out.in_height, out.in_width = net.size
        out.classes, out.maps, out.scores = net.classes, net.maps, net.scores
        out.height, out.width = net.size[1] // PATCH, net.size[2] // PATCH
        out.in_frames = out.frames = net.frames if net.frames > 1 else 0
        out.picks = 2 if net.rows else int(net.places)

    def read(self, pointer):
        return np.frombuffer(FFI.buffer(pointer, 4 * self.net.input.size), np.float32).reshape(self.net.size)

    def write(self, pointer, values):
        FFI.buffer(pointer, 4 * values.size)[:] = values.astype(np.float32).tobytes()

    def forward(self, _state, given, logits, features):
        x = self.read(given)
        self.net.passes += 1
        self.last_features = self.net.features(x)
        self.write(logits, self.net.logits(x)[:self.net.classes])
        self.write(features, self.last_features)
        return 0

    def vjp(self, _state, cotangent, gradient):
        t = np.frombuffer(FFI.buffer(cotangent, 4 * self.net.classes), np.float32).astype(np.float64)
        x = self.last_features
        share = np.full(x[0].shape, 0 if self.net.places else 1 / x[0].size)
        if self.net.places:
            share[self.net.cell] = 1
        self.write(gradient, 2 * (t @ self.net.last[self.net.row])[:, None, None] * x * share)
        return 0

    def pick(self, _state, pick, logits):
        if self.net.places:
            _, height, width = self.last_features.shape
            self.net.cell = int(pick.y * height), int(pick.x * width)
        mean = self.net.pooled(self.last_features)
        if pick.kind == BEST:
            pick.row = int(np.argmax((self.net.last @ mean).max(1)))
        self.net.row = pick.row
        self.write(logits, self.net.last[pick.row] @ mean)
        return 0


class Measured:
    """A map of the network's input, and metrics of it."""

    def __init__(self, library, net, sign=1, **options):
        self.library, self.net, self.backend = library, net, Backend(net)
        ctx, made = FFI.new("kldve_ctx **"), FFI.new("kldve_explainer **")
        self.ok(library.kldve_ctx_new(FFI.NULL, ctx))
        self.ctx = ctx[0]
        self.ok(library.kldve_explainer_new(self.ctx, self.backend.table, FFI.NULL, made))
        self.explainer = made[0]
        self.method = FFI.new("char[]", b"grad-cam")
        self.targets = FFI.new("int32_t[]", options.get("targets", [0]))
        if "targets" in options:
            options.update(targets=self.targets, target_count=len(options["targets"]))
        self.options = FFI.new("kldve_options *", dict(options, method=self.method, sign=sign,
                                                       struct_size=FFI.sizeof("kldve_options")))
        self.map = self.explain_noise() if net.places else self.explain(net.input)
        self.input = FFI.new("float[]", net.input.ravel().tolist())
        self.record = self.record_of(self.map)
        self.target_kind, self.again = self.options.target_kind, FFI.new("kldve_options *", self.options[0])
        if self.target_kind == RANK:  # another input is explained for the same class
            self.again.target_kind, self.again.target = INDEX, self.record.target
        if net.places:  # pixels of the input in place of those of the picture
            self.again.pick_x, self.again.pick_y = self.options.pick_x // 2, self.options.pick_y // 2
        if net.rows:
            self.again.pick, self.again.pick_row = ROW, self.record.row

    def close(self):
        self.library.kldve_heatmap_free(self.map)
        self.library.kldve_explainer_free(self.explainer)
        self.library.kldve_ctx_free(self.ctx)

    def message(self):
        return FFI.string(self.library.kldve_ctx_message(self.ctx)).decode()

    def ok(self, status):
        if status:
            raise AssertionError(f"status {status}: {self.message()}")

    def explain_noise(self):
        """The map of a picture of twice the size of the input, which becomes that of the network."""
        channels, height, width = self.net.size
        picture, out = FFI.new("kldve_image **"), FFI.new("kldve_heatmap **")
        self.ok(self.library.kldve_image_new(self.ctx, 2 * width, 2 * height, picture))
        pixels = np.random.RandomState(3).randint(0, 256, 12 * height * width).astype(np.uint8)
        FFI.buffer(self.library.kldve_image_edit(picture[0]), pixels.size)[:] = pixels.tobytes()
        spec = FFI.new("kldve_input_spec *", {"struct_size": FFI.sizeof("kldve_input_spec"), "scale": 1 / 64})
        spec.mean = [2] * 3
        self.ok(self.library.kldve_explainer_set_input(self.explainer, spec))
        given = FFI.new("float[]", channels * height * width)
        self.ok(self.library.kldve_explainer_input(self.explainer, picture[0], given))
        self.net.input = np.frombuffer(FFI.buffer(given), np.float32).reshape(self.net.size).copy()
        self.ok(self.library.kldve_explain(self.explainer, picture[0], self.options, out))
        self.library.kldve_image_free(picture[0])
        return out[0]

    def explain(self, x):
        out, values = FFI.new("kldve_heatmap **"), FFI.new("float[]", x.ravel().tolist())
        options = self.again if hasattr(self, "again") else self.options
        self.ok(self.library.kldve_explain_input(self.explainer, values, options, out))
        return out[0]

    def record_of(self, made):
        record = FFI.new("kldve_record *", {"struct_size": FFI.sizeof("kldve_record")})
        self.ok(self.library.kldve_heatmap_record(made, record))
        return record

    def drawn(self, made=None):
        """The map at the size of the input, around 0 where it has signs."""
        _, height, width = self.net.size
        values = FFI.new("float[]", height * width)
        made = made or self.map
        self.ok(self.library.kldve_heatmap_upsample(self.ctx, made, width, height, 0, values))
        values = np.frombuffer(FFI.buffer(values), np.float32).copy()
        return values - np.float32(0.5) if self.record.sign == 2 else values

    def raw(self, made=None):
        """The map at the size of the input in the unit of the method."""
        record = self.record_of(made or self.map)
        low, high = record.low, record.high
        shift = 0.5 if record.sign == 2 else 0
        return low + (self.drawn(made).astype(np.float64) + shift) * (high - low)

    def metric(self, name, **options):
        options = FFI.new("kldve_metric_options *", dict(options, struct_size=FFI.sizeof("kldve_metric_options")))
        subject = FFI.new("kldve_metric_subject *", {
            "struct_size": FFI.sizeof("kldve_metric_subject"), "explainer": self.explainer, "input": self.input,
            "explained_with": self.options, "options": options})
        value = FFI.new("double *")
        self.ok(self.library.kldve_metric_compute(self.ctx, self.map, name.encode(), subject, value))
        return value[0]

    def score(self, x, kind="probability"):
        """What is explained, of another input."""
        net, o = self.net, self.options
        k, target = net.logits(x), self.record.target
        if net.classes == 1 and (kind == "logit" or net.scores == NUMBER):
            return float(k[target]) - float(k[1 - target])
        values = k.astype(np.float64) if kind == "logit" else net.probabilities(k)
        if o.target_kind == SET:
            chosen = values[list(self.targets)]
            return chosen.mean() if kind == "logit" else \
                1 - np.prod(1 - chosen) if net.scores == SIGMOID else chosen.sum()
        return values[target] - (values[o.rival] if o.target_kind == VERSUS else 0)


# ---- the library's random numbers ----------------------------------------------------------------------


class Random:
    STEP = 0x9e3779b97f4a7c15

    def __init__(self, seed, stream):
        self.state = self.mix((self.mix((seed + self.STEP) & MASK) + stream) & MASK)

    @staticmethod
    def mix(x):
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 & MASK
        x = (x ^ x >> 27) * 0x94d049bb133111eb & MASK
        return x ^ x >> 31

    def uniform(self):
        self.state = (self.state + self.STEP) & MASK
        return (self.mix(self.state) >> 11) * 2.0 ** -53

    def normal(self):
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())


def order_of(values, seed):
    """Falling, equal ones in the one random order."""
    random, order = Random(seed, 0), list(range(len(values)))
    for i in range(len(order) - 1, 0, -1):
        j = int(random.uniform() * (i + 1))
        order[i], order[j] = order[j], order[i]
    return np.array(sorted(order, key=lambda i: -values[i]))  # sorted() keeps the order of equal ones


# ---- the formulas ----------------------------------------------------------------------------------------


def blur_matrix(count):
    """One direction of RISE's blur: the kernel that scipy's gaussian_filter() makes of a one in 11 places."""
    weights = np.exp(-np.arange(-20, 21) ** 2 / 50.0)
    weights /= weights.sum()
    padded = np.pad(np.eye(11), ((0, 0), (20, 20)), mode="symmetric")
    kernel = [sum(weights[j] * padded[5][i + j] for j in range(41)) for i in range(11)]
    return np.array([[kernel[j - i + 5] if abs(j - i) <= 5 else 0 for j in range(count)] for i in range(count)])


def baseline(net, kind):
    x = net.input.astype(np.float64)
    if kind == BLUR:
        channels, height, width = net.size
        x = x.reshape(channels * net.frames, height // net.frames, width)
        return (blur_matrix(height // net.frames) @ x @ blur_matrix(width).T).reshape(net.size)
    level = x.mean((1, 2), keepdims=True) if kind == MEAN else \
        {ZERO: 0, BLACK: net.prepare(0), WHITE: net.prepare(255)}[kind]
    return np.zeros(net.size) + level


def mixed(start, end, order, count):
    """The first `count` pixels of the order from `end`, the rest from `start`."""
    x = np.array(start, np.float32).reshape(len(start), -1)
    x[:, order[:count]] = np.array(end, np.float32).reshape(len(end), -1)[:, order[:count]]
    return x.reshape(start.shape)


def curve(m, start, end, order, steps, part=1.0, kind="probability"):
    count = max(1, math.ceil(part * len(order)))
    each = math.ceil(count / steps)
    return np.array([m.score(mixed(start, end, order, min(k * each, count)), kind)
                     for k in range(math.ceil(count / each) + 1)])


def area(scores):
    return (scores.sum() - scores[0] / 2 - scores[-1] / 2) / (len(scores) - 1)


def mask_of(evidence):
    mask = np.maximum(evidence.astype(np.float64), 0)
    return mask / mask.max() if mask.max() > 0 else mask


def seen(m, kind):
    b = baseline(m.net, kind)
    return (b + mask_of(m.drawn()).reshape(m.net.size[1:]) * (m.net.input - b)).astype(np.float32)


def drop(m, kind=ZERO):
    before, after = m.score(m.net.input), m.score(seen(m, kind))
    return max(0, before - after) / before


def adcc(m, kind=ZERO):
    made = m.explain(seen(m, kind))
    own, other = mask_of(m.drawn()), mask_of(m.drawn(made))
    m.library.kldve_heatmap_free(made)
    coherency = (1 + np.corrcoef(own, other)[0, 1]) / 2
    parts = [coherency, 1 - own.mean(), 1 - drop(m, kind)]
    return coherency, own.mean(), 3 / sum(1 / p for p in parts) if min(parts) > 0 else 0


def imputed(x, removed):
    """The system of ROAD, dense."""
    channels, height, width = x.shape
    index = {p: i for i, p in enumerate(np.flatnonzero(removed))}
    left, right = np.zeros((len(index), len(index))), np.zeros((len(index), channels))
    for p, i in index.items():
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                y, at = p // width + dy, p % width + dx
                if (dy, dx) == (0, 0) or not (0 <= y < height and 0 <= at < width):
                    continue
                weight = 1 / 12 if dy and dx else 1 / 6
                left[i, i] += weight
                if y * width + at in index:
                    left[i, index[y * width + at]] -= weight
                else:
                    right[i] += weight * x[:, y, at]
    out = x.astype(np.float64).reshape(channels, -1)
    out[:, list(index)] = np.linalg.solve(left, right).T
    return out


def road(m, most_first, seed=0, noise=0.01):
    order, scores = order_of(m.drawn(), seed), []
    for tenth in range(1, 10):
        count, removed = len(order) * tenth // 10, np.zeros(len(order), bool)
        removed[order[:count] if most_first else order[len(order) - count:]] = True
        random = Random(seed, tenth)
        x = imputed(m.net.input, removed)
        for channel in x:
            channel[removed] += [noise * random.normal() for _ in range(count)]
        scores.append(m.score(x.reshape(m.net.size).astype(np.float32)))
    return np.mean(scores)


def noisy(m, samples, seed, draw):
    for i in range(samples):
        random = Random(seed, i)
        noise = np.array([draw(random) for _ in range(m.net.input.size)]).reshape(m.net.size)
        yield (m.net.input + noise).astype(np.float32)


def infidelity(m, samples=10, seed=0, noise=0.003, normalise=False):
    phi = m.raw().reshape(m.net.size[1:])
    products, falls = [], []
    for x in noisy(m, samples, seed, lambda r: -noise * r.normal()):
        products.append(((m.net.input.astype(np.float64) - x) * phi).sum())
        falls.append(m.score(m.net.input, "logit") - m.score(x, "logit"))
    products, falls = np.array(products), np.array(falls)
    if normalise:
        products = products * (products * falls).mean() / (products ** 2).mean()
    return ((products - falls) ** 2).mean()


def max_sensitivity(m, samples=10, seed=0, noise=0.02):
    own, most = m.raw(), 0
    for x in noisy(m, samples, seed, lambda r: noise * (2 * r.uniform() - 1)):
        made = m.explain(x)
        most = max(most, np.linalg.norm(m.raw(made) - own))
        m.library.kldve_heatmap_free(made)
    return most / (np.linalg.norm(own) or 1)


# ---- the tests -------------------------------------------------------------------------------------------

CASES = {
    "a class": lambda: (Network(1), {}),
    "the second class": lambda: (Network(1), {"target": 1}),
    "another temperature": lambda: (Network(2), {"temperature": 4}),
    "with signs": lambda: (Network(3), {"sign": 2}),
    "distances from zero": lambda: (Network(3), {"sign": 3}),
    "a set": lambda: (Network(15), {"target_kind": SET, "targets": [1, 3]}),
    "a set of independent classes": lambda: (Network(15, scores=SIGMOID), {"target_kind": SET, "targets": [1, 3]}),
    "one class against another": lambda: (Network(5), {"target_kind": VERSUS, "target": 2, "rival": 4}),
    "independent classes": lambda: (Network(6, scores=SIGMOID), {"target_kind": INDEX, "target": 3}),
    "one score": lambda: (Network(7, classes=1, scores=SIGMOID), {}),
    "one score, no": lambda: (Network(7, classes=1, scores=SIGMOID), {"target_kind": INDEX, "target": 1, "sign": 2}),
    "one number": lambda: (Network(8, classes=1, scores=NUMBER), {"sign": 2}),
    "colours": lambda: (Network(12, channels=3), {}),
    "a film": lambda: (Network(9, channels=3, height=48, frames=2), {}),
    "a row": lambda: (Network(10, rows=4), {"pick": ROW, "pick_row": 2}),
    "a place": lambda: (Network(16, channels=3, places=True), {"pick": AT, "pick_x": 30, "pick_y": 9}),
    "the best row": lambda: (Network(10, rows=4), {"pick": BEST}),
}


class Formulas(unittest.TestCase):
    library = None

    def close(self, name, got, want, tolerance=2e-5):
        if math.isnan(want):
            self.assertTrue(math.isnan(got), f"{self.case}, {name}: {got}, not NaN")
        else:
            self.assertLessEqual(abs(got - want), tolerance * max(1, abs(want)),
                                 f"{self.case}, {name}: {got}, not {want}")

    def each(self, names=None):
        for name in names or CASES:
            net, options = CASES[name]()
            m = Measured(self.library, net, **{"sign": 1, **options})
            self.case = name
            yield m
            m.close()

    def test_curves(self):
        for m in self.each():
            order, other, x = order_of(m.drawn(), 0), order_of(m.drawn(), 5), m.net.input
            zero, blur = baseline(m.net, ZERO), baseline(m.net, BLUR)
            self.close("deletion", m.metric("deletion"), area(curve(m, x, zero, order, 224)))
            self.close("insertion", m.metric("insertion"), area(curve(m, blur, x, order, 224)))
            self.close("deletion, 7", m.metric("deletion", steps=7, seed=5), area(curve(m, x, zero, other, 7)))
            flips = curve(m, x, zero, order, 100, kind="logit")
            self.close("pixel_flipping", m.metric("pixel_flipping"), (flips[0] - flips).mean())
            flips = curve(m, x, zero, order, 9, 0.157, "logit")
            self.close("pixel_flipping, part", m.metric("pixel_flipping", steps=9, part=0.157),
                       (flips[0] - flips).mean())

    def test_baselines(self):
        for m in self.each(["colours", "a film", "a place"]):
            order, x = order_of(m.drawn(), 0), m.net.input
            for kind in ZERO, BLUR, MEAN, BLACK, WHITE:
                base = baseline(m.net, kind)
                self.close(f"deletion {kind}", m.metric("deletion", steps=5, baseline=kind),
                           area(curve(m, x, base, order, 5)))
                self.close(f"insertion {kind}", m.metric("insertion", steps=5, baseline=kind),
                           area(curve(m, base, x, order, 5)))

    def test_parts(self):
        for m in self.each():
            order, x, zero = order_of(m.drawn(), 0), m.net.input, baseline(m.net, ZERO)
            counts = [math.ceil(q * len(order) / 100) for q in (1, 5, 10, 20, 50)]
            whole = m.score(x)
            self.close("comprehensiveness", m.metric("comprehensiveness"),
                       np.mean([whole - m.score(mixed(x, zero, order, n)) for n in counts]))
            self.close("sufficiency", m.metric("sufficiency"),
                       np.mean([whole - m.score(mixed(zero, x, order, n)) for n in counts]))
            values = m.drawn()
            self.close("ties", m.metric("ties"), np.mean([(values == v).sum() > 1 for v in values]))

    def test_masked(self):
        for m in self.each():
            probability = m.net.scores != NUMBER and m.target_kind != VERSUS
            coherency, complexity, mean = adcc(m)
            self.close("average_drop", m.metric("average_drop"), drop(m) if probability else math.nan)
            self.close("average_drop, white", m.metric("average_drop", baseline=WHITE),
                       drop(m, WHITE) if probability else math.nan)
            self.close("increase", m.metric("increase"), m.score(seen(m, ZERO)) > m.score(m.net.input))
            self.close("coherency", m.metric("coherency"), coherency)
            self.close("complexity", m.metric("complexity"), complexity)
            self.close("adcc", m.metric("adcc"), mean if probability else math.nan)

    def test_draws(self):
        for m in self.each(["a class", "with signs", "one score", "the best row", "a place"]):
            # The difference of two logits in float32 has few digits: a larger change has more.
            self.close("infidelity", m.metric("infidelity", noise=0.5), infidelity(m, noise=0.5), 1e-3)
            self.close("infidelity, scaled", m.metric("infidelity", noise=0.5, normalise=1, seed=3, samples=4),
                       infidelity(m, 4, 3, 0.5, True), 1e-3)
            self.close("infidelity, small", m.metric("infidelity"), infidelity(m), 1e-4)
            self.close("max_sensitivity", m.metric("max_sensitivity"), max_sensitivity(m))
            self.close("max_sensitivity, 3", m.metric("max_sensitivity", samples=3, seed=9, noise=0.2),
                       max_sensitivity(m, 3, 9, 0.2))

    def test_road(self):
        for m in self.each(["a class", "with signs", "one score", "a row", "colours"]):
            try:
                combined = m.metric("road")
            except AssertionError as refused:
                self.assertRegex(str(refused), "status -5: metric road: this libkldve was built without a sparse solver")
                continue
            most, least = road(m, True), road(m, False)
            self.close("road", combined, (least - most) / 2)
            self.close("road_morf", m.metric("road_morf"), most)
            self.close("road_lerf", m.metric("road_lerf", seed=4, noise=0.3), road(m, False, 4, 0.3))
        for m in self.each(["a film"]):
            with self.assertRaisesRegex(AssertionError, "status -5: .*(films|solver)"):
                m.metric("road")

    def test_passes(self):
        """docs/metrics.md says how many passes a metric takes."""
        for m in self.each(["a class"]):
            # 480 pixels: 160 steps of 3, or 96 of 5
            for name, passes in {"deletion": 161, "pixel_flipping": 97, "comprehensiveness": 6, "average_drop": 2,
                                 "infidelity": 11, "max_sensitivity": 10, "adcc": 3, "ties": 0}.items():
                m.net.passes = 0
                m.metric(name)
                self.assertEqual(m.net.passes, passes, name)


class Properties(unittest.TestCase):
    library = None

    def flat(self):
        """A network whose features are zero: every map is flat, and nothing changes the scores."""
        net = Network(1)
        net.first[:] = 0
        return Measured(self.library, net)

    def test_flat(self):
        m = self.flat()
        self.assertTrue(m.record.flags & 1)
        for name, want in {"ties": 1, "deletion": 0.2, "insertion": 0.2, "pixel_flipping": 0, "comprehensiveness": 0,
                           "sufficiency": 0, "average_drop": 0, "increase": 0, "complexity": 0, "infidelity": 0,
                           "max_sensitivity": 0}.items():
            self.assertAlmostEqual(m.metric(name), want, places=6, msg=name)
        for name in "coherency", "adcc":
            self.assertTrue(math.isnan(m.metric(name)), name)
        m.close()

    def test_no_probability(self):
        """A class whose probability is 0 in float64 can lose nothing."""
        net = Network(1)
        net.last[0][0] -= 1e5
        m = Measured(self.library, net, target_kind=INDEX, target=0)
        self.assertEqual(m.score(net.input), 0)
        self.assertTrue(math.isnan(m.metric("average_drop")) and math.isnan(m.metric("adcc")))
        self.assertEqual(m.metric("deletion", steps=2, baseline=MEAN), 0)
        m.close()

    def test_not_a_number(self):
        """A NaN in the input that the network returns is refused, by the name of the call."""
        m = Measured(self.library, Network(1))
        m.input[3] = math.nan
        for name in "deletion", "average_drop", "infidelity", "max_sensitivity":
            with self.assertRaisesRegex(AssertionError, "status -7: explain: number of the input|status -7: numpy: forward|status -7: numpy: logit"):
                m.metric(name)
        m.close()

    def test_good_maps_are_better(self):
        """The map of the class is better than the reverse of it, in every metric that orders pixels."""
        net = Network(11)
        net.last = np.abs(net.last)
        net.last[0][1:] *= -1
        m, reverse = (Measured(self.library, net, sign=sign, target_kind=INDEX, target=0) for sign in (2, 2))
        values, count = FFI.new("float **"), FFI.new("int32_t *")
        m.ok(self.library.kldve_heatmap_values(reverse.map, FFI.cast("const float **", values), count))
        for i in range(count[0]):
            values[0][i] = 1 - values[0][i]
        for name in "deletion", "sufficiency":
            self.assertLess(m.metric(name), reverse.metric(name), name)
        for name in "insertion", "comprehensiveness", "pixel_flipping":
            self.assertGreater(m.metric(name), reverse.metric(name), name)
        m.close()
        reverse.close()


if __name__ == "__main__":
    Formulas.library = Properties.library = FFI.dlopen(sys.argv.pop(1))
    unittest.main(verbosity=0)
