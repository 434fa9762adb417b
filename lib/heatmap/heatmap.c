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

    if (!kldve_size_mul((size_t)height, (size_t)width, &cells))
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

const float *kldve_heatmap_values(const kldve_heatmap *map)
{
    return map->values;
}

const char *kldve_heatmap_remark(const kldve_heatmap *map)
{
    return *map->remark ? map->remark : NULL;
}

static size_t classes_of(const kldve_heatmap *map)
{
    return (size_t)map->record.classes;
}

static const void *array(const void *values, size_t length, bool present, size_t *count)
{
    if (count)
        *count = present ? length : 0;
    return present ? values : NULL;
}

const float *kldve_heatmap_error(const kldve_heatmap *map, size_t *count)
{
    return array(map->error, (size_t)map->record.height * (size_t)map->record.width, map->has_error,
                 count);
}

const float *kldve_heatmap_logits(const kldve_heatmap *map, size_t *count)
{
    return array(map->logits, classes_of(map), true, count);
}

const double *kldve_heatmap_probabilities(const kldve_heatmap *map, size_t *count)
{
    return array(map->probabilities, classes_of(map), map->has_probabilities, count);
}

const double *kldve_heatmap_z(const kldve_heatmap *map, size_t *count)
{
    return array(map->z, classes_of(map), true, count);
}

const double *kldve_heatmap_alpha(const kldve_heatmap *map, size_t *count)
{
    return array(map->alpha, classes_of(map), true, count);
}

const double *kldve_heatmap_cotangent(const kldve_heatmap *map, size_t *count)
{
    return array(map->cotangent, classes_of(map), map->has_cotangent, count);
}

const double *kldve_heatmap_weights(const kldve_heatmap *map, size_t *count)
{
    return array(map->weights, (size_t)map->record.maps, map->has_weights, count);
}
