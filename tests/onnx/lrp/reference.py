"""Layer-wise relevance propagation in torch, from the definitions, over the nodes of an ONNX file.

Written for the tests from the papers (Bach et al. 2015, Montavon et al. 2019) and the definitions of
zennit (Anders et al. 2021); shares nothing with the engine.  Every rule of a linear node is

    R_in = sum of T(x) * VJP_V(R / stabilise(sum of V T(x)))

over one or two pairs of a transformed input T(x) and transformed weights V.
"""
import os
import sys

import numpy
import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
from rectifier import Rectifier

EPSILON = 1e-6
MOVES = {"MaxPool", "GlobalMaxPool", "Transpose", "Slice", "Split", "Pad", "Concat", "Reshape",
         "Flatten", "Identity", "Dropout", "Squeeze", "Unsqueeze"}
ADDS = {"Add", "Sub", "Sum", "AveragePool", "GlobalAveragePool", "ReduceMean", "Resize"}
ACTIVATES = {"Relu", "LeakyRelu", "Sigmoid", "HardSigmoid", "Tanh", "Clip", "Elu", "LRN",
             "HardSwish", "Softplus", "PRelu"}
LINEAR = {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization"}


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def clamp(low, high):
    return lambda t: t.clamp(low, high)


def same(t):
    return t


def zero(t):
    return torch.zeros_like(t)


def stabilise(z):
    return z + EPSILON * torch.where(z < 0, -torch.ones_like(z), torch.ones_like(z))


UP, DOWN = clamp(0, None), clamp(None, 0)
# Groups of (T, V, V of the bias), with the share of the relevance that goes to each group.
RULES = {
    "epsilon": [(1, [(same, same, same)])],
    "zplus": [(1, [(UP, UP, UP), (DOWN, DOWN, zero)])],
    "alphabeta": [(2, [(UP, UP, UP), (DOWN, DOWN, zero)]),
                  (-1, [(UP, DOWN, DOWN), (DOWN, UP, zero)])],
    "flat": [(1, [(torch.ones_like, torch.ones_like, zero)])],
}


def pads_of(a, x):
    """In the order of torch: left, right, top, bottom."""
    pads = list(a.get("pads", [0] * 4))
    if a.get("auto_pad", b"NOTSET") == b"SAME_UPPER":
        for axis in range(2):
            stride, size = a.get("strides", [1, 1])[axis], x.shape[2 + axis]
            reach = (-(-size // stride) - 1) * stride + a["kernel_shape"][axis]
            pads[axis], pads[axis + 2] = max(reach - size, 0) // 2, -(-max(reach - size, 0) // 2)
    return [pads[1], pads[3], pads[0], pads[2]]


# By input, by gradient; skipping local response normalisation (Mahendran and Vedaldi 2016).
REVERSALS = {"gradient": (True, False, False), "guided": (True, True, False),
             "deconv": (False, True, True), "salient": (True, True, True)}


class Network:
    reversal = None  # of REVERSALS, while reverse() runs

    def __init__(self, path, dtype):
        self.model = onnx.load(path)
        self.dtype = dtype
        self.constants = {i.name: self.tensor(onnx.numpy_helper.to_array(i))
                          for i in self.model.graph.initializer}
        self.nodes = []
        for node in self.model.graph.node:
            if node.op_type == "Constant":
                value = onnx.numpy_helper.to_array(attributes(node)["value"])
                self.constants[node.output[0]] = self.tensor(value)
            else:
                self.nodes.append(node)
        for node in list(self.nodes):
            if all(i in self.constants for i in node.input if i):
                self.fold_constant(node)
        self.uses = {}
        for node in self.nodes:
            for name in node.input:
                self.uses[name] = self.uses.get(name, 0) + 1
        for output in self.model.graph.output:
            self.uses[output.name] = self.uses.get(output.name, 0) + 1
        if self.nodes[-1].op_type == "Softmax":
            self.nodes.pop()
        self.logits = self.nodes[-1].output[0]
        self.input = [i.name for i in self.model.graph.input if i.name not in self.constants][0]
        self.parameters = {}
        self.merge()

    def tensor(self, array):
        t = torch.from_numpy(numpy.array(array))
        return t.to(self.dtype) if t.is_floating_point() else t

    def fold_constant(self, node):
        result = self.apply(node, [self.constants[i] if i else None for i in node.input])
        self.constants[node.output[0]] = result
        self.nodes.remove(node)

    # Which constants belong to a linear node: the weights and the bias as [weights, bias].

    def linear_parameters(self, node):
        get = lambda i: self.constants[node.input[i]] if len(node.input) > i and node.input[i] else None
        a = attributes(node)
        if node.op_type in ("Conv", "ConvTranspose"):
            return [get(1), get(2)]
        if node.op_type == "Gemm":
            return [get(1) if a.get("transB") else get(1).T, get(2)]
        if node.op_type == "MatMul":
            return [get(1).T, None]
        scale, bias, mean, variance = (get(i) for i in range(1, 5))
        scale = scale / (variance + a.get("epsilon", 1e-5)).sqrt()
        return [scale, bias - mean * scale]

    def merge(self):
        """BatchNormalization and constant sums into the convolution or product before them."""
        maker = {}
        for node in list(self.nodes):
            before = maker.get(node.input[0])
            alone = before is not None and self.uses[node.input[0]] == 1
            if node.op_type in LINEAR and all(i in self.constants for i in list(node.input)[1:] if i):
                self.parameters[id(node)] = self.linear_parameters(node)
            constant = [i for i in node.input if i in self.constants]
            if alone and node.op_type == "BatchNormalization" and before.op_type == "Conv":
                scale, shift = self.parameters.pop(id(node))
                weights, bias = self.parameters[id(before)]
                shape = (-1,) + (1,) * (weights.dim() - 1)
                self.parameters[id(before)] = [weights * scale.view(shape),
                                               (0 if bias is None else bias * scale) + shift]
            elif (alone and node.op_type == "Add" and constant
                  and before.op_type in ("Conv", "MatMul")
                  and self.parameters[id(before)][1] is None):
                self.parameters[id(before)][1] = self.constants[constant[0]].flatten()
            else:
                maker[node.output[0]] = node
                continue
            self.nodes.remove(node)
            before.output[0] = node.output[0]
            maker[node.output[0]] = before

    # ---- forward

    def linear(self, node, x, weights, bias):
        a = attributes(node)
        if node.op_type == "Conv":
            return F.conv2d(F.pad(x, pads_of(a, x)), weights, bias, a.get("strides", 1), 0,
                            a.get("dilations", 1), a.get("group", 1))
        if node.op_type == "ConvTranspose":
            return F.conv_transpose2d(x, weights, bias, a.get("strides", 1), a["pads"][:2], 0,
                                      a.get("group", 1))
        if node.op_type in ("Gemm", "MatMul"):
            return F.linear(x, weights, bias)
        shape = (1, -1) + (1,) * (x.dim() - 2)
        return x * weights.view(shape) + bias.view(shape)

    def apply(self, node, x):
        a = attributes(node)
        op = node.op_type
        if id(node) in getattr(self, "parameters", {}):
            return self.linear(node, x[0], *self.parameters[id(node)])
        if op == "Relu" and self.reversal:
            return Rectifier.apply(x[0], *self.reversal[:2])
        simple = {"Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Identity": same,
                  "Softplus": F.softplus, "HardSwish": F.hardswish, "Dropout": same}
        if op in simple:
            return simple[op](x[0])
        if op == "LeakyRelu":
            return F.leaky_relu(x[0], a.get("alpha", 0.01))
        if op == "Elu":
            return F.elu(x[0], a.get("alpha", 1.0))
        if op == "HardSigmoid":
            return (x[0] * a.get("alpha", 0.2) + a.get("beta", 0.5)).clamp(0, 1)
        if op == "Clip":
            low = a.get("min", x[1] if len(x) > 1 else None)
            high = a.get("max", x[2] if len(x) > 2 else None)
            return x[0].clamp(None if low is None else float(low),
                              None if high is None else float(high))
        if op == "PRelu":
            return torch.where(x[0] < 0, x[0] * x[1], x[0])
        if op == "LRN":
            y = self.normalise(x[0], a)
            return x[0] + (y - x[0]).detach() if self.reversal and self.reversal[2] else y
        if op in ("Add", "Sub", "Mul", "Div"):
            return {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div}[op](*x)
        if op == "Sum":
            return sum(x)
        if op == "Concat":
            return torch.cat(x, a["axis"])
        if op == "GlobalAveragePool":
            return x[0].mean((2, 3), keepdim=True)
        if op == "GlobalMaxPool":
            return x[0].amax((2, 3), keepdim=True)
        if op == "ReduceMean":
            return x[0].mean(a["axes"], keepdim=bool(a.get("keepdims", 1)))
        if op == "MaxPool":
            return F.max_pool2d(F.pad(x[0], pads_of(a, x[0]), value=-numpy.inf), a["kernel_shape"],
                                a.get("strides", 1), ceil_mode=bool(a.get("ceil_mode", 0)))
        if op == "AveragePool":
            counted = torch.ones_like(x[0]) if not a.get("count_include_pad") else None
            sums = F.avg_pool2d(F.pad(x[0], pads_of(a, x[0])), a["kernel_shape"], a.get("strides", 1))
            if counted is None:
                return sums
            return sums / F.avg_pool2d(F.pad(counted, pads_of(a, counted)), a["kernel_shape"],
                                       a.get("strides", 1))
        if op == "Flatten":
            return x[0].flatten(a.get("axis", 1))
        if op == "Reshape":
            return x[0].reshape([x[0].shape[i] if n == 0 else n for i, n in enumerate(x[1].tolist())])
        if op == "Transpose":
            return x[0].permute(a["perm"])
        if op == "Slice":
            for start, end, axis in zip(*(t.tolist() for t in x[1:4])):
                x[0] = x[0].narrow(axis, start, min(end, x[0].shape[axis]) - start)
            return x[0]
        if op == "Split":
            return x[0].split(x[1].tolist() if len(x) > 1 else a["split"], a.get("axis", 0))
        if op == "Pad":
            return F.pad(x[0], [n for axis in (3, 2) for n in (int(x[1][axis]), int(x[1][axis + 4]))])
        if op == "Resize":
            mode = {"nearest": "nearest", "linear": "bilinear"}[a["mode"].decode()]
            return F.interpolate(x[0], scale_factor=float(x[2][2]), mode=mode,
                                 **({} if mode == "nearest" else {"align_corners": False}))
        raise NotImplementedError(op)

    @staticmethod
    def normalise(x, a):
        """Torch's windows of even size have their larger half before the channel, ONNX's after it."""
        size = a["size"]
        squares = F.pad(x * x, (0, 0, 0, 0, (size - 1) // 2, size // 2))
        sums = sum(squares[:, i:i + x.shape[1]] for i in range(size))
        return x * (a.get("bias", 1.0) + a.get("alpha", 1e-4) / size * sums) ** -a.get("beta", 0.75)

    def reverse(self, image, cotangent, rule):
        """Gradient at the input by one of REVERSALS."""
        image, self.reversal = image.to(self.dtype).requires_grad_(), REVERSALS[rule]
        logits = self.forward(image)
        self.reversal = None
        return torch.autograd.grad(logits, image, cotangent.to(self.dtype).reshape(logits.shape))[0]

    def forward(self, image):
        self.values = dict(self.constants)
        self.values[self.input] = image.to(self.dtype)
        for node in self.nodes:
            result = self.apply(node, [self.values[i] if i else None for i in node.input])
            results = result if isinstance(result, (tuple, list)) else [result]
            for name, value in zip(node.output, results):
                self.values[name] = value
        return self.values[self.logits]

    # ---- backward

    def find_deep(self):
        """Values after a convolution or dense layer."""
        deep = set()
        for node in self.nodes:
            layer = node.op_type in LINEAR - {"BatchNormalization"}
            if layer or any(i in deep for i in node.input):
                deep.update(node.output)
        return deep

    def rule_of(self, node, rule, deep):
        if rule != "composite":
            return rule
        if node.input[0] not in deep:
            return "pass" if node.op_type == "BatchNormalization" else "flat"
        return "epsilon" if node.op_type in ("Gemm", "MatMul") else "zplus"

    def through_linear(self, node, relevance, rule):
        x, (weights, bias) = self.values[node.input[0]], self.parameters[id(node)]
        if rule == "pass":
            return relevance
        total = torch.zeros_like(x)
        for factor, terms in RULES[rule]:
            inputs, outputs = [], []
            for of_x, of_weights, of_bias in terms:
                inputs.append(of_x(x).detach().requires_grad_())
                outputs.append(self.linear(node, inputs[-1], of_weights(weights),
                                           None if bias is None else of_bias(bias)))
            share = (factor * relevance / stabilise(sum(outputs))).detach()
            for t, z in zip(inputs, outputs):
                total += t.detach() * torch.autograd.grad(z, t, share)[0]
        return total

    def is_gate(self, name):
        node = self.maker.get(name)
        if node is None:
            return False
        if node.op_type in ("Sigmoid", "HardSigmoid"):
            return True
        if node.op_type in ("Mul", "Div", "Add") and node.input[1] in self.constants:
            return self.is_gate(node.input[0])
        return node.op_type == "Clip"

    def through(self, node, relevance, rule, deep):
        """Relevance of every output -> a list for every input, None for constants and gates."""
        op = node.op_type
        first = next(r for r in relevance if r is not None)
        varying = [i not in self.constants and bool(i) for i in node.input]
        if id(node) in self.parameters:
            got = self.through_linear(node, first, self.rule_of(node, rule, deep))
            return [got] + [None] * (len(node.input) - 1)
        # The engine merges a constant number into an activation, which passes all on.
        numbers = [i for i in node.input if i in self.constants and self.constants[i].numel() == 1]
        if op in ACTIVATES or (op in ("Add", "Sub", "Mul", "Div") and numbers):
            return [first if v else None for v in varying[:2]] if op not in ACTIVATES else [first]
        if op == "Mul":
            gates = [self.is_gate(i) or i in self.constants for i in node.input]
            if gates[0] == gates[1]:
                sizes = [self.values[i].numel() for i in node.input]
                gates = [sizes[0] < sizes[1], sizes[1] < sizes[0]]
            return [None if gate else first for gate in gates]
        inputs = [self.values[i].detach().clone().requires_grad_() if v else
                  (self.values[i] if i else None) for i, v in zip(node.input, varying)]
        asked = [t for t, v in zip(inputs, varying) if v]
        outputs = self.apply(node, list(inputs))
        outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
        if op in MOVES:
            cotangents = [torch.zeros_like(o) if r is None else r
                          for o, r in zip(outputs, relevance)]
            gradients = iter(torch.autograd.grad(outputs, asked, cotangents))
            return [next(gradients) if v else None for v in varying]
        if op in ADDS:
            share = (first / stabilise(outputs[0])).detach()
            gradients = iter(torch.autograd.grad(outputs, asked, share))
            return [t.detach() * next(gradients) if v else None for t, v in zip(inputs, varying)]
        raise NotImplementedError(op)

    def propagate(self, relevance, rule):
        """Relevance of the logits of the last forward pass -> of the input."""
        self.maker = {o: n for n in self.nodes for o in n.output}
        deep = self.find_deep()
        held = {self.logits: relevance.to(self.dtype).reshape(self.values[self.logits].shape)}
        for node in reversed(self.nodes):
            given = [held.get(o) for o in node.output]
            if all(r is None for r in given):
                continue
            for name, r in zip(node.input, self.through(node, given, rule, deep)):
                if r is not None:
                    held[name] = held[name] + r if name in held else r
        return held[self.input]

    def biases(self, image, cotangent):
        """Gradient at the input, and for each layer with a bias that times the gradient there."""
        image = image.to(self.dtype).requires_grad_()
        logits = self.forward(image)
        layers = [n for n in self.nodes if self.parameters.get(id(n), [0, None])[1] is not None]
        outputs = [self.values[n.output[0]] for n in layers]
        got = torch.autograd.grad(logits, [image] + outputs,
                                  cotangent.to(self.dtype).reshape(logits.shape))
        products = {}
        for node, gradient in zip(layers, got[1:]):
            bias = self.parameters[id(node)][1].flatten()
            axis = gradient.dim() - 1 if node.op_type in ("Gemm", "MatMul") else 1
            products[node.name] = (gradient.movedim(axis, -1) * bias).movedim(-1, axis)
        return got[0], products

    def full_grad(self, image, cotangent):
        """The map of Srinivas and Fleuret 2019 (Equation 5, psi and upsampling of section 4)."""
        gradient, products = self.biases(image, cotangent)

        def psi(v):
            v = v.abs()
            return (v - v.min()) / (v.max() - v.min() + EPSILON)

        total = psi(gradient * image).sum(1, keepdim=True)
        for product in products.values():
            if product.dim() == 4:
                total += F.interpolate(psi(product), image.shape[2:], mode="bilinear",
                                       align_corners=True).sum(1, keepdim=True)
        return total.detach()[0, 0]
