/* dataset_ids.c - what the images and categories of COCO are called by: their ids. */
#include "dataset_coco.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool dataset_id_text(json_object *id, char out[LABEL_SIZE])
{
    double value = json_object_get_double(id);

    if (json_object_is_type(id, json_type_int))
        snprintf(out, LABEL_SIZE, "%jd", (intmax_t)json_object_get_int64(id));
    else if (json_object_is_type(id, json_type_double) && fabs(value) < 1e15 &&
             value == floor(value))
        snprintf(out, LABEL_SIZE, "%.0f", value);
    else if (json_object_is_type(id, json_type_string) && json_object_get_string_len(id) > 0 &&
             json_object_get_string_len(id) < LABEL_SIZE)
        snprintf(out, LABEL_SIZE, "%s", json_object_get_string(id));
    else
        return false;
    return true;
}

bool dataset_ids_add(dataset *d, dataset_ids *ids, json_object *id, dataset_named named)
{
    dataset_named *grown = dataset_grow(ids->item, ids->items, sizeof *ids->item);
    char text[LABEL_SIZE];

    if (!grown)
        return false;
    ids->item = grown;
    if (!dataset_id_text(id, text))
        return true; /* nothing can refer to it */
    named.id = dataset_text(d, text, strlen(text));
    if (named.id)
        ids->item[ids->items++] = named;
    return named.id != NULL;
}

static int by_id(const void *left, const void *right)
{
    const dataset_named *a = left, *b = right;

    return strcmp(a->id, b->id);
}

/* Of equal ids the first in the file comes first. */
static int by_id_and_order(const void *left, const void *right)
{
    const dataset_named *a = left, *b = right;
    int order = strcmp(a->id, b->id);

    if (order == 0)
        order = (a->photo > b->photo) - (a->photo < b->photo);
    return order;
}

void dataset_ids_sort(dataset_ids *ids)
{
    int64_t kept = 0;

    if (ids->items > 0)
        qsort(ids->item, (size_t)ids->items, sizeof *ids->item, by_id_and_order);
    for (int64_t i = 0; i < ids->items; i++)
        if (kept > 0 && strcmp(ids->item[kept - 1].id, ids->item[i].id) == 0)
            dataset_tally_add(&ids->again, ids->item[i].id);
        else
            ids->item[kept++] = ids->item[i];
    ids->items = kept;
}

const dataset_named *dataset_ids_find(const dataset_ids *ids, json_object *id)
{
    char text[LABEL_SIZE];
    dataset_named key = {.id = text};

    if (ids->items == 0 || !dataset_id_text(id, text))
        return NULL;
    return bsearch(&key, ids->item, (size_t)ids->items, sizeof *ids->item, by_id);
}

void dataset_ids_free(dataset_ids *ids)
{
    free(ids->item);
    memset(ids, 0, sizeof *ids);
}
