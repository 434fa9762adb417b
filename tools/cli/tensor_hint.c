/* tensor_hint.c - which tensor somebody may have meant that gave a network a name it does not know.
 * A network has some hundred names, so the message has the nearest ones. */
#include "nearest.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>

/* The network again, only to list its tensors; NULL: it cannot be had. */
static kldve_onnx *load_list(kldve_ctx *ctx, const network_args *args,
                             const kldve_onnx_options *options, const kldve_onnx_files *demo)
{
    kldve_onnx_options o = *options;
    kldve_onnx *net = NULL;
    kldve_status status;

    o.layer = o.logits = o.select = NULL;
    o.flags = KLDVE_ONNX_FLAG_LIST;
    status = args->model ? kldve_onnx_load(ctx, args->model, &o, &net)
                         : kldve_onnx_load_memory(ctx, demo->model, demo->model_nbytes, &o, &net);
    return status == KLDVE_OK ? net : NULL;
}

/* Whether the failure on `ctx` is about the first n characters of `name`. */
static bool is_about(const kldve_ctx *ctx, const char *name, size_t n)
{
    char called[LABEL_SIZE];

    if (!name)
        return false;
    snprintf(called, sizeof called, "is called '%.*s'", (int)(n > 80 ? 80 : n), name);
    return strstr(kldve_ctx_message(ctx), called) != NULL;
}

static void offer_tensors(nearest *near, const kldve_onnx *net, bool layers)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};

    for (int32_t i = 0; kldve_onnx_tensor_at(net, i, &t) == KLDVE_OK; i++)
        if (t.explainable || !layers)
            nearest_offer(near, t.name);
}

bool tensor_hint_say(const network *n, const network_args *args, const kldve_onnx_options *options,
                     const kldve_onnx_files *demo)
{
    const struct {
        const char *what, *name;
    } given[] = {{"layer", args->layer}, {"logits", args->logits}, {"selection", args->select}};
    char hint[NEAREST_HINT] = "";
    bool said = false;

    for (size_t i = 0; !said && i < sizeof given / sizeof *given; i++) {
        size_t length = given[i].name ? strcspn(given[i].name, i == 2 ? "[" : "") : 0;
        kldve_ctx *ctx = NULL;
        kldve_onnx *net = NULL;
        nearest near;

        if (!given[i].name || !is_about(n->ctx, given[i].name, length) ||
            kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
            continue;
        nearest_begin(&near, given[i].name, length);
        net = load_list(ctx, args, options, demo);
        if (net)
            offer_tensors(&near, net, i == 0);
        if (nearest_best(&near))
            complain(
                "%s: no tensor or node is called '%.*s' (given as the %s)%s 'kldve layers' lists "
                "them",
                n->name, (int)length, given[i].name, given[i].what, nearest_hint(&near, "", hint));
        said = *hint != '\0';
        kldve_onnx_free(net);
        kldve_ctx_free(ctx);
    }
    return said;
}
