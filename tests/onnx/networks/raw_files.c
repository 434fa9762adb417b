/* raw_files.c - see raw_files.h. */
#include "raw_files.h"
#include "got.h"

#include <stdlib.h>

FILE *raw_open(const char *folder, const char *name, const char *mode)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, mode) : NULL;

    if (!file) {
        printf("cannot open %s/%s\n", folder, name);
        exit(2);
    }
    return file;
}

float *raw_room(size_t count)
{
    float *values = malloc((count + 1) * sizeof *values); /* 0 are none, not a failure */

    if (!values) {
        printf("out of memory for %zu values\n", count);
        exit(2);
    }
    return values;
}

float *raw_read(const char *folder, const char *name, size_t count)
{
    FILE *file = raw_open(folder, name, "rb");
    float *values = raw_room(count);

    if (fread(values, sizeof *values, count, file) != count || fgetc(file) != EOF) {
        printf("%s/%s: not %zu values\n", folder, name, count);
        exit(2);
    }
    fclose(file);
    return values;
}

void raw_append(FILE *file, const float *values, size_t count)
{
    if (fwrite(values, sizeof *values, count, file) != count) {
        printf("cannot write %zu values\n", count);
        exit(2);
    }
}

void raw_write(const char *folder, const char *name, const float *values, size_t count)
{
    FILE *file = raw_open(folder, name, "wb");

    raw_append(file, values, count);
    if (fclose(file) != 0) {
        printf("cannot write %s/%s\n", folder, name);
        exit(2);
    }
}

static int32_t largest(const float *values, int32_t count)
{
    int32_t best = 0;

    for (int32_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

kldve_status raw_explain(kldve_ctx *ctx, const kldve_onnx *net, const float *input,
                         const char *method, const float *cotangent, int32_t classes,
                         const char *folder)
{
    const kldve_options o = {.struct_size = sizeof o,
                             .method = method,
                             .target_kind = KLDVE_TARGET_INDEX,
                             .target = largest(cotangent, classes)};
    kldve_record r = {.struct_size = sizeof r};
    kldve_explainer *ex = NULL;
    kldve_heatmap *map = NULL;
    kldve_status st = kldve_explainer_new(ctx, kldve_onnx_backend(), net, &ex);

    if (st == KLDVE_OK && (st = kldve_explain_input(ex, input, &o, &map)) == KLDVE_OK &&
        (st = kldve_heatmap_record(map, &r)) == KLDVE_OK)
        raw_write(folder, method, got_values(map), (size_t)r.height * (size_t)r.width);
    kldve_heatmap_free(map);
    kldve_explainer_free(ex);
    return st;
}
