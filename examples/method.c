/* method.c - a method of explanation that the library does not have, brought along by the program.
 * docs/adding-a-method.md goes through it.  Nothing but libkldve is linked.
 *
 *     method PICTURE COLOUR        prints the map */
#include <kldve/method.h>

#include <math.h>
#include <stdio.h>

#include "colours.h"

/* a_m = mean over the cells i of G_mi, as in Grad-CAM */
static kldve_status weigh(const kldve_job *job, double *weights)
{
    int cells = job->shape->height * job->shape->width;

    for (int m = 0; m < job->shape->maps; m++) {
        weights[m] = 0;
        for (int i = 0; i < cells; i++)
            weights[m] += (double)job->gradient[m * cells + i] / cells;
    }
    return KLDVE_OK;
}

/* E_i = sum over the maps m of |a_m x_mi| */
static kldve_status add_up(const kldve_job *job, float *map)
{
    int cells = job->shape->height * job->shape->width;

    for (int i = 0; i < cells; i++) {
        double sum = 0;

        for (int m = 0; m < job->shape->maps; m++)
            sum += fabs(job->weights[m] * (double)job->features[m * cells + i]);
        map[i] = (float)sum;
    }
    return KLDVE_OK;
}

static const kldve_method contribution = {
    .struct_size = sizeof contribution,
    .name = "contribution",
    .title = "Contribution",
    .summary = "sums what each feature map contributes, for the class or against it",
    .source = "examples/method.c",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .weights = weigh,
    .map = add_up,
};

static int explain(kldve_ctx *ctx, const kldve_image *photo, kldve_options *why,
                   kldve_heatmap **map)
{
    static float input[COLOURS_INPUTS], features[COLOURS_FEATURES], gradient[COLOURS_FEATURES];
    float logits[COLOURS], cotangent[COLOURS];
    const kldve_arrays arrays = {.struct_size = sizeof arrays,
                                 .logits = logits,
                                 .features = features,
                                 .gradient = gradient,
                                 .classes = COLOURS,
                                 .maps = COLOURS_MAPS,
                                 .height = COLOURS_GRID,
                                 .width = COLOURS_GRID};

    colours_prepare(kldve_image_pixels(photo), input);
    colours_forward(input, features, logits);
    if (kldve_arrays_cotangent(ctx, logits, COLOURS, why, cotangent))
        return 1;
    colours_backward(cotangent, gradient);
    return kldve_explain_arrays(ctx, &arrays, why, map);
}

int main(int argc, char **argv)
{
    kldve_options why = {
        .struct_size = sizeof why, .method = "contribution", .target_kind = KLDVE_TARGET_INDEX};
    kldve_ctx *ctx = NULL;
    kldve_image *photo = NULL, *small = NULL;
    kldve_heatmap *map = NULL;
    const float *value;
    int32_t cells = 0; /* none after a failure */
    int failed;

    if (argc != 3 || (why.target = colours_class(argv[2])) < 0 || kldve_ctx_new(NULL, &ctx))
        return 2;
    failed = kldve_method_register(ctx, &contribution) || kldve_image_load(ctx, argv[1], &photo) ||
             kldve_image_resize(ctx, photo, COLOURS_SIDE, COLOURS_SIDE, &small) ||
             explain(ctx, small, &why, &map);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    kldve_heatmap_values(map, &value, &cells);
    for (int32_t i = 0; i < cells; i++)
        printf("%.6f%c", (double)value[i], (i + 1) % COLOURS_GRID ? ' ' : '\n');
    kldve_heatmap_free(map);
    kldve_image_free(small);
    kldve_image_free(photo);
    kldve_ctx_free(ctx);
    return failed != 0;
}
