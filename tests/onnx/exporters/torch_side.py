"""What the sections of torch share: seeded weights, the framework's gradient, the two exporters, small networks."""
import copy

import numpy
import torch

nn = torch.nn
VERSION = torch.__version__.split("+")[0]


def seeded(module):
    """Weights that let every part of the network count: what starts at 0 or near it is made random."""
    torch.manual_seed(1)
    with torch.no_grad():
        for p in module.parameters():
            if p.numel() > 0 and float(p.abs().max()) < 1e-3:
                p.normal_(0, 0.1)
        for name, b in module.named_buffers():
            if name.endswith("running_mean"):
                b.normal_(0, 0.1)
            if name.endswith("running_var"):
                b.uniform_(0.8, 1.2)
    return module.eval()


def gradient(module, x):
    """In float64."""
    def at_input(cotangent):
        double = copy.deepcopy(module).double()
        leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        scores = double(leaf)
        (scores.flatten() * torch.tensor(cotangent, dtype=torch.float64).flatten()).sum().backward()
        return scores.detach().numpy(), leaf.grad.numpy()
    return at_input


def single(module, x):
    """The gradient in float32."""
    def at_input(cotangent):
        leaf = torch.tensor(x, requires_grad=True)
        (module(leaf).flatten() * torch.tensor(cotangent, dtype=torch.float32).flatten()).sum().backward()
        return leaf.grad.numpy()
    return at_input


def along(module, x):
    """The slope in one direction, in float64."""
    def slope(cotangent, direction, step=1e-3):
        double = copy.deepcopy(module).double()
        with torch.no_grad():
            ends = [double(torch.tensor(x.astype(numpy.float64) + t * direction.reshape(x.shape))).numpy().flatten()
                    for t in (step, -step)]
        return float((ends[0] - ends[1]) @ cotangent / (2 * step))
    return slope


def export(module, x, path, opset, dynamo, **more):
    arguments = {"dynamo": True, "external_data": True, "verbose": False} if dynamo else {}
    if not dynamo and int(VERSION.split(".")[0]) >= 2:
        arguments = {"dynamo": False}
    torch.onnx.export(module, (torch.tensor(x),), str(path), opset_version=opset,
                      input_names=["image"], output_names=["scores"], **arguments, **more)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 32, 8, 8)
        self.block = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation="gelu", dropout=0)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.block(self.patch(x).flatten(2).transpose(1, 2)).mean(1))


class SeparateHeads(nn.Module):
    """Attention as most libraries write it out, with query, key and value by themselves; normalised behind each sum
    as in BERT.  Optimisers look for this form."""

    def __init__(self, width=32, heads=4):
        super().__init__()
        self.heads = heads
        self.patch = nn.Conv2d(3, width, 8, 8)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.wide, self.narrow, self.head = nn.Linear(width, 64), nn.Linear(64, width), nn.Linear(width, 10)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, x.shape[2] // self.heads).permute(0, 2, 1, 3)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        shares = torch.softmax(query @ key.transpose(-1, -2) / (query.shape[-1] ** 0.5), -1)
        joined = (shares @ value).permute(0, 2, 1, 3).contiguous().view(x.shape)
        x = self.first(self.out(joined) + x)
        x = self.second(self.narrow(nn.functional.gelu(self.wide(x))) + x)
        return self.head(x.mean(1))


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 8, 8)
        self.rnn = kind(16 * 8, 24, bidirectional=True, batch_first=True)
        self.head = nn.Linear(48, 10)

    def forward(self, x):
        rows = self.patch(x).permute(0, 2, 1, 3).flatten(2)
        return self.head(self.rnn(rows)[0].mean(1))


class Upsampled(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 12, 3, 2, 1), nn.ConvTranspose2d(12, 8, 2, 2)
        self.norm, self.head = nn.GroupNorm(2, 20), nn.Linear(20, 10)

    def forward(self, x):
        y = torch.relu(self.down(x))
        z = nn.functional.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.head(self.norm(torch.cat([z, self.up(y)], 1)).mean((2, 3)))


class Squeezed(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.norm, self.b = nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.Conv2d(24, 24, 1)
        self.c, self.head = nn.Conv2d(24, 24, 3, 1, 1, groups=24), nn.Linear(24, 10)

    def forward(self, x):
        y = nn.functional.hardswish(self.norm(self.a(x)))
        y = y * torch.sigmoid(self.b(y.mean((2, 3), keepdim=True)))
        return self.head(nn.functional.silu(self.c(y)).mean((2, 3)))


def small_networks():
    """name, network: families that exporters treat differently; small enough to look at.  Input [1][3][64][64]."""
    yield "plain convolutional", nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, 1, 1), nn.LeakyReLU(0.1), nn.AvgPool2d(2),
        nn.Conv2d(32, 32, 3), nn.PReLU(32), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 10))
    yield "squeeze and excitation", Squeezed()
    yield "upsampling, GroupNorm", Upsampled()
    yield "transformer encoder", Attention()
    yield "transformer of separate heads", SeparateHeads()
    yield "LSTM over rows", Recurrent(nn.LSTM)
    yield "GRU over rows", Recurrent(nn.GRU)


def torchvision_networks(names):
    """name, network of 20 classes, side of its picture; none where torchvision is missing or too old for one."""
    import torchvision
    models = torchvision.models
    for name in names:
        if name == "vision transformer of two blocks":
            module, side = models.VisionTransformer(224, 32, 2, 4, 128, 256, num_classes=20), 224
        elif not hasattr(models, name):
            continue
        else:
            more = {"aux_logits": False} if name in ("googlenet", "inception_v3") else {}
            more.update({"init_weights": False} if more else {})
            module, side = getattr(models, name)(num_classes=20, **more), 299 if name == "inception_v3" else 224
        yield name, module, side
