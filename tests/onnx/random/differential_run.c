/* differential_run.c - the networks of differential.py.
 *
 *   differential_run FOLDER COUNT
 *       For each i below COUNT: FOLDER/i.onnx on the input and cotangent in FOLDER/i.in (float32,
 * one behind the other; in front of them rows and columns of the input, two int32).  Logits and
 * gradient at the input go to FOLDER/i.plan, those of the reference kernels to FOLDER/i.plain, the
 * logits of a batch of x, -x and x / 2 to FOLDER/i.batch; what the engine says of a network that it
 * refuses, to the same name with ".no". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

/* All numbers of a file, which end with the cotangent. */
static float *read_numbers(const char *path, size_t *count)
{
    enum { MOST = 1 << 20 };
    FILE *file = fopen(path, "rb");
    float *numbers = malloc(MOST * sizeof *numbers);

    if (!file || !numbers)
        exit(2);
    *count = fread(numbers, sizeof *numbers, MOST, file);
    fclose(file);
    return numbers;
}

static void write_bytes(const char *stem, const char *ending, const void *bytes, size_t nbytes)
{
    char path[4096];
    FILE *file;

    if (strlen(stem) + strlen(ending) >= sizeof path)
        exit(2);
    strcpy(stpcpy(path, stem), ending);
    file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, nbytes, file) != nbytes || fclose(file) != 0)
        exit(2);
}

enum { BATCH = 3 };

/* What a network computes, from what was given for it, to `out`. */
typedef kldve_status run_fn(kldve_ctx *ctx, const kldve_onnx *net, const float *given, size_t count,
                            float *out, size_t *written);

/* Logits and gradient. */
static kldve_status run(kldve_ctx *ctx, const kldve_onnx *net, const float *given, size_t count,
                        float *out, size_t *written)
{
    const kldve_backend *b = kldve_onnx_backend();
    kldve_shape s = {.struct_size = sizeof s};
    float *features = NULL;
    void *state = NULL;
    kldve_status st = b->open(ctx, net, &state);

    if (st < 0)
        return st;
    b->shape(state, &s);
    features = calloc((size_t)s.maps * (size_t)s.height * (size_t)s.width + 1, sizeof *features);
    if ((st = b->forward(state, given, out, s.maps > 0 ? features : NULL)) == KLDVE_OK)
        st = b->vjp_input(state, given + count - s.classes, KLDVE_RULE_GRADIENT, out + s.classes);
    *written = count;
    free(features);
    b->close(state);
    return st;
}

/* Logits of a batch. */
static kldve_status run_batch(kldve_ctx *ctx, const kldve_onnx *net, const float *given,
                              size_t count, float *out, size_t *written)
{
    static const float factor[BATCH] = {1, -1, 0.5f};
    const kldve_backend *b = kldve_onnx_backend();
    kldve_shape s = {.struct_size = sizeof s};
    void *state = NULL;
    float *inputs, *features;
    kldve_status st = b->open(ctx, net, &state);

    if (st < 0)
        return st;
    b->shape(state, &s);
    count -= (size_t)s.classes;
    inputs = calloc(BATCH * count + 1, sizeof *inputs);
    features =
        calloc(BATCH * (size_t)s.maps * (size_t)s.height * (size_t)s.width + 1, sizeof *features);
    for (size_t i = 0; i < BATCH * count; i++)
        inputs[i] = given[i % count] * factor[i / count];
    st = b->forward_many(state, inputs, out, s.maps > 0 ? features : NULL);
    *written = BATCH * (size_t)s.classes;
    free(features);
    free(inputs);
    b->close(state);
    return st;
}

static void compute(const char *stem, const char *ending, uint64_t flags, run_fn *call,
                    const float *given, size_t count)
{
    enum { SIDES = 2 };
    const int32_t *side = (const int32_t *)(const void *)given;
    const kldve_onnx_options o = {.struct_size = sizeof o,
                                  .threads = 1,
                                  .batch = call == run_batch ? BATCH : 0,
                                  .in_height = side[0],
                                  .in_width = side[1],
                                  .scores = KLDVE_SCORES_RAW,
                                  .flags = flags | KLDVE_ONNX_FLAG_VJP_INPUT};
    float *out = calloc(BATCH * count + 1, sizeof *out);
    size_t written = 0;
    kldve_onnx *net = NULL;
    kldve_ctx *ctx = NULL;
    char path[4096];
    kldve_status st;

    snprintf(path, sizeof path, "%s.onnx", stem);
    if (!out || kldve_ctx_new(NULL, &ctx) < 0)
        exit(2);
    st = kldve_onnx_load(ctx, path, &o, &net);
    if (st == KLDVE_OK)
        st = call(ctx, net, given + SIDES, count - SIDES, out, &written);
    if (st == KLDVE_OK)
        write_bytes(stem, ending, out, written * sizeof *out);
    snprintf(path, sizeof path, "%s.no", ending);
    if (st < 0)
        write_bytes(stem, path, kldve_ctx_message(ctx), strlen(kldve_ctx_message(ctx)));
    kldve_onnx_free(net);
    kldve_ctx_free(ctx);
    free(out);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    for (int i = 0; i < atoi(argv[2]); i++) {
        char stem[4000], path[4096];
        size_t count;
        float *given;

        snprintf(stem, sizeof stem, "%s/%d", argv[1], i);
        snprintf(path, sizeof path, "%s.in", stem);
        given = read_numbers(path, &count);
        compute(stem, ".plan", 0, run, given, count);
        compute(stem, ".plain", KLDVE_ONNX_FLAG_PLAIN, run, given, count);
        compute(stem, ".batch", 0, run_batch, given, count);
        free(given);
    }
    return 0;
}
