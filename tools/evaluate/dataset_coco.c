/* dataset_coco.c - JSON as COCO has it, in three forms:
 *
 *   instances  {"images": [{"id", "file_name", "width", "height"}],
 *               "annotations": [{"image_id", "category_id", "bbox", "segmentation", "iscrowd"}],
 *               "categories": [{"id", "name"}]}
 *   panoptic   the same images and categories, and annotations [{"image_id", "file_name" of a mask,
 *               "segments_info": [{"id" as a colour of the mask, "category_id", "bbox"}]}]
 *   pictures   {"images": [{"file", "width", "height", "boxes": [{"category", "bbox"}],
 *               "segments": [{"id", "category", "bbox", "isthing"}]}]}
 *
 * All that one picture has of one category is one question, crowds too: they are of that category.
 * Boxes are x, y, width, height.  Categories that are stuff and no things are left out. */
#include "dataset_coco.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct coco {
    dataset *d;
    const char *text; /* of the file */
    size_t nbytes;
    slice images, annotations, categories;
    dataset_ids image, category;
    const char *pictures, *masks; /* folders; masks: NULL: there is none */
    dataset_box_checks boxes;
    dataset_tally broken, lost, unnamed, stuff, bare;
} coco;

typedef bool (*each_fn)(coco *c, json_object *item, const slice *bytes);

/* Go through an array; items that are no objects are counted. */
static bool each(coco *c, const slice *array, each_fn call)
{
    slice rest = *array, item;
    int got;
    bool ok = true;

    while (ok && (got = slice_next(c->d->name, c->text, &rest, &item)) != 0) {
        json_object *object = got > 0 ? slice_read(&item) : NULL;
        char at[32];

        snprintf(at, sizeof at, "byte %zu", got > 0 ? (size_t)(item.at - c->text) : 0);
        if (got > 0 && !json_object_is_type(object, json_type_object))
            dataset_tally_add(&c->broken, at);
        else
            ok = got > 0 && call(c, object, &item);
        json_object_put(object);
    }
    return ok;
}

static json_object *member(json_object *object, const char *name)
{
    return json_object_object_get(object, name);
}

/* A text that is not empty, else NULL. */
static const char *text_of(json_object *object, const char *name)
{
    json_object *text = member(object, name);

    return json_object_is_type(text, json_type_string) && json_object_get_string_len(text) > 0
               ? json_object_get_string(text)
               : NULL;
}

static int32_t side_of(json_object *object, const char *name)
{
    int64_t side = json_object_get_int64(member(object, name));

    return side >= 1 && side <= 65535 ? (int32_t)side : 0;
}

/* ---- categories and images ---------------------------------------------------------------------
 */

static bool add_category(coco *c, json_object *item, const slice *bytes)
{
    const char *name = text_of(item, "name");
    json_object *thing = member(item, "isthing");
    dataset_named named = {.photo = (int32_t)(c->category.items)};

    (void)bytes;
    if (!name)
        return true;
    named.name = dataset_label(c->d, name, strlen(name));
    named.stuff = thing && json_object_get_int(thing) == 0;
    return named.name && dataset_ids_add(c->d, &c->category, member(item, "id"), named);
}

static bool add_entries(coco *c, json_object *item, int32_t photo);

static bool add_image(coco *c, json_object *item, const slice *bytes)
{
    const char *file = dataset_coco_file(item);
    dataset_photo photo = {.width = side_of(item, "width"), .height = side_of(item, "height")};
    char at[32];
    int32_t number;

    if (!file) {
        snprintf(at, sizeof at, "byte %zu", (size_t)(bytes->at - c->text));
        dataset_tally_add(&c->broken, at);
        return true;
    }
    if (photo.width == 0 || photo.height == 0)
        photo.width = photo.height = 0;
    photo.path = dataset_join(c->d, c->pictures, file);
    photo.key = dataset_key(c->d, file);
    number = photo.path && photo.key ? dataset_add_photo(c->d, &photo) : -1;
    return number >= 0 &&
           dataset_ids_add(c->d, &c->image, member(item, "id"), (dataset_named){.photo = number}) &&
           add_entries(c, item, number);
}

