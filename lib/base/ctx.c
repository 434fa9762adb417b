/* ctx.c - the context: allocator, what the host registered. */
#include "ctx.h"
#include "ctx_struct.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"

static void *default_alloc(void *opaque, size_t nbytes)
{
    (void)opaque;
    return malloc(nbytes);
}

static void default_free(void *opaque, void *memory)
{
    (void)opaque;
    free(memory);
}

kldve_status kldve_ctx_new(const kldve_allocator *allocator, kldve_ctx **out)
{
    const kldve_allocator standard = {
        .struct_size = sizeof standard, .alloc = default_alloc, .free = default_free};
    kldve_allocator use;
    kldve_ctx *ctx;
    kldve_status st;

    if (!out)
        return KLDVE_E_ARG;
    st = kldve_struct_load(NULL, "kldve_allocator", allocator ? allocator : &standard, &use,
                           sizeof use);
    if (st < 0)
        return st;
    if (!use.alloc || !use.free)
        return KLDVE_E_ARG;
    ctx = use.alloc(use.opaque, sizeof *ctx);
    if (!ctx)
        return KLDVE_E_NOMEM;
    memset(ctx, 0, sizeof *ctx);
    ctx->allocator = use;
    kldve_control_init(ctx);
    ctx->held = &ctx->room;
    atomic_init(&ctx->held->ceiling, SIZE_MAX);
    *out = ctx;
    return KLDVE_OK;
}

static void free_list(const kldve_ctx *ctx, kldve_host_list *list)
{
    for (int32_t i = 0; i < list->count; i++)
        kldve_ctx_release(ctx, list->item[i]);
    kldve_ctx_release(ctx, list->item);
}

void kldve_ctx_free(kldve_ctx *ctx)
{
    if (!ctx)
        return;
    free_list(ctx, &ctx->methods);
    free_list(ctx, &ctx->metrics);
    ctx->allocator.free(ctx->allocator.opaque, ctx);
}

kldve_status kldve_ctx_set_limit(kldve_ctx *ctx, int32_t limit, int64_t value)
{
    kldve_ctx_clear(ctx);
    if (!ctx)
        return KLDVE_E_ARG;
    if (!kldve_is_limit(limit))
        return kldve_ctx_failf(ctx, KLDVE_E_UNSUPPORTED, "libkldve %s has no limit number %d",
                               kldve_version(), (int)limit);
    if (value < 0)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "the limit '%s' cannot be negative; 0 stands for the default",
                               kldve_limit_name(limit));
    ctx->limit[limit] = value;
    return KLDVE_OK;
}

static const void *item_at(const kldve_host_list *list, int32_t index)
{
    assert(index >= 0);
    return index < list->count ? list->item[index] : NULL;
}

static kldve_status append(kldve_ctx *ctx, kldve_host_list *list, const void *item, size_t nbytes)
{
    size_t count = (size_t)list->count;
    void **more = kldve_ctx_alloc(ctx, count + 1, sizeof *more);
    void *copy = kldve_ctx_alloc(ctx, 1, nbytes);

    assert(item && list->count < INT32_MAX);
    if (!more || !copy) {
        kldve_ctx_release(ctx, more);
        kldve_ctx_release(ctx, copy);
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "register: out of memory");
    }
    if (count > 0)
        memcpy(more, list->item, count * sizeof *more);
    more[count] = memcpy(copy, item, nbytes);
    kldve_ctx_release(ctx, list->item);
    list->item = more;
    list->count++;
    return KLDVE_OK;
}

const kldve_method *kldve_ctx_method(const kldve_ctx *ctx, int32_t index)
{
    return ctx ? item_at(&ctx->methods, index) : NULL;
}

const kldve_metric *kldve_ctx_metric(const kldve_ctx *ctx, int32_t index)
{
    return ctx ? item_at(&ctx->metrics, index) : NULL;
}

kldve_status kldve_ctx_add_method(kldve_ctx *ctx, const kldve_method *method)
{
    return append(ctx, &ctx->methods, method, sizeof *method);
}

kldve_status kldve_ctx_add_metric(kldve_ctx *ctx, const kldve_metric *metric)
{
    return append(ctx, &ctx->metrics, metric, sizeof *metric);
}
