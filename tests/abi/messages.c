/* messages.c PICTURE SOURCE FOLDER - the message of a context is empty after a call that succeeded,
 * whatever an earlier call has left there. */
#include <stdio.h>
#include <string.h>

#ifdef WITH_ONNX
#include <kldve/onnx.h>
#endif
#include <kldve/method.h>
#include <kldve/metrics.h>

static kldve_ctx *ctx;
static int failed;

static void leave(void)
{
    kldve_ctx_fail(ctx, KLDVE_E_ARG, "left over");
}

static void check(kldve_status status, const char *call)
{
    if (status == KLDVE_OK && *kldve_ctx_message(ctx) == '\0')
        return;
    printf("%s: %d, message '%s'\n", call, (int)status, kldve_ctx_message(ctx));
    failed++;
}

#define CLEARS(call) (leave(), check(call, #call))

static kldve_status weigh(const kldve_job *job, double *weights)
{
    for (int32_t i = 0; i < job->shape->maps; i++)
        weights[i] = 1;
    return KLDVE_OK;
}

static kldve_status measure(const kldve_metric_job *job, double *value)
{
    *value = (double)job->values[0];
    return KLDVE_OK;
}

static void registered(void)
{
    kldve_method method = KLDVE_METHOD_INIT;
    kldve_metric metric = KLDVE_METRIC_INIT;

    method.name = "ones";
    method.source = "here";
    method.needs = KLDVE_NEED_FEATURES;
    method.weights = weigh;
    metric.name = "first";
    metric.source = "here";
    metric.high = 1;
    metric.compute = measure;
    CLEARS(kldve_method_register(ctx, &method));
    CLEARS(kldve_metric_register(ctx, &metric));
}

static void context(void)
{
    CLEARS(kldve_ctx_set_deadline(ctx, 60000));
    CLEARS(kldve_ctx_set_deadline(ctx, 0));
    CLEARS(kldve_ctx_set_limit(ctx, KLDVE_LIMIT_LABELS, 1000));
}

static void names(void)
{
    kldve_labels *labels = NULL;
    int32_t index;

    CLEARS(kldve_labels_parse(ctx, "cat\nboat\n", 9, &labels));
    CLEARS(kldve_labels_find(ctx, labels, "boat", &index));
    kldve_labels_free(labels);
}

static void pictures(const char *path, const char *folder)
{
    uint8_t grey[4] = {1, 2, 3, 4}, row[6];
    kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_GREY, 2, 2, grey, 2);
    kldve_pixels dest = kldve_pixels_of(KLDVE_PIXEL_RGB, 2, 1, row, 6);
    kldve_image *image = NULL, *other = NULL;
    char saved[1000];
    void *bytes;
    size_t nbytes;

    CLEARS(kldve_image_new(ctx, 4, 4, &image));
    kldve_image_free(image);
    CLEARS(kldve_image_borrow(ctx, &pixels, NULL, NULL, &image));
    kldve_image_free(image);
    CLEARS(kldve_image_from_pixels(ctx, &pixels, &image));
    CLEARS(kldve_image_read(ctx, image, 0, &dest));
    CLEARS(kldve_image_crop(ctx, image, 0, 0, 1, 1, &other));
    kldve_image_free(other);
    CLEARS(kldve_image_resize(ctx, image, 5, 5, &other));
    kldve_image_free(other);
    CLEARS(kldve_image_resize_by(ctx, image, KLDVE_INTERPOLATION_BICUBIC, 5, 5, &other));
    kldve_image_free(other);
    if (path) {
        snprintf(saved, sizeof saved, "%s/messages.png", folder);
        CLEARS(kldve_image_encode(ctx, image, KLDVE_FILE_FORMAT_PNG, 0, &bytes, &nbytes));
        CLEARS(kldve_image_decode(ctx, bytes, nbytes, &other));
        kldve_image_free(other);
        kldve_ctx_release(ctx, bytes);
        CLEARS(kldve_image_save(ctx, image, saved, 0));
        CLEARS(kldve_image_load(ctx, path, &other));
        kldve_image_free(other);
    }
    kldve_image_free(image);
}

