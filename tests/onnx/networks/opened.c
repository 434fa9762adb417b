/* opened.c - see opened.h. */
#include "opened.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

kldve_status opened_text(opened *o, const char *text, const kldve_onnx_options *options)
{
    memset(o, 0, sizeof *o);
    o->ctx = test_ctx(&o->heap);
    o->model = writer_memory(write_text, text, &o->nbytes);
    assert_non_null(o->model);
    return kldve_onnx_load_memory(o->ctx, o->model, o->nbytes, options, &o->net);
}

kldve_status opened_file(opened *o, const char *name, const kldve_onnx_options *options)
{
    const char *path = test_path("%s/assets/models/%s.onnx", test_shared_or_skip(), name);

    memset(o, 0, sizeof *o);
    o->ctx = test_ctx(&o->heap);
    return kldve_onnx_load(o->ctx, path, options, &o->net);
}

static size_t volume(int32_t a, int32_t b, int32_t c)
{
    return (size_t)a * (size_t)b * (size_t)c;
}

void opened_state(opened *o, kldve_status st)
{
    if (st < 0 || kldve_onnx_backend()->open(o->ctx, o->net, &o->state) < 0)
        fail_msg("%s", kldve_ctx_message(o->ctx));
    o->shape.struct_size = sizeof o->shape;
    kldve_onnx_backend()->shape(o->state, &o->shape);
    o->inputs = volume(o->shape.in_channels, o->shape.in_height, o->shape.in_width);
    o->features = volume(o->shape.maps, o->shape.height, o->shape.width);
    o->classes = (size_t)o->shape.classes;
}

void opened_close(opened *o)
{
    kldve_onnx_backend()->close(o->state);
    kldve_onnx_free(o->net);
    kldve_ctx_free(o->ctx);
    free(o->model);
    assert_int_equal(o->heap.live, 0);
}
