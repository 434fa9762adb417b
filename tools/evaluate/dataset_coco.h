/* dataset_coco.h - what the files that read the JSON of COCO share. */
#ifndef KLDVE_TOOLS_DATASET_COCO_H
#define KLDVE_TOOLS_DATASET_COCO_H

#include "dataset_parts.h"
#include "slices.h"

/* ---- dataset_ids.c: what images and categories are called by -------------------------------- */

/** Something with an id: a number or a text in the file, a text here. */
typedef struct dataset_named {
    const char *id;
    const char *name; /**< of a category */
    int32_t photo;    /**< of an image; of a category its number in the file */
    bool stuff;       /**< a category of stuff without a shape of its own, such as sky */
} dataset_named;

typedef struct dataset_ids {
    dataset_named *item;
    int64_t items;
    dataset_tally again; /**< ids that several have */
} dataset_ids;

/** Add one; `id` is copied.  False after a message. */
bool dataset_ids_add(dataset *d, dataset_ids *ids, json_object *id, dataset_named named);
/** Sort them; of several with one id the first counts. */
void dataset_ids_sort(dataset_ids *ids);
/** NULL: there is none. */
const dataset_named *dataset_ids_find(const dataset_ids *ids, json_object *id);
/** A number that is whole, or a text.  False: neither. */
bool dataset_id_text(json_object *id, char out[LABEL_SIZE]);
void dataset_ids_free(dataset_ids *ids);

/* ---- dataset_coco_folders.c ------------------------------------------------------------------ */

/** The name of an image's file; NULL: it has none, or is no object. */
const char *dataset_coco_file(json_object *image);

/** Find the folders of pictures and masks; *masks becomes NULL if there is none.  False after a
 *  message. */
bool dataset_coco_folders(dataset *d, const char *text, const slice *images, const char **pictures,
                          const char **masks);

#endif
