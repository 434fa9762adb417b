/* dataset_coco_folders.c - where the pictures and masks lie that the JSON of COCO names.
 *
 * Unless the user says it, they are looked for where COCO and others put them:
 *
 *     annotations/instances_val2017.json       val2017/NAME.jpg
 *     annotations/panoptic_val2017.json        annotations/panoptic_val2017/NAME.png
 *     annotations.json                         NAME.jpg or images/NAME.jpg, panoptic/NAME.png */
#include "dataset_coco.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIED = 16 /* images, some of which may be missing */ };

/* "annotations/instances_val2017.json" -> "instances_val2017". */
static void stem_of(const char *path, char out[LABEL_SIZE])
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    snprintf(out, LABEL_SIZE, "%.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
}

const char *dataset_coco_file(json_object *image)
{
    static const char *const names[] = {"file_name", "file", "coco_url"};

    for (int i = 0; i < 3 && json_object_is_type(image, json_type_object); i++) {
        json_object *text = json_object_object_get(image, names[i]);
        const char *file = json_object_get_string(text);

        if (!json_object_is_type(text, json_type_string) || *file == '\0')
            continue;
        /* Of LVIS an image has only the address that it comes from. */
        return i == 2 && strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    }
    return NULL;
}

/* Whether one of the first images lies in the folder.  -1 after a message. */
static int has_images(dataset *d, const char *text, const slice *images, const char *folder)
{
    slice rest = *images, item;
    int found = 0, got = 1;

    for (int i = 0; i < TRIED && found == 0 && got > 0; i++) {
        json_object *object;
        const char *file, *path;

        got = slice_next(d->name, text, &rest, &item);
        object = got > 0 ? slice_read(&item) : NULL;
        file = dataset_coco_file(object);
        path = file ? dataset_join(d, folder, file) : NULL;
        if (got < 0 || (file && !path))
            found = -1;
        else if (file && access(path, F_OK) == 0)
            found = 1;
        json_object_put(object);
    }
    return found;
}

static bool find_pictures(dataset *d, const char *text, const slice *images, const char **out)
{
    const char *own = dataset_folder_of(d, d->name), *split;
    char stem[LABEL_SIZE], name[4][LABEL_SIZE + 4] = {"", "images", "", "../images"};

    stem_of(d->name, stem);
    split = strrchr(stem, '_');
    snprintf(name[2], sizeof name[2], "../%s", split ? split + 1 : stem);
    for (int i = 0; i < 4 && own; i++) {
        const char *folder = *name[i] ? dataset_join(d, own, name[i]) : own;
        int found = folder ? has_images(d, text, images, folder) : -1;

        if (found > 0) {
            *out = folder;
            return i == 0 || dataset_note(d, "pictures are those in %s", folder);
        }
        if (found < 0)
            return false;
    }
    if (own)
        complain("%s: its pictures are not beside it: give their folder with --pictures", d->name);
    return false;
}

static bool find_masks(dataset *d, const char **out)
{
    const char *own = dataset_folder_of(d, d->name);
    char stem[LABEL_SIZE];
    const char *name[2] = {stem, "panoptic"};

    stem_of(d->name, stem);
    for (int i = 0; i < 2 && own; i++) {
        const char *folder = dataset_join(d, own, name[i]);

        if (!folder)
            return false;
        if (dataset_is_folder(folder)) {
            *out = folder;
            return true;
        }
    }
    return own != NULL;
}

bool dataset_coco_folders(dataset *d, const char *text, const slice *images, const char **pictures,
                          const char **masks)
{
    *pictures = d->args.pictures;
    *masks = d->args.masks;
    return (*pictures || find_pictures(d, text, images, pictures)) &&
           (*masks || find_masks(d, masks));
}