/* ---- what is annotated -------------------------------------------------------------------------
 */

static bool add(coco *c, int32_t photo, const char *label, json_object *bbox,
                const dataset_piece *mask)
{
    dataset_piece box = {.kind = DATASET_BOX};
    double *edge = box.at.edge;
    bool four = json_object_is_type(bbox, json_type_array) && json_object_array_length(bbox) == 4;

    for (size_t i = 0; four && i < 4; i++)
        edge[i] = json_object_get_double(json_object_array_get_idx(bbox, i));
    edge[2] += edge[0];
    edge[3] += edge[1];
    if (!bbox && !mask)
        dataset_tally_add(&c->bare, c->d->photo[photo].key);
    four = bbox && dataset_box_is_good(&c->boxes, &c->d->photo[photo], edge);
    return (!four && !mask) || dataset_add(c->d, photo, label, four ? &box : NULL, mask);
}

/* A segment of a panoptic mask. */
static bool add_segment(coco *c, int32_t photo, const char *label, json_object *segment,
                        const char *mask)
{
    dataset_piece piece = {.kind = DATASET_MASK, .at.mask = mask};
    int64_t id = json_object_get_int64(member(segment, "id"));
    bool known = mask && id >= 0 && id < 1 << 24;

    piece.colour = known ? (int32_t)id : 0;
    return add(c, photo, label, member(segment, "bbox"), known ? &piece : NULL);
}

static bool add_segments(coco *c, json_object *list, int32_t photo, const char *mask)
{
    bool ok = true;

    for (size_t i = 0; ok && i < json_object_array_length(list); i++) {
        json_object *item = json_object_array_get_idx(list, i);
        const dataset_named *category = dataset_ids_find(&c->category, member(item, "category_id"));

        if (!category)
            dataset_tally_add(&c->unnamed, c->d->photo[photo].key);
        else if (category->stuff)
            dataset_tally_add(&c->stuff, category->name);
        else
            ok = add_segment(c, photo, category->name, item, mask);
    }
    return ok;
}

static bool add_annotation(coco *c, json_object *item, const slice *bytes)
{
    const dataset_named *image = dataset_ids_find(&c->image, member(item, "image_id"));
    const dataset_named *category = dataset_ids_find(&c->category, member(item, "category_id"));
    json_object *shape = member(item, "segmentation"), *segments = member(item, "segments_info");
    const char *file = text_of(item, "file_name"), *mask = NULL;
    dataset_piece piece = {.kind = DATASET_SHAPE};
    char id[LABEL_SIZE] = "none";
    bool has_shape =
        json_object_is_type(shape, json_type_object) ||
        (json_object_is_type(shape, json_type_array) && json_object_array_length(shape) > 0);

    dataset_id_text(member(item, "image_id"), id);
    if (!image) {
        dataset_tally_add(&c->lost, id);
        return true;
    }
    if (json_object_is_type(segments, json_type_array)) {
        if (file && c->masks && !(mask = dataset_join(c->d, c->masks, file)))
            return false;
        return add_segments(c, segments, image->photo, mask);
    }
    if (!category) {
        dataset_tally_add(&c->unnamed, c->d->photo[image->photo].key);
        return true;
    }
    piece.at.shape.offset = bytes->at - c->text;
    piece.at.shape.nbytes = (int32_t)bytes->nbytes;
    return add(c, image->photo, category->name, member(item, "bbox"), has_shape ? &piece : NULL);
}

/* ---- images that have their boxes and segments with them ---------------------------------------
 */

/* "000000000030.jpg" -> MASKS/000000000030.png. */
static const char *mask_beside(coco *c, const char *file)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *dot = strrchr(name, '.');
    char text[MESSAGE_SIZE];

    snprintf(text, sizeof text, "%.*s.png", dot ? (int)(dot - name) : (int)strlen(name), name);
    return dataset_join(c->d, c->masks, text);
}

/* Whether a list has an entry of a category. */
static bool has_category(json_object *list, const char *category)
{
    size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const char *other = text_of(json_object_array_get_idx(list, i), "category");

        if (other && strcmp(other, category) == 0)
            return true;
    }
    return false;
}

