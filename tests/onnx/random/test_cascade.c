/* test_cascade.c - the test of Adebayo et al. (arXiv:1810.03292) on SqueezeNet 1.1: parameters
 * become random from the logits to the input, layer by layer, and the maps are compared with those
 * of the true network.  `paper` and guided back-propagation hardly notice that the classes are
 * gone, as was measured outside before (Spearman's correlation of 1 and .97 with a random last
 * layer); contrast and Grad-CAM do (.17 and .39, over 93 photographs). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <kldve/metrics.h>
#include <kldve/onnx.h>

#include "support.h"

static const struct {
    const char *name, *method;
    int32_t reading;
} methods[] = {
    {"paper", "kl-dve", KLDVE_READING_PAPER},
    {"guided-backprop", "guided-backprop", 0},
    {"contrast", "kl-dve", KLDVE_READING_CONTRAST},
    {"grad-cam", "grad-cam", 0},
};
static const char *const photographs[] = {
    "imagenet_sample/n01440764_tench.JPEG",
    "imagenet_sample/n01820546_lorikeet.JPEG",
    "imagenet_sample/n01770081_harvestman.JPEG",
};
enum {
    METHODS = sizeof methods / sizeof *methods,
    PAPER = 0,
    GUIDED,
    CONTRAST,
    GRAD_CAM,
    PICTURES = sizeof photographs / sizeof *photographs,
    MOST_LAYERS = 64
};

struct sanity {
    kldve_ctx *ctx;
    kldve_explainer *net, *random;
    float *input[PICTURES];
    kldve_heatmap *map[PICTURES][METHODS]; /* of the true network */
    double mean[MOST_LAYERS][METHODS];     /* over pictures */
};

static void must(struct sanity *s, kldve_status st)
{
    if (st != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(s->ctx));
}

static kldve_options options_of(int method)
{
    return (kldve_options){.struct_size = sizeof(kldve_options),
                           .method = methods[method].method,
                           .reading = methods[method].reading};
}

static void open_all(struct sanity *s)
{
    const kldve_onnx_options o = {.struct_size = sizeof o, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    const char *shared = test_shared_or_skip();
    kldve_shape shape = {.struct_size = sizeof shape};

    must(s, kldve_ctx_new(NULL, &s->ctx));
    must(s, kldve_onnx_explainer(s->ctx, test_path("%s/assets/models/squeezenet_v1.1.onnx", shared),
                                 &o, &s->net));
    must(s, kldve_onnx_explainer(s->ctx, test_path("%s/assets/models/squeezenet_v1.1.onnx", shared),
                                 &o, &s->random));
    must(s, kldve_explainer_shape(s->net, &shape));
    for (int p = 0; p < PICTURES; p++) {
        kldve_image *photo = NULL;

        s->input[p] = calloc((size_t)shape.in_channels * (size_t)shape.in_height,
                             (size_t)shape.in_width * sizeof(float));
        assert_non_null(s->input[p]);
        must(s, kldve_image_load(s->ctx, test_path("%s/assets/images/%s", shared, photographs[p]),
                                 &photo));
        must(s, kldve_explainer_input(s->net, photo, s->input[p]));
        kldve_image_free(photo);
        for (int m = 0; m < METHODS; m++) {
            const kldve_options how = options_of(m);

            must(s, kldve_explain_input(s->net, s->input[p], &how, &s->map[p][m]));
        }
    }
}

static void close_all(struct sanity *s)
{
    for (int p = 0; p < PICTURES; p++) {
        for (int m = 0; m < METHODS; m++)
            kldve_heatmap_free(s->map[p][m]);
        free(s->input[p]);
    }
    kldve_explainer_free(s->net);
    kldve_explainer_free(s->random);
    kldve_ctx_free(s->ctx);
}

static double measured(struct sanity *s, int picture, int method)
{
    const kldve_options how = options_of(method);
    const kldve_metric_subject subject = {.struct_size = sizeof subject,
                                          .explainer = s->net,
                                          .input = s->input[picture],
                                          .explained_with = &how,
                                          .randomised = s->random};
    double value = 0;

    must(s, kldve_metric_compute(s->ctx, s->map[picture][method], "random_spearman", &subject,
                                 &value));
    return value;
}

/* Returns the number of layers. */
static int walk(struct sanity *s)
{
    const char *name;
    int32_t layer = 0;

    for (; kldve_explainer_parameters(s->net, layer, &name) == KLDVE_OK; layer++) {
        assert_true(layer < MOST_LAYERS);
        must(s, kldve_explainer_randomise(s->random, KLDVE_RANDOMISE_CASCADE, layer, 1));
        printf("%2d %-18s", (int)layer, name);
        for (int m = 0; m < METHODS; m++) {
            for (int p = 0; p < PICTURES; p++)
                s->mean[layer][m] += measured(s, p, m) / PICTURES;
            printf("  %s %.3f", methods[m].name, s->mean[layer][m]);
        }
        printf("\n");
    }
    return layer;
}

static double over_layers(const struct sanity *s, int layers, int method)
{
    double sum = 0;

    for (int i = 0; i < layers; i++)
        sum += s->mean[i][method];
    return sum / layers;
}

static void test_cascade(void **state)
{
    struct sanity s = {0};
    int layers;

    (void)state;
    open_all(&s);
    layers = walk(&s);
    assert_int_equal(layers, 26);
    assert_true(s.mean[0][PAPER] > 1 - 1e-9 && s.mean[0][GUIDED] > 0.9);
    assert_true(s.mean[0][CONTRAST] < 0.6 && s.mean[0][GRAD_CAM] < 0.8);
    assert_true(over_layers(&s, layers, PAPER) > 0.4 && over_layers(&s, layers, GUIDED) > 0.65);
    assert_true(fabs(over_layers(&s, layers, CONTRAST)) < 0.3);
    assert_true(fabs(over_layers(&s, layers, GRAD_CAM)) < 0.45);
    close_all(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cascade)};

    return cmocka_run_group_tests_name("cascade", tests, NULL, NULL);
}
