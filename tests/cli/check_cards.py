#!/usr/bin/env python3
"""Ready cards against the packages that they are for, as far as these are installed.

Usage: check_cards.py FOLDER

torchvision: the transforms of the weights that a card names under "checked".  timm: the configuration of
the models.  Exits with 77 (skipped) if neither package is there.  timm comes from PyPI alone; to check
its cards too: python3 -m venv VENV && VENV/bin/pip install timm torchvision && VENV/bin/python3 check_cards.py cards
"""
import json
import math
import pathlib
import sys


def close(a, b):
    return len(a) == len(b) and all(math.isclose(x, y, abs_tol=1e-6) for x, y in zip(a, b))


def same(name, what, card, resize, crop, interpolation, mean, std):
    """Compare; returns whether they differ, after saying so."""
    found = {"resize": card.get("resize_shorter_side"), "crop": card.get("center_crop"),
             "interpolation": card["interpolation"]}
    wanted = {"resize": resize, "crop": crop, "interpolation": interpolation}
    if found == wanted and close(card["mean"], mean) and close(card["std"], std) \
            and math.isclose(card["scale"], 1 / 255, rel_tol=1e-6) and card["channels"] == "RGB":
        return False
    print(f"{name}: {found}, {card['mean']}, {card['std']}, but {what} has {wanted}, {mean}, {std}")
    return True


def torchvision_wrong(name, card, weights):
    from torchvision import models
    wrong = False
    for text in weights:
        net, version = text.split(".")
        t = getattr(getattr(models, net + "_Weights"), version).transforms()
        wrong |= same(name, text, card, t.resize_size[0], t.crop_size[0], t.interpolation.value, t.mean, t.std)
    return wrong


def timm_wrong(name, card, nets):
    from timm.models import get_pretrained_cfg
    wrong = False
    for net in nets:
        c = get_pretrained_cfg(net)
        size = c.input_size[1]
        wrong |= same(name, net, card, math.floor(size / c.crop_pct), size, c.interpolation, c.mean, c.std)
        wrong |= (c.crop_mode == "squash") != (card["resize"] == "squash")
    return wrong


def main():
    checks = {}
    for package, check in (("torchvision", torchvision_wrong), ("timm", timm_wrong)):
        try:
            __import__(package)
            checks[package] = check
        except ImportError as missing:
            print("not checked:", missing)
    if not checks:
        sys.exit(77)
    wrong = checked = 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.card.json")):
        card = json.loads(path.read_text())
        for package, names in card.get("checked", {}).items():
            if package in checks:
                checked += len(names)
                wrong += checks[package](path.name, card["input"], names)
    print(f"{checked} networks, {wrong} wrong")
    sys.exit(wrong > 0 or checked == 0)


main()
