#!/usr/bin/python3
"""Write unary_reference.h: values and derivatives of elementwise functions, by torch in float64."""
import torch
import torch.nn.functional as F

t = torch.float64
any_ = torch.tensor([-3.7, -1.3, -0.35, 0.2, 0.65, 1.7, 4.1], dtype=t)
positive = torch.tensor([0.05, 0.2, 0.65, 1.0, 1.7, 4.1, 30.0], dtype=t)
unit = torch.tensor([-0.97, -0.6, -0.1, 0.2, 0.45, 0.7, 0.9], dtype=t)
above = torch.tensor([1.05, 1.2, 1.7, 2.5, 4.1, 10.0, 300.0], dtype=t)

cases = [
    ("Relu", 14, "", any_, F.relu),
    ("LeakyRelu", 16, "", any_, lambda x: F.leaky_relu(x, 0.01)),
    ("LeakyRelu", 6, "alpha=-0.25f", any_, lambda x: F.leaky_relu(x, -0.25)),
    ("ThresholdedRelu", 10, "alpha=0.5f", any_, lambda x: F.threshold(x, 0.5, 0.0)),
    ("Elu", 6, "", any_, F.elu),
    ("Elu", 6, "alpha=2.5f", any_, lambda x: F.elu(x, 2.5)),
    ("Selu", 6, "", any_, F.selu),
    ("Celu", 12, "alpha=0.5f", any_, lambda x: F.celu(x, 0.5)),
    ("Shrink", 9, "", any_, F.hardshrink),
    ("Shrink", 9, "lambd=1.5f bias=1.5f", any_, lambda x: F.softshrink(x, 1.5)),
    ("Sigmoid", 13, "", any_, torch.sigmoid),
    ("HardSigmoid", 6, "", any_, lambda x: torch.clamp(0.2 * x + 0.5, 0, 1)),
    ("HardSigmoid", 6, "alpha=0.5f beta=0.25f", any_, lambda x: torch.clamp(0.5 * x + 0.25, 0, 1)),
    ("HardSwish", 14, "", any_, F.hardswish),
    ("Softplus", 1, "", any_, F.softplus),
    ("Softsign", 1, "", any_, F.softsign),
    ("Mish", 18, "", any_, F.mish),
    ("Gelu", 20, "", any_, F.gelu),
    ("Gelu", 20, "approximate='tanh'", any_, lambda x: F.gelu(x, approximate="tanh")),
    ("Erf", 13, "", any_, torch.erf),
    ("Exp", 13, "", any_, torch.exp),
    ("Log", 13, "", positive, torch.log),
    ("Sqrt", 13, "", positive, torch.sqrt),
    ("Abs", 13, "", any_, torch.abs),
    ("Neg", 13, "", any_, torch.neg),
    ("Reciprocal", 13, "", any_, torch.reciprocal),
    ("Sign", 13, "", any_, torch.sign),
    ("Floor", 13, "", any_, torch.floor),
    ("Ceil", 13, "", any_, torch.ceil),
    ("Round", 11, "", any_, torch.round),
    ("Sin", 7, "", any_, torch.sin),
    ("Cos", 7, "", any_, torch.cos),
    ("Tan", 7, "", unit, torch.tan),
    ("Asin", 7, "", unit, torch.asin),
    ("Acos", 7, "", unit, torch.acos),
    ("Atan", 7, "", any_, torch.atan),
    ("Sinh", 9, "", any_, torch.sinh),
    ("Cosh", 9, "", any_, torch.cosh),
    ("Tanh", 13, "", any_, torch.tanh),
    ("Asinh", 9, "", any_, torch.asinh),
    ("Acosh", 9, "", above, torch.acosh),
    ("Atanh", 9, "", unit, torch.atanh),
]

print("/* unary_reference.h - made by unary_reference.py with torch in float64. */")
print("static const struct unary_case {")
print("    const char *type;")
print("    int32_t opset;")
print("    const char *attributes;")
print("    double x[7], y[7], slope[7];")
print("} unary_cases[] = {")
for name, opset, attributes, points, f in cases:
    x = points.clone().requires_grad_(True)
    y = f(x)
    y.sum().backward()
    row = lambda v: "{" + ", ".join(f"{float(e):.10g}" for e in v) + "}"
    print(f'    {{"{name}", {opset}, "{attributes}",')
    print(f"     {row(points)},")
    print(f"     {row(y)},")
    print(f"     {row(x.grad)}}},")
print("};")
