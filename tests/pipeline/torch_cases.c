/* torch_cases.c - cases that torch_cases.py writes, one per line of the manifest:
 *
 *     fit PICTURE.ppm HEIGHT WIDTH FIT INTERPOLATION RESIZE CROP PAD*3 INPUT.npy
 *     preprocess PICTURE.ppm HEIGHT WIDTH ORDER RESIZE CROP SCALE MEAN*3 STD*3 INPUT.npy
 *     method NAME LOGITS.npy X.npy G.npy TARGET MAP.npy
 *     refuse NAME LOGITS.npy X.npy G.npy TARGET
 *
 * Usage: torch_cases MANIFEST.  Prints the largest error of each line. */
#include "support.h"
#include "got.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/kldve.h>

#include "stages/preprocess.h"

enum { FIELDS = 20 };

static char *line[FIELDS];
static int32_t fields;

static double number(int32_t i)
{
    return strtod(line[i], NULL);
}

static int32_t integer(int32_t i)
{
    return (int32_t)strtol(line[i], NULL, 10);
}

static float *npy_floats(const char *path, size_t dim[3], size_t *count)
{
    test_npy npy = test_npy_load(path);
    float *f = malloc((npy.count + 1) * sizeof *f);

    assert_non_null(f);
    for (size_t i = 0; i < npy.count; i++)
        f[i] = (float)npy.value[i];
    for (int32_t i = 0; i < 3; i++)
        dim[i] = i < npy.rank ? npy.dim[i] : 1;
    *count = npy.count;
    test_npy_free(&npy);
    return f;
}

static kldve_image *ppm(kldve_ctx *ctx, const char *path)
{
    size_t nbytes;
    char *file = test_file_load(path, &nbytes);
    int width, height, header;
    kldve_pixels pixels;
    kldve_image *image = NULL;

    assert_int_equal(sscanf(file, "P6 %d %d 255%n", &width, &height, &header), 2);
    pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, width, height, file + header + 1, 0);
    assert_int_equal(kldve_image_from_pixels(ctx, &pixels, &image), KLDVE_OK);
    free(file);
    return image;
}

static double largest_error(const float *a, const float *b, size_t count)
{
    double max = 0;

    for (size_t i = 0; i < count; i++)
        max = fmax(max, fabs((double)a[i] - (double)b[i]));
    return max;
}

/* -- preprocess ------------------------------------------------------------------------------- */

static void preprocess(kldve_ctx *ctx)
{
    kldve_input_spec given = {.struct_size = sizeof given}, spec;
    kldve_shape shape = {.struct_size = sizeof shape, .in_height = integer(2)};
    kldve_image *picture = ppm(ctx, line[1]);
    kldve_view view;
    size_t dim[3], count;
    float *want = npy_floats(line[14], dim, &count), *got = malloc(count * sizeof *got);
    double step, error;
    bool resized;

    shape.in_width = integer(3);
    given.channels = integer(4);
    given.resize_shorter_side = integer(5);
    given.center_crop = integer(6);
    given.scale = (float)number(7);
    for (int32_t c = 0; c < 3; c++) {
        given.mean[c] = (float)number(8 + c);
        given.std[c] = (float)number(11 + c);
    }
    shape.in_channels = (int32_t)dim[0];
    assert_int_equal(count, dim[0] * (size_t)shape.in_height * (size_t)shape.in_width);
    assert_int_equal(kldve_input_spec_load(ctx, &shape, &given, &spec), KLDVE_OK);
    assert_int_equal(
        kldve_preprocess(ctx, (const kldve_image *const[]){picture}, &spec, &shape, got, &view),
        KLDVE_OK);
    /* One step of 255 where something was resized, rounding where nothing was. */
    resized = kldve_image_width(picture) != shape.in_width;
    step = number(7) / fmin(number(11), fmin(number(12), number(13)));
    error = largest_error(got, want, count);
    printf("preprocess %-28s %.3f steps of 255\n", line[1], error / step);
    if (error > (resized ? 1.001 * step : 1e-5 * 255 * step))
        fail_msg("%s: error %g, one step is %g", line[1], error, step);
    kldve_image_free(picture);
    free(want);
    free(got);
}

/* -- fit -------------------------------------------------------------------------------------- */

