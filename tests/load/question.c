#include "question.h"

#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "epoch.h"

enum { PICTURES = 5, SIDE = 96 /* pixels */, MANY_PASSES = 2 };

static const char *const methods[] = {"kl-dve",    "grad-cam",      "eigen-cam", "layer-cam",
                                      "full-grad", "lrp-composite", "saliency",  "recipro-cam",
                                      "rise",      "occlusion"};
enum { METHODS = sizeof methods / sizeof *methods };

static struct answer {
    float *value;
    int32_t count;
} answers[METHODS][PICTURES];
static uint8_t pixels[PICTURES][SIDE * SIDE * 3];

uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u; /* Knuth, as in Numerical Recipes */
    return *state >> 8;
}

question question_draw(uint32_t *random)
{
    bool any = next_random(random) % 20 == 0;
    question q = {.method = (int32_t)(next_random(random) %
                                      (uint32_t)(any ? METHODS : METHODS - MANY_PASSES)),
                  .picture = (int32_t)(next_random(random) % PICTURES)};

    return q;
}

const char *question_method(question q)
{
    return methods[q.method];
}

kldve_status question_ask(kldve_ctx *ctx, kldve_explainer *explainer, question q,
                          kldve_heatmap **map)
{
    const kldve_pixels p =
        kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE, SIDE, pixels[q.picture], SIDE * 3);
    const bool by_chance = strcmp(methods[q.method], "rise") == 0;
    const kldve_options o = {.struct_size = sizeof o,
                             .method = methods[q.method],
                             .samples = by_chance ? 16 : 0,
                             .seed = by_chance ? 7 : 0};
    kldve_image *photo = NULL;
    kldve_status status = kldve_image_borrow(ctx, &p, NULL, NULL, &photo);

    if (status == KLDVE_OK)
        status = kldve_explain(explainer, photo, &o, map);
    kldve_image_free(photo);
    return status;
}

bool question_is_answered(question q, const kldve_heatmap *map)
{
    const struct answer *a = &answers[q.method][q.picture];
    const float *value;
    int32_t count;

    return kldve_heatmap_values(map, &value, &count) == KLDVE_OK && count == a->count &&
           memcmp(value, a->value, (size_t)count * sizeof *value) == 0;
}

static void paint(void)
{
    uint32_t random = 1;

    for (int32_t i = 0; i < PICTURES; i++)
        for (int32_t k = 0; k < SIDE * SIDE * 3; k++)
            pixels[i][k] = (uint8_t)((next_random(&random) & 63) + (uint32_t)(k / (i + 1)) % 190);
}

static void compute(kldve_ctx *ctx, kldve_explainer *explainer, question q)
{
    struct answer *a = &answers[q.method][q.picture];
    kldve_heatmap *map = NULL;
    const float *value;

    if (question_ask(ctx, explainer, q, &map) != KLDVE_OK ||
        kldve_heatmap_values(map, &value, &a->count) != KLDVE_OK)
        die(methods[q.method], ctx);
    a->value = malloc((size_t)a->count * sizeof *value);
    if (!a->value)
        die("no memory", NULL);
    memcpy(a->value, value, (size_t)a->count * sizeof *value);
    kldve_heatmap_free(map);
}

int32_t question_begin(void)
{
    epoch *e = epoch_hold();
    kldve_explainer *explainer = NULL;
    kldve_ctx *ctx = NULL;

    paint();
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK || epoch_open(ctx, e, &explainer) != KLDVE_OK)
        die("opening", ctx);
    for (question q = {0, 0}; q.method < METHODS; q.method++)
        for (q.picture = 0; q.picture < PICTURES; q.picture++)
            compute(ctx, explainer, q);
    kldve_explainer_free(explainer);
    kldve_ctx_free(ctx);
    epoch_let_go(e);
    return METHODS * PICTURES;
}

void question_end(void)
{
    for (int32_t m = 0; m < METHODS; m++)
        for (int32_t i = 0; i < PICTURES; i++)
            free(answers[m][i].value);
}
