#!/bin/sh
# compare.sh KLDVE NETWORK.onnx OUT PICTURE...: the same maps drawn by this library and by pytorch-grad-cam's default
# (show_cam_on_image, image_weight 0.5, jet), as two sheets OUT/ours.png and OUT/theirs.png, with figures.
#
# It makes a virtual environment of its own in OUT/venv from PyPI; show_cam_on_image needs neither torch nor a network, so
# grad-cam comes without the packages that it depends on.
set -eu

[ $# -ge 4 ] || { echo "usage: compare.sh KLDVE NETWORK.onnx OUT PICTURE..."; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
kldve=$1 network=$2 out=$3
shift 3
mkdir -p "$out/drawn"
if [ ! -x "$out/venv/bin/python" ]; then
    python3 -m venv "$out/venv"
    "$out/venv/bin/pip" install --quiet numpy pillow opencv-python-headless
    "$out/venv/bin/pip" install --quiet --no-deps grad-cam
fi
number=0
for picture; do
    name=$out/drawn/$(printf %02d $number)
    "$kldve" explain "$network" "$picture" -o "$name.ours.png" --map "$name.npy" --json "$name.json" --force --quiet
    cp "$picture" "$name.picture"
    number=$((number + 1))
done
"$out/venv/bin/python" "$here/sheets.py" "$out"