static void fit(kldve_ctx *ctx)
{
    kldve_input_spec given = {.struct_size = sizeof given,
                              .scale = 1 / 255.0f,
                              .mean = {0.485f, 0.456f, 0.406f},
                              .std = {0.229f, 0.224f, 0.225f},
                              .fit = integer(4),
                              .interpolation = integer(5),
                              .resize_shorter_side = integer(6),
                              .center_crop = integer(7)},
                     spec;
    kldve_shape shape = {.struct_size = sizeof shape,
                         .in_channels = 3,
                         .in_height = integer(2),
                         .in_width = integer(3)};
    kldve_image *picture = ppm(ctx, line[1]);
    kldve_view view;
    size_t dim[3], count;
    float *want = npy_floats(line[11], dim, &count), *got = malloc(count * sizeof *got);
    const double step = 1 / 255.0 / 0.224;
    double error;

    given.pad_by_colour = number(8) >= 0;
    for (int i = 0; given.pad_by_colour && i < 3; i++)
        given.pad[i] = (float)number(8 + i);
    assert_int_equal(kldve_input_spec_load(ctx, &shape, &given, &spec), KLDVE_OK);
    assert_int_equal(
        kldve_preprocess(ctx, (const kldve_image *const[]){picture}, &spec, &shape, got, &view),
        KLDVE_OK);
    error = largest_error(got, want, count);
    printf("fit %-28s %.3f steps of 255\n", line[1], error / step);
    if (error > 1.001 * step)
        fail_msg("%s: error %g, one step is %g", line[1], error, step);
    kldve_image_free(picture);
    free(want);
    free(got);
}

/* -- methods ---------------------------------------------------------------------------------- */

static kldve_status explain(kldve_ctx *ctx, kldve_heatmap **map)
{
    kldve_options o = {.struct_size = sizeof o,
                       .method = line[1],
                       .target_kind = KLDVE_TARGET_INDEX,
                       .target = integer(5)};
    kldve_arrays a = {.struct_size = sizeof a};
    size_t dim[3], count, classes;
    float *logits = npy_floats(line[2], dim, &classes), *g = npy_floats(line[4], dim, &count);
    float *x = npy_floats(line[3], dim, &count);
    kldve_status st;

    a.classes = (int32_t)classes;
    a.maps = (int32_t)dim[0];
    a.height = (int32_t)dim[1];
    a.width = (int32_t)dim[2];
    a.logits = logits;
    a.features = x;
    a.gradient = g;
    st = kldve_explain_arrays(ctx, &a, &o, map);
    free(logits);
    free(x);
    free(g);
    return st;
}

static void method(kldve_ctx *ctx)
{
    kldve_heatmap *map = NULL;
    size_t dim[3], count;
    float *want = npy_floats(line[6], dim, &count);
    double error;

    if (explain(ctx, &map) != KLDVE_OK)
        fail_msg("%s: %s", line[6], kldve_ctx_message(ctx));
    error = largest_error(got_values(map), want, count);
    printf("method %-36s %.2g\n", line[6], error);
    if (!(error <= 1e-5))
        fail_msg("%s: error %g", line[6], error);
    kldve_heatmap_free(map);
    free(want);
}

static void refuse(kldve_ctx *ctx)
{
    kldve_heatmap *map = NULL;

    assert_int_equal(explain(ctx, &map), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(ctx), "cam: "));
    assert_null(map);
}

/* --------------------------------------------------------------------------------------------- */

static char *manifest;

static void split(char *text)
{
    fields = 0;
    for (char *at = strtok(text, " "); at && fields < FIELDS; at = strtok(NULL, " "))
        line[fields++] = at;
}

static void test_manifest(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    int32_t lines = 0;

    (void)state;
    for (char *at = manifest, *end; *at; at = end) {
        end = at + strcspn(at, "\n");
        if (*end)
            *end++ = 0;
        split(at);
        if (fields == 15 && strcmp(line[0], "preprocess") == 0)
            preprocess(ctx);
        else if (fields == 12 && strcmp(line[0], "fit") == 0)
            fit(ctx);
        else if (fields == 7 && strcmp(line[0], "method") == 0)
            method(ctx);
        else if (fields == 6 && strcmp(line[0], "refuse") == 0)
            refuse(ctx);
        else
            fail_msg("manifest: %d fields after %s", fields, line[0]);
        lines++;
    }
    assert_true(lines > 50);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_manifest)};
    size_t nbytes;
    int failed;

    if (argc != 2)
        return 2;
    manifest = test_file_load(argv[1], &nbytes);
    failed = cmocka_run_group_tests_name("cases", tests, NULL, NULL);
    free(manifest);
    return failed;
}
