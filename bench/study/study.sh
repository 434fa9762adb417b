#!/bin/sh
# The study behind docs/evaluation.md: kldve evaluate on the networks and photographs of a folder of assets.
#
#     bench/study/study.sh KLDVE ASSETS FOLDER [short|full]
#
# KLDVE: the command; ASSETS: with models/, images/, labels/; FOLDER: gets one database for each part.  A part that is
# complete is skipped, one that was stopped goes on.  `short` is what docs/evaluation.md shows, 1 to 2 hours on two cores;
# `full` takes all photographs, all methods and all measures, some days.  Then: tables.py FOLDER
set -eu
kldve=$1 assets=$2 out=$3 form=${4:-short}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
/usr/bin/python3 "$here/lists.py" "$assets/images" "$out" "$form"
models=$assets/models
images=$assets/images

# measure NAME ARGUMENTS...: the part NAME; pictures that cannot be read are not fatal.
measure() {
    name=$1
    shift
    echo "== $name"
    "$kldve" evaluate "$@" --db "$out/$name.db" || test $? -eq 1
}

# with PREFIX WORD...: PREFIX before each word
with() {
    prefix=$1
    shift
    for word in "$@"; do
        printf '%s %s ' "$prefix" "$word"
    done
}

imagenet=$(for net in squeezenet_v1.0 squeezenet_v1.1 googlenet mobilenet_v1_1.0_224 mobilenet_v2_1.0_224; do
    printf -- '--model %s ' "$models/$net.onnx"
done)
cifar="--model $models/resnet20_cifar10.onnx --model $models/resnet56_cifar10.onnx"
readings='kl-dve:paper kl-dve:channel kl-dve:contrast kl-dve:rivals kl-dve:neighbours'
controls='lafam edges'
cheap="grad-cam $readings grad-cam++ layer-cam guided-kl-dve:neighbours guided-backprop lrp-composite random centre"
repeated='occlusion rise score-cam ablation-cam recipro-cam kernel-shap lime'
every="$("$kldve" methods | awk 'NF == 0 { exit } NR > 1 && $1 !~ /^(cam|rollout|grad-rollout|kl-dve|guided-kl-dve)$/ { print $1 }' | tr '\n' ' ')"
every="grad-cam $readings guided-kl-dve:contrast guided-kl-dve:neighbours $(echo " $every" | sed 's/ grad-cam / /')"
curves='insertion:steps=16 deletion:steps=16'
maps='entropy gini ties class_second class_median'
faithful="$curves average_drop increase adcc"

# shellcheck disable=SC2046,SC2086 # lists of words
main() {
    case $form in full) methods=$every ;; *) methods=$cheap ;; esac
    measure curves $imagenet "$out/photos.tsv" --pictures "$images" $(with --method $methods) $(with --metric $curves energy_area)
    measure maps $imagenet "$out/some.tsv" --pictures "$images" $(with --method $methods) $(with --metric average_drop increase adcc $maps)
    if [ "$form" = full ]; then
        measure slow $imagenet "$out/photos.tsv" --pictures "$images" $(with --method $methods) \
            $(with --metric road infidelity max_sensitivity pixel_flipping comprehensiveness sufficiency)
    fi
    measure random $imagenet "$out/some.tsv" --pictures "$images" $(with --method $cheap $controls) $(with --metric random_spearman random_spearman_abs random_ssim)
    measure objects $imagenet "$images/coco_free/annotations.json" --classes "$here/coco_imagenet.tsv" --ask label \
        $(with --method grad-cam $readings layer-cam guided-kl-dve:neighbours guided-backprop random centre) --metric localisation
    measure area $imagenet --model "$models/mobilenet_v1_0.25_128.onnx" "$out/true.tsv" --pictures "$images" \
        $(with --method grad-cam $readings) --metric energy_area
    measure mosaics $imagenet "$out/labelled.tsv" --pictures "$images" --mosaic 2 --ask label \
        $(with --method grad-cam $readings layer-cam guided-kl-dve:neighbours guided-backprop random centre) --metric localisation
    measure repeated --model "$models/mobilenet_v1_0.25_128.onnx" "$out/some.tsv" --pictures "$images" \
        $(with --method grad-cam kl-dve:contrast kl-dve:rivals kl-dve:neighbours $repeated random centre) $(with --metric $curves)
    case $form in full) methods="$every" measures="$faithful $maps energy_area" ;; *) methods="$cheap saliency eigen-cam" measures="$curves energy_area" ;; esac
    measure cifar $cifar "$out/cifar.tsv" --pictures "$images" $(with --method $methods) $(with --metric $measures)
    for layer in fire4/concat fire6/concat fire8/concat fire9/concat; do
        measure "layer-$(echo $layer | tr / -)" --model "$models/squeezenet_v1.1.onnx" --layer $layer "$out/some.tsv" --pictures "$images" \
            $(with --method grad-cam kl-dve:contrast kl-dve:neighbours) $(with --metric $curves energy_area)
    done
    for t in 0.25 0.5 2 4; do
        measure temperature-$t --model "$models/squeezenet_v1.1.onnx" --model "$models/googlenet.onnx" "$out/labelled.tsv" --pictures "$images" \
            --temperature $t --mosaic 2 --ask label $(with --method $readings) --metric energy_inside
    done
    for p in 3 10 30 300; do
        measure perplexity-$p --model "$models/squeezenet_v1.1.onnx" --model "$models/googlenet.onnx" "$out/labelled.tsv" --pictures "$images" \
            --neighbour-perplexity $p --mosaic 2 --ask label --method kl-dve:neighbours --metric energy_inside
    done
}
main
