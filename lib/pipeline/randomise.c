/* randomise.c - a network with random parameters, for the test of J. Adebayo et al., "Sanity Checks
 * for Saliency Maps", NeurIPS 2018, arXiv:1810.03292. */
#include "explainer.h"

kldve_status kldve_explainer_parameters(kldve_explainer *ex, int32_t index, const char **name)
{
    const char *found = NULL;
    kldve_status st;
    double before;

    if (!ex)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(ex->ctx, "parameters", 0);
    if (index < 0 || !name)
        st = kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                             name ? "parameters: layer %d: they are counted from 0"
                                  : "parameters: layer %d: the name is NULL",
                             (int)index);
    else
        st = kldve_network_parameters(&ex->net, index, &found);
    if (st == KLDVE_OK)
        *name = found;
    return kldve_ctx_leave(ex->ctx, before, st);
}

static kldve_status check(const kldve_explainer *ex, int32_t kind, int32_t layer, uint64_t seed)
{
    if (kind < KLDVE_RANDOMISE_NONE || kind > KLDVE_RANDOMISE_INDEPENDENT)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "random parameters: kind %d, it must be a kldve_randomise, 0 to 2",
                               (int)kind);
    if (layer < 0)
        return kldve_ctx_failf(ex->ctx, KLDVE_E_ARG,
                               "random parameters: layer %d: they are counted from 0", (int)layer);
    if (kind == KLDVE_RANDOMISE_NONE && (layer || seed))
        return kldve_ctx_fail(ex->ctx, KLDVE_E_ARG,
                              "random parameters: KLDVE_RANDOMISE_NONE takes no layer and no seed: "
                              "both must be 0");
    return KLDVE_OK;
}

kldve_status kldve_explainer_randomise(kldve_explainer *ex, int32_t kind, int32_t layer,
                                       uint64_t seed)
{
    kldve_status st;
    double before;

    if (!ex)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(ex->ctx, "random parameters", 0);
    if ((st = check(ex, kind, layer, seed)) == KLDVE_OK)
        st = kldve_network_randomise(&ex->net, kind, layer, seed);
    return kldve_ctx_leave(ex->ctx, before, st);
}
