"""examples/hosts/libtorch: the map of a torch module by autograd is that of the engine on the .onnx file
of the same module."""
import os
import sys
import unittest

from hosts import PICTURES, SOURCE, Host, main, rows

sys.path.insert(0, os.path.join(SOURCE, "examples", "hosts", "libtorch"))
try:
    import torch
    import export
except ImportError:
    torch = None

SIZE = (3, 48, 40)


class Branches(torch.nn.Module if torch else object):
    """A residual and a pooled head, and a layer that is changed in place after it was tapped."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.second = torch.nn.Conv2d(8, 8, 3, padding=1)
        self.layer = torch.nn.BatchNorm2d(8)
        self.last = torch.nn.Linear(8, 5)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        x = self.layer(x + torch.relu(self.second(x)))
        return self.last(torch.sigmoid(x).mean((2, 3)))


def plain():
    nn = torch.nn
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1),
                         nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(48, 6))


@unittest.skipUnless(torch, "no torch for Python")
class Autograd(Host):
    def export(self, net, layer):
        torch.manual_seed(3)
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        example = torch.rand(1, *SIZE)
        torch.onnx.export(net.eval(), example, self.path("net.onnx"))
        export.script(net, layer, example, self.path("net.pt"))

    def against_engine(self, layer, methods):
        """`layer`: the same tensor in the .onnx file."""
        said = rows(self.good("net.pt", "x".join(map(str, SIZE)), PICTURES[1], "4", *methods))
        for method in methods:
            of_layer = [] if method == "saliency" else ["--layer", layer]
            expected = self.command_map("net.onnx", PICTURES[1], "--scale", str(1 / 255), "--method",
                                        method, "--target", "4", *of_layer)
            mine, said = said[:len(expected)], said[len(expected):]
            self.assertGreater(max(map(max, mine)), 0.99)
            self.assert_close(mine, expected, 1e-4)
        self.assertEqual(said, [])

    def test_plain(self):
        """Gradients at the layer and at the pixels."""
        self.export(plain(), "3")
        self.against_engine("/3/Relu_output_0", ["kl-dve", "grad-cam", "layer-cam", "saliency"])

    def test_branches(self):
        self.export(Branches(), "layer")
        self.against_engine("/layer/BatchNormalization_output_0", ["kl-dve", "grad-cam"])

    def test_failures_are_said(self):
        """What torch throws becomes one line."""
        self.export(plain(), "3")
        torch.jit.trace(plain().eval(), torch.rand(1, *SIZE)).save(self.path("single.pt"))
        for pattern, net, size, method in [("open: .*no.pt", "no.pt", "3x48x40", "cam"),
                                           ("open: .*zip", "net.onnx", "3x48x40", "cam"),
                                           ("open: ", "net.pt", "4x48x40", "cam"),
                                           ("open: .*pair", "single.pt", "3x48x40", "cam"),
                                           ("", "net.pt", "3x48x40", "guided-backprop")]:
            self.refused("libtorch: " + pattern, net, size, PICTURES[0], "0", method)
        self.refused("usage: ", "net.pt", "48x40", PICTURES[0], "0", "cam", status=2)


if __name__ == "__main__":
    main()
