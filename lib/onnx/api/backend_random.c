/* backend_random.c - layers with parameters, and a network whose parameters are random. */
#include "backend_parts.h"

#include <stdio.h>
#include <string.h>

/* Looked for when they are first asked for. */
static kldve_status find_parameters(kx_backend_state *s)
{
    kldve_status st;

    if (s->looked)
        return KLDVE_OK;
    if (s->file->head)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED,
                              "only the head of the network is loaded: load the whole network, "
                              "without KLDVE_ONNX_FLAG_HEAD");
    st = kx_parameters_find(s->file->graph, s->file->choice.logits, &s->arena, &s->parameters);
    s->looked = st == KLDVE_OK;
    return st;
}

kldve_status kx_backend_parameters(void *state, int32_t index, const char **name)
{
    kx_backend_state *s = state;
    kldve_status st = find_parameters(s);

    if (st < 0)
        return st;
    if (index < 0 || index >= s->parameters.layers)
        return KLDVE_E_NOT_FOUND;
    *name = s->parameters.layer[index].name;
    return KLDVE_OK;
}

static kldve_status check_layer(kx_backend_state *s, int32_t layer)
{
    int32_t layers = s->parameters.layers;

    if (layers == 0)
        return kldve_ctx_fail(s->ctx, KLDVE_E_UNSUPPORTED, "the network has no parameters");
    if (layer >= 0 && layer < layers)
        return KLDVE_OK;
    return kldve_ctx_failf(s->ctx, KLDVE_E_ARG,
                           "layer %d: the network has %d with parameters, 0 to %d, from the logits "
                           "to the input",
                           (int)layer, (int)layers, (int)layers - 1);
}

/* `next` is to run in place of what runs in s.  After a failure s is as before. */
static kldve_status replace(kx_backend_state *s, kldve_onnx *random)
{
    kx_backend_state next = {.ctx = s->ctx,
                             .net = random ? random : s->file,
                             .file = s->file,
                             .random = random,
                             .parameters = s->parameters,
                             .arena = s->arena,
                             .looked = s->looked,
                             .own = s->own};
    kldve_status st = kx_backend_start(&next);

    if (st < 0) {
        kx_backend_stop(&next);
        kldve_onnx_free(random);
        return st;
    }
    kx_backend_stop(s);
    kldve_onnx_free(s->random);
    *s = next;
    return KLDVE_OK;
}

kldve_status kx_backend_randomise(void *state, int32_t kind, int32_t layer, uint64_t seed)
{
    kx_backend_state *s = state;
    kldve_onnx *random = NULL;
    const kx_layer *to;
    int32_t first, end;
    kldve_status st;

    if (kind == KLDVE_RANDOMISE_NONE)
        return s->random ? replace(s, NULL) : KLDVE_OK;
    if ((st = find_parameters(s)) < 0 || (st = check_layer(s, layer)) < 0)
        return st;
    to = &s->parameters.layer[layer];
    first = kind == KLDVE_RANDOMISE_CASCADE ? 0 : to->first;
    end = to->first + to->count;
    if ((st = kx_onnx_randomised(s->ctx, s->file, &s->parameters, first, end, seed, &random)) < 0 ||
        (st = replace(s, random)) < 0)
        return st;
    snprintf(
        s->note, sizeof s->note,
        "its parameters are random, %s '%.80s', layer %d of %d from the logits, seed %llu: this "
        "is not the network of the file",
        kind == KLDVE_RANDOMISE_CASCADE ? "from the logits down to" : "those of", to->name,
        (int)layer, (int)s->parameters.layers, (unsigned long long)seed);
    return KLDVE_OK;
}
