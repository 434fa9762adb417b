/* buffers.c - working memory of explanations: one block for all arrays of all inputs. */
#include "buffers.h"

#include <assert.h>
#include <string.h>

#include "base/block.h"

/* An array of `count` times `each` items. */
static void *cut_rows(kldve_block *block, size_t count, size_t each, size_t nbytes)
{
    size_t all = 0;

    if (!kldve_size_mul(count, each, &all))
        block->overflow = true;
    return kldve_block_cut(block, all, nbytes);
}

static void cut(kldve_buffers *b, size_t count, kldve_block *block, const kldve_shape *s,
                bool arrays)
{
    size_t n = (size_t)s->classes, maps = (size_t)s->maps, cells = 0, features = 0;

    if (!kldve_size_mul((size_t)s->height, (size_t)s->width, &cells) ||
        !kldve_size_mul(cells, maps, &features))
        block->overflow = true;
    b->seed = cut_rows(block, count, n, sizeof *b->seed);
    b->scratch = cut_rows(block, count, maps, sizeof *b->scratch);
    b->rows = cut_rows(block, count, n, sizeof *b->rows);
    b->scores = cut_rows(block, count, n, sizeof *b->scores);
    if (!arrays) {
        b->logits = cut_rows(block, count, n, sizeof *b->logits);
        b->features = cut_rows(block, count, features, sizeof *b->features);
        b->gradient = cut_rows(block, count, features, sizeof *b->gradient);
    }
    for (size_t i = 1; block->base && i < count; i++) {
        b[i].seed = b[i - 1].seed + n;
        b[i].scratch = b[i - 1].scratch + maps;
        b[i].rows = b[i - 1].rows + n;
        b[i].scores = b[i - 1].scores + n;
        if (arrays)
            continue;
        b[i].logits = b[i - 1].logits + n;
        b[i].features = b[i - 1].features + features;
        b[i].gradient = b[i - 1].gradient + features;
    }
}

kldve_status kldve_buffers_new(kldve_ctx *ctx, const kldve_shape *shape, int32_t count, bool arrays,
                               kldve_buffers *out)
{
    kldve_buffers measure;
    kldve_block block = {NULL, 0, false};
    void *memory = NULL;

    assert(count >= 1);
    cut(&measure, (size_t)count, &block, shape, arrays);
    if (!block.overflow)
        memory = kldve_ctx_alloc(ctx, 1, block.size);
    if (!memory)
        return kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "out of memory for %d feature maps of %d x %d",
                               (int)shape->maps, (int)shape->height, (int)shape->width);
    for (int32_t i = 0; i < count; i++)
        out[i] = (kldve_buffers){.ctx = ctx};
    out->memory = memory;
    block = (kldve_block){memory, 0, false};
    cut(out, (size_t)count, &block, shape, arrays);
    return KLDVE_OK;
}

void kldve_buffers_free(kldve_buffers *b, int32_t count)
{
    for (int32_t i = 0; i < count && b[i].ctx; i++) {
        kldve_divergence_free(b[i].divergence);
        kldve_ctx_release(b[i].ctx, b[i].other);
        kldve_ctx_release(b[i].ctx, b[i].memory);
    }
    memset(b, 0, (size_t)count * sizeof *b);
}

kldve_status kldve_buffers_divergence(kldve_buffers *b, const kldve_options *o, int32_t classes)
{
    kldve_divergence_options options = {.struct_size = sizeof options,
                                        .temperature = (double)o->temperature,
                                        .perplexity = o->perplexity,
                                        .unattainable = KLDVE_UNATTAINABLE_LIMIT};

    assert(o->temperature > 0 && o->perplexity > 1);
    if (b->divergence && b->temperature == options.temperature &&
        b->perplexity == options.perplexity)
        return KLDVE_OK;
    kldve_divergence_free(b->divergence);
    b->divergence = NULL;
    b->temperature = options.temperature;
    b->perplexity = options.perplexity;
    return kldve_divergence_new(b->ctx, classes, &options, &b->divergence);
}

kldve_status kldve_buffers_other(kldve_buffers *b, size_t count)
{
    if (b->other_count >= count)
        return KLDVE_OK;
    kldve_ctx_release(b->ctx, b->other);
    b->other_count = 0;
    b->other = kldve_ctx_alloc(b->ctx, count, sizeof *b->other);
    if (!b->other)
        return kldve_ctx_fail(b->ctx, KLDVE_E_NOMEM, "out of memory for a second map");
    b->other_count = count;
    return KLDVE_OK;
}
