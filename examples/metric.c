/* metric.c - a metric that the library does not have, beside those that it has.
 * docs/adding-a-metric.md goes through it.
 *
 *     metric NETWORK.onnx PICTURE        NETWORK "-": the demonstration network; prints the metrics
 */
#include <kldve/metrics.h>
#include <kldve/onnx.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The share of the picture where the map is above half of its largest value. */
static kldve_status above_half(const kldve_metric_job *job, double *value)
{
    int count = job->height * job->width, above = 0;
    float largest = 0;

    for (int i = 0; i < count; i++)
        largest = fmaxf(largest, job->values[i]);
    for (int i = 0; i < count; i++)
        above += job->values[i] > largest / 2;
    *value = largest > 0 ? (double)above / count : (double)NAN;
    return KLDVE_OK;
}

static const kldve_metric metric = {
    .struct_size = sizeof metric,
    .name = "above_half",
    .title = "Above half",
    .summary = "share of the picture where the map is above half of its largest value",
    .source = "examples/metric.c",
    .unit = "of the area",
    .low = 0,
    .high = 1,
    .is_share = 1,
    .better = KLDVE_BETTER_LOWER,
    .compute = above_half,
};

/* Every metric that the context knows and that the network is enough for.  0 on success. */
static int print_all(kldve_ctx *ctx, const kldve_heatmap *map, const kldve_metric_subject *subject)
{
    const uint64_t had = KLDVE_METRIC_NEED_NETWORK | KLDVE_METRIC_NEED_EXPLANATIONS;
    const kldve_metric *m;

    for (int32_t i = 0; kldve_metric_at(ctx, i, &m) == KLDVE_OK; i++) {
        kldve_status status = KLDVE_E_UNSUPPORTED;
        double value;

        if (!(m->needs & ~had))
            status = kldve_metric_compute(ctx, map, m->name, subject, &value);
        if (status == KLDVE_OK)
            printf("%s %.9g\n", m->name, value);
        else if (status != KLDVE_E_UNSUPPORTED)
            return 1;
    }
    return 0;
}

/* Explain and measure. */
static int measure(kldve_ctx *ctx, kldve_explainer *net, const kldve_image *photo)
{
    kldve_shape shape = KLDVE_SHAPE_INIT;
    kldve_metric_subject subject = KLDVE_METRIC_SUBJECT_INIT;
    kldve_heatmap *map = NULL;
    float *input = NULL;
    int failed = kldve_explainer_shape(net, &shape) != KLDVE_OK;

    if (!failed)
        input = malloc((size_t)shape.in_channels * (size_t)shape.in_height *
                       (size_t)shape.in_width * sizeof *input);
    subject.explainer = net;
    subject.input = input;
    failed = failed || !input || kldve_explainer_input(net, photo, input) ||
             kldve_explain(net, photo, NULL, &map) || print_all(ctx, map, &subject);
    kldve_heatmap_free(map);
    free(input);
    return failed;
}

int main(int argc, char **argv)
{
    kldve_ctx *ctx = NULL;
    kldve_explainer *net = NULL;
    kldve_image *photo = NULL;
    int failed;

    if (argc != 3 || kldve_ctx_new(NULL, &ctx))
        return 2;
    failed = kldve_metric_register(ctx, &metric) ||
             kldve_onnx_explainer(ctx, strcmp(argv[1], "-") ? argv[1] : NULL, NULL, &net) ||
             kldve_image_load(ctx, argv[2], &photo) || measure(ctx, net, photo);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    kldve_image_free(photo);
    kldve_explainer_free(net);
    kldve_ctx_free(ctx);
    return failed != 0;
}
