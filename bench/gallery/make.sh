#!/bin/sh
# All pictures of the pages that the command draws: README's two, the gallery, maps that mislead, views.
#
#     bench/gallery/make.sh BUILD
#
# BUILD is a build folder with the command and kldve-scenes.  Some minutes.  docs/pictures/layers.svg needs measurements:
# bench/gallery/layers_diagram.py.
set -eu
build=$1
cd "$(dirname "$0")/../.."
kldve=$build/tools/kldve
for class in cat boat; do
    "$kldve" explain demo/pictures/scene1.png --target $class -o docs/pictures/$class.jpg --quiet
done
export PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 bench/gallery/cases.py "$kldve" "$build/demo/kldve-scenes"
/usr/bin/python3 bench/gallery/gallery.py --kldve "$kldve"
