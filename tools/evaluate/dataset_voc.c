/* dataset_voc.c - PASCAL VOC: an XML file for each picture, as ImageNet has them, too.
 *
 *     DIR/Annotations/NAME.xml      DIR/JPEGImages/NAME.jpg      DIR/SegmentationObject/NAME.png
 *     DIR/ImageSets/Main/SET.txt    lines that begin with NAME
 *
 * DATASET is DIR, the folder of the XML files, which may have folders in it, or a SET.txt.  Boxes
 * count pixels from 1, xmax and ymax the last ones inside.  A mask numbers the objects of a picture
 * in the order of the XML, by the colours of VOC. */
#include "dataset_parts.h"
#include "dataset_voc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { MOST_XML = 16 << 20 /* bytes of one file */ };

typedef struct voc {
    dataset *d;
    const char *annotations, *pictures; /* folders */
    const char *masks;                  /* NULL: there is none */
    dataset_box_checks boxes;
    dataset_tally broken, lost, empty;
} voc;

/* The colour of a number in masks of VOC, as dataset_piece has it: bit 0, 1, 2 of each group of
 * three bits are bits of red, green and blue, the lowest group the highest bits. */
static int32_t colour_of(int32_t number)
{
    int32_t rgb[3] = {0, 0, 0};

    for (int32_t bit = 7; number > 0; number >>= 3, bit--)
        for (int32_t i = 0; i < 3; i++)
            rgb[i] |= (number >> i & 1) << bit;
    return rgb[0] + 256 * rgb[1] + 65536 * rgb[2];
}

/* The picture that belongs to NAME.xml: PICTURES/NAME with a usual ending, else what the file says.
 * `name` is relative, without its ending.  "": there is none; NULL after a message. */
static const char *picture_of(const voc *v, const char *name, const char *said)
{
    static const char *const endings[] = {".jpg", ".JPEG", ".jpeg", ".png", ".JPG", ".PNG"};
    char text[MESSAGE_SIZE];
    const char *path;

    for (int i = 0; i < 6; i++) {
        snprintf(text, sizeof text, "%s%s", name, endings[i]);
        path = dataset_join(v->d, v->pictures, text);
        if (!path || access(path, F_OK) == 0)
            return path ? path + strlen(v->pictures) + 1 : NULL;
    }
    /* A path from the root would be one of another machine. */
    path = *said && *said != '/' ? dataset_join(v->d, v->pictures, said) : "";
    if (!path || !*path || access(path, F_OK) != 0)
        return path ? "" : NULL;
    return path + strlen(v->pictures) + 1;
}

static const char *mask_of(const voc *v, const char *name)
{
    char text[MESSAGE_SIZE];
    const char *path;

    if (!v->masks)
        return "";
    snprintf(text, sizeof text, "%.*s.png", MESSAGE_SIZE - 8, name);
    path = dataset_join(v->d, v->masks, text);
    return !path || access(path, F_OK) == 0 ? path : "";
}

static bool add_objects(voc *v, const dataset_voc_file *file, int32_t photo, const char *mask)
{
    bool ok = true;

    for (int32_t i = 0; ok && i < file->objects; i++) {
        const dataset_voc_object *o = &file->object[i];
        const char *label = dataset_label(v->d, o->name, strlen(o->name));
        dataset_piece box = {.kind = DATASET_BOX};
        dataset_piece of_mask = {.kind = DATASET_MASK, .colour = colour_of(i + 1), .at.mask = mask};
        bool good;

        memcpy(box.at.edge, o->edge, sizeof box.at.edge);
        box.at.edge[0] = box.at.edge[0] < 1 ? box.at.edge[0] : box.at.edge[0] - 1;
        box.at.edge[1] = box.at.edge[1] < 1 ? box.at.edge[1] : box.at.edge[1] - 1;
        good = dataset_box_is_good(&v->boxes, &v->d->photo[photo], box.at.edge);
        ok = label && ((!good && !*mask) || dataset_add(v->d, photo, label, good ? &box : NULL,
                                                        *mask ? &of_mask : NULL));
    }
    return ok;
}

