"""Move a network's units away from the kinks of its functions; see zoo.py for why.

A kink is where a function has no derivative: 0 of a ReLU, 0 and 6 of a ReLU6, -3 and 3 of
HardSigmoid and HardSwish, two equal maxima of a pooling window.  Each input channel of such a
function has an owner: the normalisation, convolution or matrix whose bias shifts only that channel
there.  Passes are float64, parameters stay float32 numbers.
"""
import numpy
import torch
from torch.overrides import TorchFunctionMode

KINKS = {"relu": (0.0,), "hardtanh": (0.0, 6.0), "hardsigmoid": (-3.0, 3.0),
         "hardswish": (-3.0, 3.0)}
# Other functions that networks may call; any further one might have kinks.
SMOOTH = {"adaptive_avg_pool2d", "add", "assert", "avg_pool2d", "batch_norm", "cat", "chunk",
          "contiguous", "conv2d", "dim", "div", "dropout", "einsum", "eq", "expand", "flatten", "gelu",
          "get", "getitem", "iadd", "interpolate", "layer_norm", "linear", "masked_fill", "matmul",
          "mean", "mul", "multi_head_attention_forward", "ne", "new_zeros", "norm", "pad", "permute",
          "randn", "reshape", "roll", "setitem", "sigmoid", "silu", "size", "softmax", "sub", "swapaxes",
          "t", "tanh", "transpose", "unsqueeze", "view"}
MAX_PASSES = 60


def margin_for(cells):
    """How far a channel of so many cells keeps from a kink, as a part of the tensor's largest value.
    Deep layers have few cells and therefore wide gaps, which they need because rounding grows."""
    return 1.5e-5 + 8e-3 / cells


def pool_margin_for(windows):
    """The same between the two largest of a window.  It is smaller: only luck widens that gap."""
    return 5.5e-6 + 8e-3 / windows


def plain_call(function, args, kwargs):
    """Name, function and arguments of the same function, not in place."""
    kwargs = dict(kwargs or {})
    if kwargs.get("inplace"):
        kwargs["inplace"] = False
    name = getattr(function, "__name__", "").strip("_")
    if getattr(function, "__name__", "").endswith("_") and hasattr(torch, name) \
            and not function.__name__.startswith("_"):
        function = getattr(torch, name)
    elif name == "iadd":
        function = torch.add
    return name, function, args, kwargs


class Again(Exception):
    """A filter was changed: what was computed after it is out of date."""


class Owner:
    """The parameters of channels [first, first + number of filters) of a tensor: `bias` shifts them and
    is None where it does more, `call` is the number of the call that used the weights."""

    def __init__(self, bias, weight, call, first=0):
        self.bias, self.weight, self.call, self.first = bias, weight, call, first


