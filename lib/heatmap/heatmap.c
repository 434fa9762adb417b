/* heatmap.c - the result of an explanation: the map, its record, the arrays behind it. */
#include "heatmap.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/block.h"

/* The arrays, cut from `block`; see block.h. */
static void cut(kldve_heatmap *map, kldve_block *block, int32_t n, int32_t maps, int32_t height,
                int32_t width)
{
    size_t cells = 0;

    /* Their number is an int32_t, as all counts are. */
    if (!kldve_size_mul((size_t)height, (size_t)width, &cells) || cells > INT32_MAX)
        block->overflow = true;
    kldve_block_cut(block, 1, sizeof *map); /* the struct itself */
    map->values = kldve_block_cut(block, cells, sizeof *map->values);
    map->error = kldve_block_cut(block, cells, sizeof *map->error);
    map->logits = kldve_block_cut(block, (size_t)n, sizeof *map->logits);
    map->probabilities = kldve_block_cut(block, (size_t)n, sizeof *map->probabilities);
    map->z = kldve_block_cut(block, (size_t)n, sizeof *map->z);
    map->alpha = kldve_block_cut(block, (size_t)n, sizeof *map->alpha);
    map->cotangent = kldve_block_cut(block, (size_t)n, sizeof *map->cotangent);
    map->weights = kldve_block_cut(block, (size_t)maps, sizeof *map->weights);
}

kldve_status kldve_heatmap_new(kldve_ctx *ctx, int32_t classes, int32_t maps, int32_t height,
                               int32_t width, kldve_heatmap **out)
{
    kldve_heatmap measure, *map = NULL;
    kldve_block block = {NULL, 0, false};

    assert(classes > 0 && maps >= 0 && height > 0 && width > 0);
    cut(&measure, &block, classes, maps, height, width);
    if (!block.overflow)
        map = kldve_ctx_alloc(ctx, 1, block.size);
    if (!map)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for a map of %d x %d",
                               (int)height, (int)width);
    memset(map, 0, sizeof *map);
    block = (kldve_block){(unsigned char *)map, 0, false};
    cut(map, &block, classes, maps, height, width);
    assert(!block.overflow);
    map->ctx = ctx;
    map->record = (kldve_record){
        .struct_size = sizeof map->record,
        .classes = classes,
        .maps = maps,
        .height = height,
        .width = width,
        .frames = 1,
        .class_sensitivity = (double)NAN,
        .faithfulness = (double)NAN,
        .faithfulness_control = (double)NAN,
        .sigmoid = NAN,
        .seen_width = 1,
        .row = -1,
        .box = {NAN, NAN, NAN, NAN},
        .box_score = NAN,
        .seen_height = 1,
    };
    map->view_frames = 1;
    map->timings.struct_size = sizeof map->timings;
    memcpy(map->box, map->record.box, sizeof map->box);
    *out = map;
    return KLDVE_OK;
}

void kldve_heatmap_copy_rest(const kldve_heatmap *from, kldve_heatmap *out)
{
    int32_t height = out->record.height, width = out->record.width;
    size_t n = (size_t)from->record.classes;

    assert(out->record.classes == from->record.classes && out->record.maps == from->record.maps);
    out->record = from->record;
    memcpy(out->box, from->box, sizeof out->box);
    out->timings = from->timings;
    out->record.height = height;
    out->record.width = width;
    out->view_height = from->view_height;
    out->view_width = from->view_width;
    out->view_frames = from->view_frames;
    out->picture_width = from->picture_width;
    out->picture_height = from->picture_height;
    memcpy(out->remark, from->remark, sizeof out->remark);
    out->has_probabilities = from->has_probabilities;
    out->has_cotangent = from->has_cotangent;
    out->has_weights = from->has_weights;
    memcpy(out->logits, from->logits, n * sizeof *out->logits);
    memcpy(out->probabilities, from->probabilities, n * sizeof *out->probabilities);
    memcpy(out->z, from->z, n * sizeof *out->z);
    memcpy(out->alpha, from->alpha, n * sizeof *out->alpha);
    memcpy(out->cotangent, from->cotangent, n * sizeof *out->cotangent);
    memcpy(out->weights, from->weights, (size_t)from->record.maps * sizeof *out->weights);
}

void kldve_heatmap_set_flat(kldve_heatmap *map, bool flat)
{
    map->record.flags &= ~(uint64_t)KLDVE_RESULT_FLAT;
    map->record.flags |= flat ? KLDVE_RESULT_FLAT : 0;
}

kldve_film kldve_heatmap_film(const kldve_heatmap *map)
{
    const kldve_record *r = &map->record;

    return (kldve_film){map->values, r->frames, r->height / r->frames, r->width};
}

void kldve_heatmap_free(kldve_heatmap *map)
{
    if (map)
        kldve_ctx_release(map->ctx, map);
}

kldve_status kldve_heatmap_record(const kldve_heatmap *map, kldve_record *out)
{
    if (!map)
        return KLDVE_E_ARG;
    return kldve_struct_store(NULL, "kldve_record", &map->record, sizeof map->record, out);
}

kldve_status kldve_heatmap_timings(const kldve_heatmap *map, kldve_timings *out)
{
    if (!map)
        return KLDVE_E_ARG;
    return kldve_struct_store(NULL, "kldve_timings", &map->timings, sizeof map->timings, out);
}

const char *kldve_heatmap_remark(const kldve_heatmap *map)
{
    return map && *map->remark ? map->remark : NULL;
}

/* The array, or KLDVE_E_NOT_FOUND where it is NULL. */
static kldve_status floats(const float *array, int32_t length, const float **values, int32_t *count)
{
    if (!array)
        return KLDVE_E_NOT_FOUND;
    *values = array;
    if (count)
        *count = length;
    return KLDVE_OK;
}

static kldve_status doubles(const double *array, int32_t length, const double **values,
                            int32_t *count)
{
    if (!array)
        return KLDVE_E_NOT_FOUND;
    *values = array;
    if (count)
        *count = length;
    return KLDVE_OK;
}

kldve_status kldve_heatmap_values(const kldve_heatmap *map, const float **values, int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return floats(map->values, map->record.height * map->record.width, values, count);
}

kldve_status kldve_heatmap_error(const kldve_heatmap *map, const float **values, int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return floats(map->has_error ? map->error : NULL, map->record.height * map->record.width,
                  values, count);
}

kldve_status kldve_heatmap_logits(const kldve_heatmap *map, const float **values, int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return floats(map->logits, map->record.classes, values, count);
}

kldve_status kldve_heatmap_probabilities(const kldve_heatmap *map, const double **values,
                                         int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return doubles(map->has_probabilities ? map->probabilities : NULL, map->record.classes, values,
                   count);
}

kldve_status kldve_heatmap_z(const kldve_heatmap *map, const double **values, int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return doubles(map->z, map->record.classes, values, count);
}

kldve_status kldve_heatmap_alpha(const kldve_heatmap *map, const double **values, int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return doubles(map->alpha, map->record.classes, values, count);
}

kldve_status kldve_heatmap_cotangent(const kldve_heatmap *map, const double **values,
                                     int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return doubles(map->has_cotangent ? map->cotangent : NULL, map->record.classes, values, count);
}

kldve_status kldve_heatmap_weights(const kldve_heatmap *map, const double **values, int32_t *count)
{
    if (!map || !values)
        return KLDVE_E_ARG;
    return doubles(map->has_weights ? map->weights : NULL, map->record.maps, values, count);
}