/* `name` is that of an XML file, relative and without its ending. */
static bool add_file(voc *v, const char *name, const dataset_voc_file *file)
{
    dataset *d = v->d;
    dataset_photo photo = {.width = file->width, .height = file->height};
    const char *picture = picture_of(v, name, file->filename), *mask = mask_of(v, name);
    int32_t number;

    if (!picture || !mask)
        return false;
    if (*picture == '\0' || file->objects == 0) {
        dataset_tally_add(*picture ? &v->empty : &v->lost, name);
        return true;
    }
    photo.path = dataset_join(d, v->pictures, picture);
    photo.key = dataset_key(d, picture);
    number = photo.path && photo.key ? dataset_add_photo(d, &photo) : -1;
    return number >= 0 && add_objects(v, file, number, mask);
}

/* `path` is that of an XML file below the folder of annotations. */
static bool read_one(void *opaque, const char *path)
{
    voc *v = opaque;
    char name[MESSAGE_SIZE - 8], why[LABEL_SIZE], text[MESSAGE_SIZE + LABEL_SIZE];
    dataset_voc_file file;
    bool ok = true;

    snprintf(name, sizeof name, "%s", path + strlen(v->annotations) + 1);
    if (strrchr(name, '.'))
        *strrchr(name, '.') = '\0';
    if (dataset_voc_read(path, MOST_XML, &file, why)) {
        ok = add_file(v, name, &file);
    } else {
        snprintf(text, sizeof text, "%s (%s)", name, why);
        dataset_tally_add(&v->broken, text);
    }
    free(file.object);
    return ok;
}

/* Every line of ImageSets begins with a name; those of one class have 1, 0 or -1 behind it, and -1
 * says that the class is not in the picture. */
static bool read_set(voc *v, const char *path)
{
    size_t nbytes;
    char *text = dataset_read_file(path, DATASET_FILE_MAX, &nbytes), *rest = text;
    bool ok = text != NULL;

    while (ok && rest && *rest) {
        char *line = rest, name[MESSAGE_SIZE];
        const char *xml;
        size_t n;

        rest = strchr(line, '\n');
        if (rest)
            *rest++ = '\0';
        n = strcspn(line, " \t\r");
        if (*line == '/')
            dataset_tally_add(&v->broken, line);
        if (n == 0 || *line == '/' || strstr(line + n, "-1"))
            continue;
        snprintf(name, sizeof name, "%.*s.xml", n < LABEL_SIZE ? (int)n : LABEL_SIZE, line);
        xml = dataset_join(v->d, v->annotations, name);
        ok = xml && read_one(v, xml);
    }
    free(text);
    return ok;
}

static bool note(const voc *v)
{
    return dataset_tally_note(v->d, &v->broken, "file is no annotation of VOC and is left out",
                              "files are no annotations of VOC and are left out") &&
           dataset_tally_note(v->d, &v->lost, "annotation has no picture and is left out",
                              "annotations have no picture and are left out") &&
           dataset_tally_note(v->d, &v->empty, "annotation names no object",
                              "annotations name no object") &&
           dataset_box_note(v->d, &v->boxes);
}

/* Find the folders from that of the data set, or from DIR/ImageSets/Main of a set. */
static bool find_folders(voc *v, bool is_set)
{
    dataset *d = v->d;
    const char *top = is_set ? dataset_folder_of(d, d->name) : d->name, *folder;

    if (top && is_set)
        top = dataset_join(d, top, "../..");
    folder = top ? dataset_join(d, top, "Annotations") : NULL;
    if (!folder)
        return false;
    v->annotations = dataset_is_folder(folder) ? folder : d->name;
    if (is_set && v->annotations == d->name) {
        complain("%s: there is no folder ../../Annotations beside it", d->name);
        return false;
    }
    if (v->annotations == d->name)
        top = dataset_join(d, d->name, "..");
    folder = top ? dataset_join(d, top, "JPEGImages") : NULL;
    if (!folder)
        return false;
    v->pictures = d->args.pictures            ? d->args.pictures
                  : dataset_is_folder(folder) ? folder
                                              : v->annotations;
    folder = dataset_join(d, top, "SegmentationObject");
    v->masks = d->args.masks ? d->args.masks : folder && dataset_is_folder(folder) ? folder : NULL;
    return folder != NULL;
}

bool dataset_open_voc(dataset *d)
{
    static const char *const sets[] = {".txt", NULL}, *const xml[] = {".xml", NULL};
    bool is_set = path_has_ending(d->name, sets);
    voc v = {.d = d};

    if (!dataset_voc_available()) {
        complain("%s: this build reads no XML: build with expat", d->name);
        return false;
    }
    if (!find_folders(&v, is_set))
        return false;
    return (is_set ? read_set(&v, d->name) : dataset_walk(v.annotations, xml, read_one, &v)) &&
           note(&v);
}
