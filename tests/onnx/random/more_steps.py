"""more_steps.py - further steps of a random network: conditions, integers, shapes, sequences, quantised and recurrent operators,
operators with places, and pieces that are repeated.  A method returns a value's name, or None where it does not fit."""
import numpy as np

FLOAT, UNSIGNED = 1, 12  # TensorProto.DataType


class More:
    """Of networks.Maker."""

    def scalar(self, value, dtype=np.float32):
        return self.constant(np.array(value, dtype))

    # ---- conditions and integers

    def compared(self, v, s):
        op = self.rng.choice(["Greater", "Less", "GreaterOrEqual", "LessOrEqual", "IsNaN", "IsInf", "Equal"])
        if op == "Equal":
            return self.add(op, [self.add("Sign", [v]), self.scalar(1)])
        return self.add(op, [v] if op[:2] == "Is" else [v, self.scalar(self.rng.uniform(-0.5, 0.5))])

    def condition(self, v, s):
        r = self.rng
        c = self.compared(v, s)
        if r.random() < 0.5:
            c = self.add(r.choice(["And", "Or", "Xor"]), [c, self.compared(v, s)])
        if r.random() < 0.3:
            c = self.add("Not", [c])
        if r.random() < 0.5:
            return self.add("Where", [c, v, self.other(v, s)])
        one = self.add("CastLike", [c, v]) if r.random() < 0.3 and self.allowed("CastLike") else self.add("Cast", [c], {"to": FLOAT})
        return self.add("Mul", [v, self.add("Add", [one, self.scalar(0.5)])])

    def integers(self, v, s):
        """Where the largest is, as a number that is added."""
        r, d = self.rng, self.rng.randrange(len(s))
        i = self.add(r.choice(["ArgMax", "ArgMin"]), [v], {"axis": d, "keepdims": 1})
        op = r.choice(["Add", "Mul", "Mod", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "BitShift", "OneHot", "Cast"])
        if not self.allowed(op):
            return None
        if op == "OneHot":
            return self.add(op, [i, self.whole_scalar(s[d]), self.constant(np.array([0.1, 0.9], np.float32))], {"axis": -1})
        if op == "BitShift":
            i = self.add(op, [self.add("Cast", [i], {"to": UNSIGNED}), self.scalar(1, np.uint32)], {"direction": r.choice(["LEFT", "RIGHT"])})
        elif op == "BitwiseNot":
            i = self.add(op, [i])
        elif op != "Cast":
            i = self.add(op, [i, self.whole_scalar(r.randint(1, 3))], {"fmod": 0} if op == "Mod" else {})
        return self.add("Add", [v, self.add("Mul", [self.add("Cast", [i], {"to": FLOAT}), self.scalar(0.1)])])

    def whole_scalar(self, value):
        return self.scalar(value, np.int64)

    def shapes(self, v, s):
        r = self.rng
        op = r.choice(["ConstantOfShape", "Size", *["EyeLike"] * 4 * (len(s) == 2), "Range", "HannWindow", "HammingWindow", "BlackmanWindow", "Mod", "Hardmax"])
        if not self.allowed(op):
            return None
        if op == "ConstantOfShape":
            return self.add("Add", [v, self.add(op, [self.add("Shape", [v])], {"value": np.array([0.25], np.float32)})])
        if op == "Size":
            return self.add("Div", [v, self.add("Log", [self.add("Cast", [self.add(op, [v])], {"to": FLOAT}, most=1e6)])])
        if op == "EyeLike":
            return self.add("Add", [v, self.add(op, [v], {"k": r.choice([0, 0, 1])})])
        if op == "Range":
            n = self.add("Cast", [self.add(op, [self.whole_scalar(0), self.whole_scalar(s[-1]), self.whole_scalar(1)])], {"to": FLOAT})
            return self.add("Add", [v, self.add("Mul", [n, self.scalar(0.1)])])
        if op == "Mod":
            return self.add(op, [v, self.scalar(r.uniform(0.5, 2))], {"fmod": 1})
        if op == "Hardmax":
            return self.add("Add", [v, self.add(op, [v], {"axis": -1})])
        if s[-1] < 3:
            return None
        window = self.add(op, [self.whole_scalar(s[-1])], {"periodic": r.randint(0, 1)})
        return self.add("Mul", [v, self.add("Add", [window, self.scalar(0.25)])])  # its ends are 0 but for rounding

    def sequence(self, v, s):
        r, d = self.rng, self.rng.randrange(len(s))
        if r.random() < 0.5:
            seq = self.add("SequenceConstruct", [v, self.add("Relu", [v])])
        elif s[d] > 1 and r.random() < 0.6:
            first = r.randint(1, s[d] - 1)
            seq = self.add("SplitToSequence", [v, self.whole(first, s[d] - first)], {"axis": d})
        else:
            seq = self.add("SequenceInsert", [self.add("SequenceEmpty", []), self.add("Neg", [v]), self.whole_scalar(0)])
        if r.random() < 0.3:
            seq = self.add("SequenceInsert", [seq, v, self.whole_scalar(0)])
        if r.random() < 0.2 and len(self.values[seq]) > 1:
            seq = self.add("SequenceErase", [seq, self.whole_scalar(0)])
        if r.random() < 0.4:
            return self.add("ConcatFromSequence", [seq], {"axis": d})
        if r.random() < 0.4:
            last = self.add("Sub", [self.add("SequenceLength", [seq]), self.whole_scalar(1)])
            return self.add("SequenceAt", [seq, last])
        return self.add("SequenceAt", [seq, self.whole_scalar(0)])

    # ---- quantised

    def scale_of(self, v):
        """A step that holds all but the largest numbers of `v`."""
        return np.float32(float(self.values[v].abs().max()) * self.rng.uniform(0.6, 1.1) / 127 + 1e-3)

    def zero(self, kind):
        return self.scalar(self.rng.randint(-9, 9) if kind == np.int8 else self.rng.randint(110, 140), kind)

    def levels_of(self, v, kind=None):
        """(quantised, scale, zero point), names."""
        kind = kind or self.rng.choice([np.int8, np.uint8])
        s, z = self.scalar(self.scale_of(v)), self.zero(kind)
        return self.add("QuantizeLinear", [v, s, z]), s, z

    def whole_weights(self, *shape):
        return self.constant(self.numbers.integers(-100, 101, shape).astype(np.int8))

    def quantised(self, v, s):
        """Levels lie on the kinks of other functions: a rectifier or a shift keeps them away."""
        y = self.of_levels(v, s)
        return y and (self.add("Relu", [y]) if self.rng.random() < 0.5 else self.add("Add", [y, self.scalar(self.rng.uniform(0.001, 0.01))]))

    def of_levels(self, v, s):
        r = self.rng
        op = r.choice(["QDQ", "QDQ", "QLinearMatMul", "MatMulInteger", "Dynamic"] + (["QLinearConv", "QLinearConv", "ConvInteger"] if len(s) == 4 else []))
        if float(self.values[v].abs().max()) < 1e-2:
            return None
        if op == "QDQ":
            if r.random() < 0.3 and len(s) > 1:
                d = r.randrange(len(s))
                many = self.constant((self.scale_of(v) * (0.7 + self.numbers.random(s[d]))).astype(np.float32))
                z = self.constant(self.numbers.integers(-5, 6, s[d]).astype(np.int8))
                return self.add("DequantizeLinear", [self.add("QuantizeLinear", [v, many, z], {"axis": d}), many, z], {"axis": d})
            return self.add("DequantizeLinear", list(self.levels_of(v)))
        if op in ("QLinearConv", "ConvInteger"):
            return self.integer_conv(op, v, s)
        if op == "Dynamic":
            q, scale, z = self.add("DynamicQuantizeLinear", [v], outputs=3)
            return self.integer_product(q, scale, z, s)
        q, scale, z = self.levels_of(v)
        if op == "MatMulInteger":
            return self.integer_product(q, scale, z, s)
        w, n = self.whole_weights(s[-1], r.randint(1, 8)), s[-1]
        ws, wz = self.scalar(0.01 / n ** 0.5), self.scalar(0, np.int8)
        ys, yz = self.scalar(r.uniform(0.005, 0.02) * float(self.values[v].abs().max())), self.zero(self.net.constants[z].dtype.type)
        return self.add("DequantizeLinear", [self.add(op, [q, scale, z, w, ws, wz, ys, yz]), ys, yz])

    def integer_product(self, q, scale, z, s):
        if len(s) < 2:
            return None
        y = self.add("MatMulInteger", [q, self.whole_weights(s[-1], self.rng.randint(1, 8)), z, self.scalar(0, np.int8)])
        y = self.add("Mul", [self.add("Cast", [y], {"to": FLOAT}, most=1e7), scale], most=1e5)
        return self.add("Mul", [y, self.scalar(0.01 / s[-1] ** 0.5)])

    def integer_conv(self, op, v, s):
        r, (c, h, w) = self.rng, s[1:]
        if s[0] != 1:
            return None
        out, k = r.randint(1, 6), [r.randint(1, min(3, h)), r.randint(1, min(3, w))]
        a = {"kernel_shape": k, "strides": [r.randint(1, 2)] * 2, "group": 1, "dilations": [1, 1], "pads": [r.randint(0, 1) if i > 1 else 0 for i in k * 2]}
        n = c * k[0] * k[1]
        q, scale, z = self.levels_of(v, np.uint8)
        if op == "ConvInteger":
            y = self.add(op, [q, self.whole_weights(out, c, *k), z, self.scalar(0, np.int8)], a)
            return self.add("Mul", [self.add("Cast", [y], {"to": FLOAT}, most=1e7), self.scalar(float(self.net.constants[scale]) * 0.01 / n ** 0.5)])
        ws = np.float32(0.01 / n ** 0.5) * (0.7 + self.numbers.random(out)).astype(np.float32) if r.random() < 0.5 else np.float32(0.01 / n ** 0.5)
        ys, yz = self.scalar(r.uniform(0.005, 0.02) * float(self.values[v].abs().max())), self.zero(np.uint8)
        wz = self.constant(np.zeros(np.shape(ws), np.int8))
        bias = self.constant(self.numbers.integers(-3000, 3000, out).astype(np.int32))
        return self.add("DequantizeLinear", [self.add(op, [q, scale, z, self.whole_weights(out, c, *k), self.constant(ws), wz, ys, yz, bias], a), ys, yz])

    # ---- recurrent

    def recurrent(self, v, s):
        r = self.rng
        if len(s) != 3 or s[0] > 12 or s[1] > 12:
            return None
        op, n, way = r.choice(["LSTM", "GRU", "RNN"]), r.randint(1, 5), r.choice(["forward", "reverse", "bidirectional"])
        gates, two = {"LSTM": 4, "GRU": 3, "RNN": 1}[op], 2 if way == "bidirectional" else 1
        a = {"hidden_size": n, "direction": way}
        if op == "GRU":
            a["linear_before_reset"] = r.randint(0, 1)
        names = self.add(op, [v, self.weights(two, gates * n, s[2], scale=s[2] ** -0.5), self.weights(two, gates * n, n, scale=n ** -0.5),
                              self.weights(two, 2 * gates * n)], a, outputs=3 if op == "LSTM" else 2)
        return r.choice(names)

    # ---- places

    def places(self, v, s):
        r, d = self.rng, self.rng.randrange(len(s))
        op = r.choice(["TopK", "Split", "GatherElements", "GatherND", "ScatterElements", "ScatterND", "Compress", "CenterCropPad", "Dropout",
                       "ReverseSequence", "Det", *["DFT"] * 6 * (len(s) < 4), "RMSNormalization", "SimplifiedLayerNormalization", "Swish", "Affine", "ParametricSoftplus",
                       "ScaledTanh", "Attention"])
        if not self.allowed(op):
            return None
        if op == "TopK":
            return self.add(op, [v, self.whole(r.randint(1, s[d]))], {"axis": d, "largest": r.randint(0, 1)}, outputs=2)[0]
        if op == "Split":
            first = r.randint(1, s[d] - 1)
            a, b = self.add(op, [v, self.whole(first, s[d] - first)], {"axis": d}, outputs=2)
            return self.add("Concat", [b, a, b], {"axis": d}) if r.random() < 0.7 else b
        if op in ("GatherElements", "ScatterElements"):
            t = [r.randint(1, k) for k in s]
            if op[0] == "G":
                return self.add(op, [v, self.constant(self.numbers.integers(0, s[d], t))], {"axis": d})
            a = {"axis": d, **self.reduction()}
            if a.get("reduction") != "add":
                t[d] = 1  # no place twice
            return self.add(op, [v, self.constant(self.numbers.integers(0, s[d], t)), self.weights(*t)], a)
        if op in ("GatherND", "ScatterND"):
            n = r.randint(1, len(s))
            places = np.unique(np.stack([self.numbers.integers(0, k, 4) for k in s[:n]], -1), axis=0)
            if op[0] == "G":
                return self.add(op, [v, self.constant(places)])
            return self.add(op, [v, self.constant(places), self.weights(len(places), *s[n:])], self.reduction())
        if op == "Compress":
            kept = self.numbers.random(s[d]) < 0.6
            return self.add(op, [v, self.constant(kept)], {"axis": d}) if kept.any() else None
        if op == "CenterCropPad":
            return self.add(op, [v, self.whole(r.randint(1, s[d] + 3))], {"axes": [d]})
        if op == "Dropout":
            return self.add(op, [v, self.scalar(0.5), self.constant(np.array(False))])
        if op == "ReverseSequence":
            return self.add(op, [v, self.whole(*(r.randint(1, s[0]) for _ in range(s[1])))], {"time_axis": 0, "batch_axis": 1}) if len(s) > 1 else None
        if op == "Det":
            return self.add(op, [v]) if len(s) > 2 and s[-1] == s[-2] < 5 else None
        if op == "DFT":
            wide = self.add("Unsqueeze", [v, self.whole(len(s))])
            inputs = [wide] + (["", self.whole_scalar(d)] if self.net.opset >= 20 else [])
            if len(s) > 3 or d == 0:
                return None
            y = self.add(op, inputs, {"dim": d, "onesided": r.randint(0, 1)}, most=1e4)
            return y and self.add("MatMul", [y, self.weights(2, 1, scale=0.5 / s[d] ** 0.5)])  # some parts are 0 but for rounding
        if op == "Attention":
            if len(s) != 4 or s[0] != 1:
                return None
            key, width = r.randint(1, 6), r.randint(1, 5)
            return self.add(op, [v, self.weights(1, s[1], key, s[3]), self.weights(1, s[1], key, width)], {"is_causal": r.randint(0, 1)})
        if "LayerNorm" in op or op == "RMSNormalization":
            return self.add(op, [v, self.weights(s[-1])], {"axis": -1, "epsilon": 1e-5}) if s[-1] > 1 else None
        return self.add(op, [v], {"alpha": r.uniform(0.3, 1.5), **({} if op == "Swish" else {"beta": r.uniform(-1, 1)})})

    def reduction(self):
        return {"reduction": self.rng.choice(["none", "add"])} if self.net.opset >= 16 else {}

    def picture(self, v, s):
        """Of a plane: sampled, resized, pooled and put back."""
        r, (c, h, w) = self.rng, s[1:]
        op = r.choice(["GridSample", "AffineGrid", "Resize", "MaxUnpool", "LpPool", "GlobalLpPool", "Col2Im", "ImageScaler"])
        if s[0] != 1 or not self.allowed(op):
            return None
        if op in ("GridSample", "AffineGrid"):
            if not self.allowed("GridSample"):
                return None
            a = {"align_corners": r.randint(0, 1)}
            if op[0] == "A":
                theta = (np.array([[[1, 0, 0], [0, 1, 0]]]) + self.numbers.normal(0, 0.2, (1, 2, 3))).astype(np.float32)
                grid = self.add(op, [self.constant(theta), self.whole(1, c, r.randint(2, 6), r.randint(2, 6))], a)
            else:
                grid = self.weights(1, r.randint(1, 5), r.randint(1, 5), 2, scale=0.6)
            mode = r.choice(["linear", "cubic"] if self.net.opset >= 20 else ["bilinear", "bicubic"])
            return self.add("GridSample", [v, grid], {**a, "mode": mode, "padding_mode": r.choice(["zeros", "border", "reflection"])})
        if op == "Resize":
            mode = r.choice(["nearest", "linear"])
            a = {"mode": mode, "coordinate_transformation_mode": "asymmetric" if mode == "nearest" else "half_pixel", "nearest_mode": "floor"}
            return self.add(op, [v, "", self.constant(np.array([1, 1, 2, 2], np.float32))], a)
        if op == "MaxUnpool":
            if h < 2 or w < 2 or h % 2 or w % 2:
                return None
            a = {"kernel_shape": [2, 2], "strides": [2, 2]}
            y, places = self.add("MaxPoolPlaces", [v], a, outputs=2)
            return self.add(op, [self.add("Tanh", [y]), places], {**a, "out": [h, w]})
        if op == "LpPool":
            k = [r.randint(1, min(3, h)), r.randint(1, min(3, w))]
            return self.add(op, [v], {"kernel_shape": k, "strides": [r.randint(1, 2)] * 2, "p": r.choice([1, 2, 3])})
        if op == "GlobalLpPool":
            return self.add(op, [v], {"p": r.choice([1, 2, 3])})
        if op == "Col2Im":
            rows = self.add("Reshape", [v, self.whole(1, c, h * w)])
            blocks = [(i, j) for i in range(1, c + 1) if c % i == 0 for j in range(1, h * w + 1) if h * w % j == 0 and i < 7]
            i, j = r.choice(blocks)
            return self.add(op, [rows, self.whole(i + j - 1, h * w // j), self.whole(i, 1)]) if c % i == 0 else None
        return self.add(op, [v], {"scale": r.uniform(0.5, 1.5), "bias": [r.uniform(-1, 1) for _ in range(c)]})

    # ---- pieces that are repeated

    def repeat(self, v, s):
        """The same one or two nodes, two or three times: written as a Loop, too (spellings.py)."""
        r = self.rng
        body = [r.choice(["Tanh", "Sigmoid", "Sin", "Softsign", "Mul", "Add"]) for _ in range(r.randint(1, 2))]
        numbers = [self.weights(*s[-1:]) if op in ("Mul", "Add") else None for op in body]
        rounds, first = r.randint(2, 3), None
        for _ in range(rounds):
            for op, c in zip(body, numbers):
                v = self.add(op, [v] if c is None else [v, c])
                if v is None:
                    return None
                first = first or v
        self.net.loops.append((first, len(body), rounds))
        return v
