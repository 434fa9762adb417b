/* recurrent_activations.c - which activations a recurrent node has, and their numbers. */
#include "recurrent.h"

#include <string.h>

#include "basic.h"

/* Strings of a list; the getters of numbers do not fit. */
static const kx_attr *find_strings(kx_node *n, const char *name)
{
    for (int32_t i = 0; i < n->nattr; i++)
        if (strcmp(n->attr[i].name, name) == 0 && n->attr[i].strings) {
            n->attr[i].used = true;
            return &n->attr[i];
        }
    return NULL;
}

/* Activations that take numbers, and their defaults. */
static const struct {
    const char *type;
    bool has_alpha, has_beta;
    float alpha, beta;
} numbered[] = {{"LeakyRelu", true, false, 0.01f, 0},
                {"ThresholdedRelu", true, false, 1, 0},
                {"HardSigmoid", true, true, 0.2f, 0.5f},
                {"Elu", true, false, 1, 0},
                {"Affine", true, true, 1, 0},
                {"ScaledTanh", true, true, 1, 1}};

/* A list of numbers, taken one by one by the activations that have one; a list with one for each
 * activation is read by place. */
typedef struct numbers {
    const float *value; /* NULL: defaults */
    size_t count, next;
    bool by_place;
} numbers;

static float take(numbers *n, bool has, size_t place, float other)
{
    if (!n->value || !has)
        return other;
    if (n->by_place)
        return n->value[place];
    return n->next < n->count ? n->value[n->next++] : other;
}

/* Activation `place` of all directions; the numbers of those before it are taken already. */
static void read_activation(const char *type, size_t place, numbers *alpha, numbers *beta,
                            kx_recurrent_activation *a)
{
    *a = (kx_recurrent_activation){.type = type};
    for (size_t i = 0; i < sizeof numbered / sizeof *numbered; i++)
        if (strcmp(numbered[i].type, type) == 0) {
            a->alpha = take(alpha, numbered[i].has_alpha, place, numbered[i].alpha);
            a->beta = take(beta, numbered[i].has_beta, place, numbered[i].beta);
        }
}

kldve_status kx_recurrent_activations(kx_expander *e, int32_t each, const char *const *usual,
                                      int32_t directions, int32_t d, kx_recurrent_activation *out)
{
    const kx_attr *list = find_strings(e->n, "activations");
    size_t count = (size_t)each, all = count * (size_t)directions;
    numbers alpha = {.value = NULL}, beta = {.value = NULL};
    kx_recurrent_activation a;

    alpha.value = kx_attr_floats(e->n, "activation_alpha", &alpha.count);
    beta.value = kx_attr_floats(e->n, "activation_beta", &beta.count);
    alpha.by_place = alpha.count == all;
    beta.by_place = beta.count == all;
    if (list && list->count != all)
        return kx_invalid(e->g, e->n, "attribute 'activations' has %zu names, expected %zu",
                          list->count, all);
    for (size_t i = 0; i < all; i++) {
        const char *type = list ? list->strings[i] : usual[i % count];

        if (!kx_recurrent_known(type))
            return kx_refuse(e->g, e->n, "activation '%.40s' is not supported", type);
        read_activation(type, i, &alpha, &beta, &a);
        if (i / count == (size_t)d)
            out[i % count] = a;
    }
    if ((!alpha.by_place && alpha.next < alpha.count) || (!beta.by_place && beta.next < beta.count))
        return kx_invalid(e->g, e->n,
                          "'activation_alpha' has %zu and 'activation_beta' %zu numbers, which are "
                          "more than the activations take",
                          alpha.count, beta.count);
    return KLDVE_OK;
}
