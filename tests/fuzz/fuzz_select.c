/* fuzz_select.c - any text as what selects scores: `select`, `boxes` and `objects` of a network.
 * The first bytes say how many axes the tensor has, and how long they are. */
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

#include "api/select_text.h"
#include "small_nets.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

/* What was read lies within the axes. */
static void look(const kx_axis_pick *pick, const kx_shape *shape)
{
    for (int32_t i = 0; i < shape->rank; i++) {
        const kx_axis_pick *p = &pick[i];
        int64_t last = p->start + (p->count - 1) * p->step;

        watch_that(p->count >= 1 && p->count <= shape->dim[i], "more elements than the axis has");
        watch_that(p->start >= 0 && p->start < shape->dim[i], "it starts outside of the axis");
        watch_that(last >= 0 && last < shape->dim[i], "it ends outside of the axis");
    }
}

static void read_text(kldve_ctx *ctx, const char *text, const kx_shape *shape)
{
    char name[KX_SELECT_NAME];
    const char *items = NULL;
    kx_axis_pick pick[KX_MAX_RANK];
    kldve_status status = kx_select_name(ctx, text, name, &items);

    if (status == KLDVE_OK) {
        watch_that(items >= text && items <= text + strlen(text), "the items are not in the text");
        status = kx_select_axes(ctx, text, items, shape, pick);
    }
    if (status == KLDVE_OK)
        look(pick, shape);
    else
        watch_call(ctx, status, false);
}

static void load(kldve_ctx *ctx, const char *text, unsigned which)
{
    kldve_onnx_options options = KLDVE_ONNX_OPTIONS_INIT;
    kldve_onnx *net = NULL;
    kldve_status status;
    size_t nbytes;
    const void *model = small_net(which % 2 ? SMALL_PLACES : SMALL_PLAIN, &nbytes);

    options.threads = 1;
    options.flags = KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_NO_VJP;
    options.select = text;
    if (which & 2)
        options.boxes = text;
    if (which & 4)
        options.layer = text;
    status = kldve_onnx_load_memory(ctx, model, nbytes, &options, &net);
    watch_call(ctx, status, net != NULL);
    kldve_onnx_free(net);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    enum { HEAD = 4 };
    kx_shape shape = {0, {0}};
    kldve_ctx *ctx;
    char *text;

    if (nbytes < HEAD)
        return 0;
    ctx = watch_open();
    text = calloc(1, nbytes - HEAD + 1);
    watch_that(text != NULL, "no memory");
    memcpy(text, bytes + HEAD, nbytes - HEAD);
    shape.rank = bytes[0] % (KX_MAX_RANK + 1);
    for (int32_t i = 0; i < shape.rank; i++)
        shape.dim[i] = 1 + (i % 2 ? bytes[2] : bytes[1]) % 100;
    read_text(ctx, text, &shape);
    load(ctx, text, bytes[3]);
    free(text);
    watch_close(ctx);
    return 0;
}
