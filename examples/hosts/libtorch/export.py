"""export.py - a torch module for the host in autograd.cpp: TorchScript whose result is a pair, the scores
and what the layer that is explained gave.  A hook keeps the layer's result while the module is traced.

    import export
    export.script(net.eval(), "features.12", torch.zeros(1, 3, 224, 224), "net.pt")
"""
import torch


class Tapped(torch.nn.Module):
    def __init__(self, net, layer):
        super().__init__()
        self.net, self.kept = net, []
        net.get_submodule(layer).register_forward_hook(lambda module, given, made: self.kept.append(made))

    def forward(self, pictures):
        self.kept.clear()
        scores = self.net(pictures)
        return scores, self.kept[-1]


def script(net, layer, example, path):
    """Write `net` with the module `layer` tapped, traced with the input `example`, to `path`."""
    for parameter in net.parameters():
        parameter.requires_grad_(False)  # only the input's gradient and the layer's are asked for
    torch.jit.trace(Tapped(net, layer), example).save(path)
