/* built.c - see built.h. */
#include "built.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

kldve_status built_text(built *b, const char *text)
{
    const kx_graph_options options = {0};
    size_t n;

    memset(b, 0, sizeof *b);
    b->ctx = test_ctx(&b->heap);
    kx_arena_init(&b->arena, b->ctx);
    b->bytes = writer_memory(write_text, text, &n);
    assert_non_null(b->bytes);
    if (kx_model_read(b->ctx, b->bytes, n, &b->model) < 0)
        fail_msg("%s: %s", text, kldve_ctx_message(b->ctx));
    return kx_graph_new(b->ctx, b->model, &options, &b->graph);
}

void built_open(built *b, const char *text)
{
    if (built_text(b, text) < 0)
        fail_msg("%s: %s", text, kldve_ctx_message(b->ctx));
}

kx_value *built_value(const built *b, const char *name)
{
    kx_value *v = kx_graph_find(b->graph, name);

    if (!v)
        fail_msg("there is no tensor %s", name);
    return v;
}

void built_close(built *b)
{
    kx_arena_free(&b->arena);
    kx_graph_free(b->graph);
    kx_model_free(b->model);
    kldve_ctx_free(b->ctx);
    free(b->bytes);
    assert_int_equal(b->heap.live, 0);
}
