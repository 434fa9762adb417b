"""Transformers and their relatives for zoo.py: torchvision's, small versions of the same classes, and an
image tower like CLIP's (Radford et al. 2021), which torchvision does not have."""
import torch
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.maxvit import MaxVit
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """Attention and a perceptron behind normalisations, both with a residual; the attention written out,
    with one matrix for queries, keys and values."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), QuickGelu(),
                                 nn.Linear(4 * width, width))

    def attention(self, x):
        n, tokens, width = x.shape
        size = width // self.heads
        qkv = self.qkv(x).reshape(n, tokens, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        weights = (qkv[0] @ qkv[1].transpose(-2, -1) * size ** -0.5).softmax(-1)
        return self.out((weights @ qkv[2]).transpose(1, 2).reshape(n, tokens, width))

    def forward(self, x):
        x = x + self.attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class ClipTower(nn.Module):
    """Patches, a class token, blocks, normalisation and projection of the class token; the scores are
    similarities to fixed embeddings of texts, times a temperature."""

    def __init__(self, side, patch, width, depth, heads, embedding, texts):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.token = nn.Parameter(torch.randn(width) * width ** -0.5)
        self.position = nn.Parameter(torch.randn((side // patch) ** 2 + 1, width) * width ** -0.5)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.projection = nn.Parameter(torch.randn(width, embedding) * width ** -0.5)
        self.register_buffer("texts", nn.functional.normalize(torch.randn(texts, embedding)))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], 1, -1), x], 1) + self.position
        x = self.ln_post(self.blocks(self.ln_pre(x))[:, 0]) @ self.projection
        return 100 * (x / x.norm(dim=-1, keepdim=True)) @ self.texts.t()


# Name: how to make it, and the side of its picture.
NETWORKS = {
    "clip_b_32": (lambda: ClipTower(224, 32, 768, 12, 12, 512, 20), 224),
    "small_vit": (lambda: VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=10), 64),
    "small_swin": (lambda: SwinTransformer([4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=10), 64),
    "small_maxvit": (lambda: MaxVit((64, 64), 8, 4, [16, 32], [1, 1], 8, 0.0, num_classes=10), 64),
    "small_convnext": (lambda: ConvNeXt([CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 1)],
                                        num_classes=10), 64),
    "small_clip": (lambda: ClipTower(64, 16, 32, 2, 2, 16, 10), 64),
}
SHORT = ["small_vit", "small_swin", "small_maxvit", "small_convnext", "small_clip"]
LONG = ["vit_b_16", "vit_b_32", "swin_t", "maxvit_t", "convnext_tiny", "clip_b_32"]
OPSETS = [13, 17]


def fill_zeros(network):
    """Heads, tokens and tables that are initialised with zeros would hide what is in front of them."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1 and not parameter.any():
                parameter.normal_(0, 0.1)