class Kinks(TorchFunctionMode):
    """With move: changes parameters until every unit is clear.  Without: notes in `near` how near
    they are, a list of (function, distance, largest input, input)."""

    def __init__(self, move):
        super().__init__()
        self.move = move
        self.owners = {}  # id of a tensor -> its owners
        self.alive = []   # so that ids stay unique
        self.near = []
        self.results = []  # of all calls: a new pass need not repeat those before the change
        self.calls = 0     # in this pass
        self.jitter = torch.Generator().manual_seed(7)

    def note(self, tensor, owners):
        if owners:
            self.owners[id(tensor)] = owners
            self.alive.append(tensor)

    def owners_of(self, tensor):
        return self.owners.get(id(tensor), [])

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.calls += 1
        if self.calls <= len(self.results):
            return self.results[self.calls - 1]
        result = self.compute(*plain_call(function, args, kwargs))
        if self.move:
            self.results.append(result)
        return result

    def compute(self, name, function, args, kwargs):
        if name in KINKS:
            args = (self.at_kinks(name, args[0]),) + tuple(args[1:])
        elif name == "max_pool2d":
            self.at_pool(*args, **kwargs)
        elif name not in SMOOTH:
            raise RuntimeError(f"{name}: has it kinks?")
        result = function(*args, **kwargs)
        if name in ("conv2d", "linear"):
            bias = args[2] if len(args) > 2 else kwargs.get("bias")
            self.note(result, [Owner(bias, args[1], self.calls)])
        elif name == "batch_norm":
            before = self.owners_of(args[0])
            weight, call = (before[0].weight, before[0].call) if len(before) == 1 else (None, None)
            bias = kwargs["bias"] if "bias" in kwargs else args[4]
            self.note(result, [Owner(bias, weight, call)])
        elif name in KINKS or name == "max_pool2d":  # after it a bias no longer just shifts
            self.note(result, [Owner(None, o.weight, o.call, o.first)
                               for o in self.owners_of(args[0])])
        elif name in ("add", "iadd"):
            both = map(self.owners_of, args[:2])
            self.note(result, next((o for o in both if len(o) == 1 and o[0].bias is not None), []))
        elif name == "cat":
            first, owners = 0, []
            for part in args[0]:
                owners += [Owner(None, o.weight, o.call, first + o.first)
                           for o in self.owners_of(part)]
                first += part.shape[1]
            self.note(result, owners)
        return result

    def at_kinks(self, name, x):
        """x, shifted if need be."""
        largest = float(x.abs().max())
        distance = min(float((x - kink).abs().min()) for kink in KINKS[name])
        self.near.append((name, distance, largest, x))
        owners = self.owners_of(x)
        if not self.move:
            return x
        if len(owners) != 1 or owners[0].bias is None:
            raise RuntimeError(f"{name} of {tuple(x.shape)}: no bias in front of it")
        bias = owners[0].bias
        channels = x.reshape(bias.numel(), -1)
        margin = margin_for(channels.shape[1]) * largest
        shift = torch.zeros(bias.numel(), dtype=torch.float64)
        bad = torch.stack([(channels - kink).abs().min(1).values for kink in KINKS[name]])
        for c in torch.nonzero(bad.min(0).values < margin).flatten().tolist():
            wanted = smallest_shift(channels[c].numpy(), KINKS[name], 1.2 * margin)
            shift[c] = float((bias[c] + wanted).float().double() - bias[c])
        bias += shift
        result = x + (shift.reshape(1, -1, 1, 1) if x.dim() == 4 else shift)
        self.alive.append(result)
        self.note(result, owners)
        return result

    def at_pool(self, x, size, stride=None, padding=0, dilation=1, ceil_mode=False, **_):
        """Jitter the filters of channels with a window whose maximum is in doubt."""
        stride = size if stride is None else stride
        # Windows of ceil_mode hang over the edge; one more than there are does no harm.
        after = padding + (stride if ceil_mode else 0)
        around = torch.nn.functional.pad(x, (padding, after, padding, after), value=-numpy.inf)
        windows = around[0].unfold(1, size, stride).unfold(2, size, stride).flatten(3)
        # Only two things are equal in float64: zeros after a ReLU, which passes nothing on, and the same
        # unit twice after another pooling.
        best = windows.amax(3)
        gap = best - windows.masked_fill(windows == best[..., None], -numpy.inf).amax(3)
        gap[torch.isinf(best)] = numpy.inf
        nearest = gap.flatten(1).min(1).values
        largest = float(x.abs().max())
        self.near.append(("max_pool2d", float(nearest.min()), largest, x))
        margin = pool_margin_for(best[0].numel()) * largest
        if not self.move or float(nearest.min()) >= margin:
            return
        owners = self.owners_of(x)
        for c in torch.nonzero(nearest < margin).flatten().tolist():
            owner = [o for o in owners if o.first <= c < o.first + o.weight.shape[0]][0]
            filters = owner.weight[c - owner.first]
            noise = torch.randn(filters.shape, generator=self.jitter, dtype=torch.float64)
            filters *= 1 + 0.05 * noise
            filters.copy_(filters.float().double())
            del self.results[owner.call - 1:]
        raise Again


def smallest_shift(values, kinks, margin):
    """The smallest s for which no value + s is within `margin` of a kink: s is at an end of one of
    the intervals (kink - value - margin, kink - value + margin), and inside none."""
    middle = numpy.sort(numpy.concatenate([kink - values for kink in kinks]))
    # The ends of gaps between neighbours that are wide enough; and beyond the first and the last.
    left, right = middle[:-1], middle[1:]
    wide = right - left > 2 * margin
    ends = numpy.concatenate([left[wide] + margin, right[wide] - margin,
                              [middle[0] - margin, middle[-1] + margin]])
    inside = (left[wide] + margin <= 0) & (right[wide] - margin >= 0)
    if inside.any():
        return 0.0
    return ends[numpy.abs(ends).argmin()]


def clear_kinks(network, image):
    """Change `network` (float64, parameters that are float32 numbers) so that no unit is near a kink
    when it sees `image`."""
    kinks = Kinks(move=True)
    with torch.no_grad():
        for passes in range(MAX_PASSES):
            kinks.calls = 0
            try:
                with kinks:
                    network(image)
                return passes
            except Again:
                pass
    raise RuntimeError(f"two equal maxima remain after {MAX_PASSES} passes")


def clearance(single, double, image):
    """How many times the largest difference between float32 and float64 the nearest unit is away
    from a kink: the smallest over all functions, and which."""
    passes = []
    for network, x in ((single, image), (double, image.double())):
        with Kinks(move=False) as kinks, torch.no_grad():
            network(x)
        passes.append(kinks.near)
    worst = (float("inf"), "smooth")
    for (_, _, _, x), (name, distance, _, y) in zip(*passes):
        rounding = float((x.double() - y).abs().max())
        # Between two values of a pooling window the difference counts twice.
        times = distance / max(rounding * (2 if name == "max_pool2d" else 1), 1e-300)
        worst = min(worst, (times, name))
    return worst