static void divergence(void)
{
    enum { N = 4 };
    const double scores[N] = {1, 2, 3, 4.5}, truth[N] = {0.1, 0.2, 0.3, 0.4}, warm[1] = {2};
    const int32_t targets[1] = {1};
    kldve_divergence_options options = KLDVE_DIVERGENCE_OPTIONS_INIT;
    kldve_divergence_info info = KLDVE_DIVERGENCE_INFO_INIT;
    double z[N], kl, t[N], beta[N];
    kldve_divergence *d = NULL;

    options.perplexity = 2;
    CLEARS(kldve_divergence_new(ctx, N, &options, &d));
    CLEARS(kldve_divergence_set_scores(d, scores));
    CLEARS(kldve_divergence_onehot(d, 0, z, &kl));
    CLEARS(kldve_divergence_truth(d, truth, z, &kl));
    CLEARS(kldve_divergence_rows(d, beta, NULL, NULL));
    CLEARS(kldve_divergence_contrast(d, 0, t));
    CLEARS(kldve_divergence_rivals(d, 0, t));
    CLEARS(kldve_divergence_neighbours(d, 0, 0, t));
    CLEARS(kldve_divergence_positives(d, targets, 1, z, &kl));
    CLEARS(kldve_divergence_base(d, z));
    CLEARS(kldve_divergence_delta(d, 0, z));
    CLEARS(kldve_divergence_many(d, KLDVE_CLASS_TERM_ONEHOT, targets, 1, t));
    CLEARS(kldve_divergence_set_temperature(d, 2));
    CLEARS(kldve_divergence_sweep(d, 0, warm, 1, z, &kl));
    CLEARS(kldve_divergence_plain(d, KLDVE_PLAIN_KL, truth, z, &kl));
    CLEARS(kldve_divergence_get_info(d, &info));
    CLEARS(kldve_divergence_measure(d, 2, &kl));
    kldve_divergence_free(d);
}

static void maps(const kldve_heatmap *map)
{
    uint8_t drawn[64 * 64 * 3];
    float up[64 * 64];
    static uint8_t truth[512 * 512]; /* of the input of the network */
    kldve_pixels dest = kldve_pixels_of(KLDVE_PIXEL_RGB, 64, 64, drawn, 0);
    kldve_heatmap *other = NULL;
    kldve_image *image = NULL;
    double value;

    CLEARS(kldve_heatmap_frame(ctx, map, 0, &other));
    kldve_heatmap_free(other);
    CLEARS(kldve_heatmap_fuse(ctx, &map, 1, &other));
    kldve_heatmap_free(other);
    CLEARS(kldve_heatmap_upsample(ctx, map, 64, 64, 0, up));
    CLEARS(kldve_heatmap_render(ctx, map, NULL, NULL, &image));
    kldve_image_free(image);
    CLEARS(kldve_heatmap_render_into(ctx, map, NULL, NULL, &dest));
    CLEARS(kldve_metric_compute(ctx, map, "energy_area", NULL, &value));
    CLEARS(kldve_metric_compute_several(ctx, map, (const char *const[]){"gini"}, 1, NULL, &value));
    CLEARS(kldve_metric_energy_area(ctx, up, 64 * 64, 0.5, &value));
    CLEARS(kldve_agreement(ctx, "pearson", (const float *const[2]){up, up}, 64, 64, NULL, &value));
    CLEARS(kldve_map_upsample(ctx, up, 1, 1, up + 1, 2, 2));
    CLEARS(kldve_heatmap_truth_boxes(ctx, map, 64, 64, (const float[4]){0, 0, 32, 32}, 1, truth));
    CLEARS(kldve_heatmap_truth_mask(ctx, map, 1, 1, (const uint8_t[1]){1}, truth));
}

static void arrays(void)
{
    const float logits[3] = {2, 1, 0}, features[8] = {0, 1, 0, 0, 1, 0, 0, 0};
    const float gradient[8] = {1, 1, 1, 1, -1, -1, -1, -1};
    kldve_arrays given = KLDVE_ARRAYS_INIT;
    kldve_heatmap *map = NULL;
    float cotangent[3];

    given.logits = logits;
    given.features = features;
    given.gradient = gradient;
    given.classes = 3;
    given.maps = given.height = given.width = 2;
    CLEARS(kldve_arrays_cotangent(ctx, logits, 3, NULL, cotangent));
    CLEARS(kldve_arrays_check(ctx, &given, NULL));
    CLEARS(kldve_explain_arrays(ctx, &given, NULL, &map));
    maps(map);
    kldve_heatmap_free(map);
}

