"""lists.py IMAGES FOLDER short|full - the lists of photographs of the study, as kldve evaluate reads them.

photos.tsv     photographs of all folders; short: every fifth, so that each folder is there
some.tsv       a part of these for what takes long
labelled.tsv   photographs of ImageNet with their true class, for mosaics
true.tsv       all photographs of ImageNet with their true class
cifar.tsv      pictures of CIFAR-10 with their true class"""
import os
import sys

FOLDERS = ["coco_free", "coral", "imagenet_sample", "imagenet_val", "paper_objects"]
PICTURES = (".jpg", ".jpeg", ".png")
NOT_PHOTOGRAPHS = {"coral/dog_segmentation_mask.png"}


def write(folder, name, header, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        for row in [header, *rows]:
            file.write("\t".join(row) + "\n")


def true_classes(images):
    """(path, synset): of imagenet_sample in the name, of imagenet_val in its table"""
    for name in sorted(os.listdir(os.path.join(images, "imagenet_sample"))):
        yield "imagenet_sample/" + name, name.split("_")[0]
    with open(os.path.join(images, "imagenet_val", "labels_boxes.tsv"), encoding="utf-8") as file:
        table = [line.rstrip("\n").split("\t") for line in file]
    column = table[0].index("synset") if "synset" in table[0] else 1
    for row in sorted({(row[0], row[column]) for row in table[1:]}):
        yield "imagenet_val/" + row[0], row[1]


def main(images, folder, form):
    photos = [f"{part}/{name}" for part in FOLDERS for name in sorted(os.listdir(os.path.join(images, part)))
              if name.lower().endswith(PICTURES) and f"{part}/{name}" not in NOT_PHOTOGRAPHS]
    labelled = list(true_classes(images))
    cifar = [(f"small/{name}", name[:-4].split("_")[-1]) for name in sorted(os.listdir(os.path.join(images, "small")))
             if name.startswith("cifar10_")]
    full = form == "full"
    write(folder, "photos.tsv", ["path"], [[p] for p in (photos if full else photos[::5])])
    write(folder, "some.tsv", ["path"], [[p] for p in (photos if full else photos[2::10])])
    write(folder, "labelled.tsv", ["path", "label"], labelled if full else labelled[::2])
    write(folder, "true.tsv", ["path", "label"], labelled)
    write(folder, "cifar.tsv", ["path", "label"], cifar)


if __name__ == "__main__":
    main(*sys.argv[1:])