/* One of "boxes" or "segments"; where a category has both, that which counts. */
static bool add_entry(coco *c, json_object *item, int32_t photo, const char *mask,
                      json_object *better)
{
    const char *category = text_of(item, "category"), *label;
    json_object *thing = member(item, "isthing");

    if (!category)
        dataset_tally_add(&c->unnamed, c->d->photo[photo].key);
    else if (thing && json_object_get_int(thing) == 0)
        dataset_tally_add(&c->stuff, category);
    if (!category || (thing && json_object_get_int(thing) == 0) || has_category(better, category))
        return true;
    label = dataset_label(c->d, category, strlen(category));
    return label && add_segment(c, photo, label, item, mask);
}

static bool add_entries(coco *c, json_object *item, int32_t photo)
{
    json_object *boxes = member(item, "boxes"), *segments = member(item, "segments");
    bool masks = c->masks && c->d->args.truth != DATASET_TRUTH_BOXES;
    size_t nboxes =
        json_object_is_type(boxes, json_type_array) ? json_object_array_length(boxes) : 0;
    size_t nsegments =
        json_object_is_type(segments, json_type_array) ? json_object_array_length(segments) : 0;
    const char *mask = masks && nsegments > 0 ? mask_beside(c, dataset_coco_file(item)) : NULL;
    bool ok = mask || !masks || nsegments == 0;

    for (size_t i = 0; ok && i < nsegments; i++)
        ok =
            add_entry(c, json_object_array_get_idx(segments, i), photo, mask, masks ? NULL : boxes);
    for (size_t i = 0; ok && i < nboxes; i++)
        ok =
            add_entry(c, json_object_array_get_idx(boxes, i), photo, NULL, masks ? segments : NULL);
    return ok;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static bool note(const coco *c)
{
    dataset *d = c->d;

    return dataset_tally_note(d, &c->broken, "item is no object or has no file name",
                              "items are no objects or have no file name") &&
           dataset_tally_note(d, &c->image.again, "image has the id of another and is left out",
                              "images have the id of another and are left out") &&
           dataset_tally_note(d, &c->category.again,
                              "category has the id of another and is left out",
                              "categories have the id of another and are left out") &&
           dataset_tally_note(d, &c->lost, "annotation is of an image that is not in the file",
                              "annotations are of images that are not in the file") &&
           dataset_tally_note(d, &c->unnamed, "annotation is of no category of the file",
                              "annotations are of no category of the file") &&
           dataset_tally_note(d, &c->bare, "annotation has neither box nor mask and is left out",
                              "annotations have neither box nor mask and are left out") &&
           dataset_tally_note(d, &c->stuff, "annotation of stuff that is no thing is left out",
                              "annotations of stuff that is no thing are left out") &&
           dataset_box_note(d, &c->boxes);
}

static bool read_members(coco *c)
{
    static const char *const names[] = {"images", "annotations", "categories"};
    slice found[3];

    if (!slice_members(c->d->name, c->text, c->nbytes, names, found, 3))
        return false;
    c->images = found[0];
    c->annotations = found[1];
    c->categories = found[2];
    if (!found[0].at)
        complain("%s: has no \"images\": not the JSON of a data set", c->d->name);
    return found[0].at &&
           dataset_coco_folders(c->d, c->text, &c->images, &c->pictures, &c->masks) &&
           each(c, &c->categories, add_category);
}

static bool read_all(coco *c)
{
    if (!read_members(c))
        return false;
    dataset_ids_sort(&c->category);
    if (!each(c, &c->images, add_image))
        return false;
    dataset_ids_sort(&c->image);
    return each(c, &c->annotations, add_annotation) && note(c);
}

bool dataset_open_coco(dataset *d)
{
    coco c = {.d = d};
    char *text = dataset_read_file(d->name, DATASET_FILE_MAX, &c.nbytes);
    bool ok = text != NULL;

    c.text = text;
    if (ok && (d->annotations = open(d->name, O_RDONLY | O_CLOEXEC)) < 0) {
        complain("%s: %s", d->name, strerror(errno));
        ok = false;
    }
    ok = ok && read_all(&c);
    dataset_ids_free(&c.image);
    dataset_ids_free(&c.category);
    free(text);
    return ok;
}