#ifdef WITH_ONNX
static kldve_status ignore(void *opaque, const char *path)
{
    (void)opaque;
    (void)path;
    return KLDVE_OK;
}

static void explaining(kldve_explainer *net, const char *path)
{
    kldve_input_spec spec = KLDVE_INPUT_SPEC_INIT;
    kldve_shape shape = KLDVE_SHAPE_INIT;
    kldve_image *photo = NULL;
    const kldve_image *photos[1];
    kldve_heatmap *map = NULL;

    CLEARS(kldve_explainer_set_input(net, &spec));
    CLEARS(kldve_explainer_shape(net, &shape));
    CLEARS(kldve_explainer_check(net, NULL));
    CLEARS(kldve_explainer_randomise(net, KLDVE_RANDOMISE_CASCADE, 0, 1));
    CLEARS(kldve_explainer_randomise(net, KLDVE_RANDOMISE_NONE, 0, 0));
    CLEARS(kldve_image_load(ctx, path, &photo));
    photos[0] = photo;
    CLEARS(kldve_explain(net, photo, NULL, &map));
    kldve_heatmap_free(map);
    CLEARS(kldve_explain_many(net, photos, 1, NULL, &map));
    kldve_heatmap_free(map);
    kldve_image_free(photo);
}

static void engine(const char *path, const char *source)
{
    kldve_onnx_files files = KLDVE_ONNX_FILES_INIT;
    kldve_onnx_needs needs = KLDVE_ONNX_NEEDS_INIT;
    kldve_explainer *net = NULL;
    kldve_onnx *network = NULL;
    kldve_card *card = NULL;
    char model[1000];
    kldve_onnx_tensor layer = KLDVE_ONNX_TENSOR_INIT;
    void *more = NULL;
    size_t nmore;

    if (kldve_onnx_demo(&files) != KLDVE_OK)
        return;
    snprintf(model, sizeof model, "%s/../../demo/kldve-demo.onnx", source);
    CLEARS(kldve_onnx_explainer(ctx, NULL, NULL, &net));
    explaining(net, path);
    kldve_explainer_free(net);
    CLEARS(kldve_onnx_explainer_memory(ctx, &files, NULL, &net));
    kldve_explainer_free(net);
    CLEARS(kldve_onnx_load_memory(ctx, files.model, files.model_nbytes, NULL, &network));
    CLEARS(kldve_explainer_new(ctx, kldve_onnx_backend(), network, &net));
    kldve_explainer_free(net);
    if (kldve_onnx_tap_at(network, 0, &layer) == KLDVE_OK)
        CLEARS(kldve_onnx_tap(ctx, files.model, files.model_nbytes, &layer.name, 1, &more, &nmore));
    kldve_ctx_release(ctx, more);
    kldve_onnx_free(network);
    CLEARS(kldve_onnx_memory_bytes(ctx, files.model, files.model_nbytes, NULL, &needs));
    CLEARS(kldve_card_parse(ctx, files.card, files.card_nbytes, NULL, &card));
    kldve_card_free(card);
    CLEARS(kldve_card_beside(ctx, model, &card));
    kldve_card_free(card);
    CLEARS(kldve_onnx_weight_files(ctx, model, ignore, NULL));
    CLEARS(kldve_onnx_memory(ctx, model, NULL, &needs));
    CLEARS(kldve_onnx_load(ctx, model, NULL, &network));
    kldve_onnx_free(network);
}
#endif

int main(int argc, char **argv)
{
    const char *path = argc > 3 ? argv[1] : NULL, *source = argc > 3 ? argv[2] : NULL;
    const char *folder = argc > 3 ? argv[3] : NULL;

    (void)source;
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return 1;
    context();
    registered();
    names();
    pictures(path, folder);
    divergence();
    arrays();
#ifdef WITH_ONNX
    if (path)
        engine(path, source);
#endif
    kldve_ctx_free(ctx);
    return failed > 0;
}
