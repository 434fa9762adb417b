/* test_pillow.c - compare with the references that pillow.py made: one case for each line of
 * FOLDER/manifest.txt,
 *     decode FILE REFERENCE TOLERANCE       INTERPOLATION SOURCE REFERENCE TOLERANCE
 *     colormap NAME REFERENCE TOLERANCE     upsample MAP REFERENCE TOLERANCE
 *     stretch INTERPOLATION-MAP REFERENCE TOLERANCE
 *     save SOURCE FILE QUALITY */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/stretch.h"
#include "image/upsample.h"

struct line {
    char kind[16], name[128], reference[128], text[300];
    double number;
};

static const char *folder;

/* A .ppm file of the script. */
static kldve_image *load_ppm(kldve_ctx *ctx, const char *name)
{
    size_t nbytes;
    char *file = test_file_load(test_path("%s/%s", folder, name), &nbytes), *pixels;
    kldve_image *image;
    kldve_pixels rgb;
    int width, height;

    assert_int_equal(sscanf(file, "P6 %d %d 255", &width, &height), 2);
    pixels = strchr(file, '\n') + 1;
    assert_int_equal((size_t)(pixels - file) + 3 * (size_t)width * (size_t)height, nbytes);
    rgb = kldve_pixels_of(KLDVE_PIXEL_RGB, width, height, pixels, 0);
    assert_int_equal(kldve_image_from_pixels(ctx, &rgb, &image), KLDVE_OK);
    free(file);
    return image;
}

static void compare(const struct line *line, const kldve_image *a, const kldve_image *b)
{
    int32_t width = kldve_image_width(a), height = kldve_image_height(a);

    if (width != kldve_image_width(b) || height != kldve_image_height(b))
        fail_msg("%s: %d x %d, not %d x %d", line->name, (int)width, (int)height,
                 (int)kldve_image_width(b), (int)kldve_image_height(b));
    for (int32_t i = 0; i < 3 * width * height; i++) {
        int ours = kldve_image_pixels(a)[i], theirs = kldve_image_pixels(b)[i];

        if (abs(ours - theirs) > line->number)
            fail_msg("%s: pixel (%d, %d) channel %d is %d, not %d", line->name, i / 3 % width,
                     i / 3 / width, i % 3, ours, theirs);
    }
}

/* With 0, 1, 2, ... allocations until the file can be read. */
static kldve_image *load_at_last(kldve_ctx *ctx, test_heap *heap, const char *path)
{
    kldve_image *image = NULL;
    long live = heap->live;

    for (long budget = 0; budget < 100; budget++) {
        kldve_status status;

        heap->budget = budget;
        status = kldve_image_load(ctx, path, &image);
        heap->budget = -1;
        if (status == KLDVE_OK)
            return image;
        if (status != KLDVE_E_NOMEM || image || heap->live != live)
            fail_msg("with %ld allocations: %s", budget, kldve_ctx_message(ctx));
    }
    fail_msg("%s: more than 100 allocations", path);
    return NULL;
}

static void check_decode(const struct line *line, kldve_ctx *ctx, test_heap *heap)
{
    kldve_image *reference = load_ppm(ctx, line->reference);
    kldve_image *image = load_at_last(ctx, heap, test_path("%s/%s", folder, line->name));

    compare(line, image, reference);
    kldve_image_free(image);
    kldve_image_free(reference);
}

/* -1: there is none of that name. */
static int32_t interpolation_of(const char *name)
{
    for (int32_t i = 0; kldve_interpolation_name(i); i++)
        if (strcmp(kldve_interpolation_name(i), name) == 0)
            return i;
    return -1;
}

static void check_resize(const struct line *line, kldve_ctx *ctx, test_heap *heap)
{
    kldve_image *source = load_ppm(ctx, line->name), *image;
    kldve_image *reference = load_ppm(ctx, line->reference);

    (void)heap;
    assert_int_equal(kldve_image_resize_by(ctx, source, interpolation_of(line->kind),
                                           kldve_image_width(reference),
                                           kldve_image_height(reference), &image),
                     KLDVE_OK);
    compare(line, image, reference);
    kldve_image_free(source);
    kldve_image_free(image);
    kldve_image_free(reference);
}

static void check_colormap(const struct line *line, kldve_ctx *ctx, test_heap *heap)
{
    kldve_image *reference = load_ppm(ctx, line->reference), *image;
    int32_t colormap = -1;

    (void)heap;
    assert_int_equal(kldve_colormap_from_name(line->name, &colormap), KLDVE_OK);
    assert_int_equal(kldve_image_new(ctx, 256, 1, &image), KLDVE_OK);
    for (int i = 0; i < 256; i++)
        kldve_colormap_rgb(colormap, (float)i / 255, kldve_image_edit(image) + 3 * i);
    compare(line, image, reference);
    kldve_image_free(image);
    kldve_image_free(reference);
}

/* The interpolation is named at the beginning of the file's name. */
static const kldve_kernel *kernel_named(const char *name)
{
    const kldve_kernel *kernel;

    for (int32_t i = 0; (kernel = kldve_kernel_of(i)) != NULL; i++)
        if (strncmp(name, kernel->name, strlen(kernel->name)) == 0)
            return kernel;
    fail_msg("%s: no interpolation", name);
    return NULL;
}

static void check_stretch(const struct line *line, kldve_ctx *ctx, test_heap *heap)
{
    test_npy map = test_npy_load(test_path("%s/%s", folder, line->name));
    test_npy want = test_npy_load(test_path("%s/%s", folder, line->reference));
    int32_t height = (int32_t)map.dim[0], width = (int32_t)map.dim[1];
    int32_t out_height = (int32_t)want.dim[0], out_width = (int32_t)want.dim[1];
    float *values = malloc((map.count + 1) * sizeof *values);
    float *row = malloc((size_t)width * sizeof *row),
          *out = malloc((size_t)out_width * sizeof *out);
    kldve_taps along, down;

    (void)heap;
    for (size_t i = 0; i < map.count; i++)
        values[i] = (float)map.value[i];
    assert_int_equal(kldve_taps_new(ctx, kernel_named(line->name), width, out_width, &along),
                     KLDVE_OK);
    assert_int_equal(kldve_taps_new(ctx, kernel_named(line->name), height, out_height, &down),
                     KLDVE_OK);
    for (int32_t y = 0; y < out_height; y++) {
        memset(row, 0, (size_t)width * sizeof *row);
        kldve_taps_across(&down, y, values, width, 1, row);
        kldve_taps_along(&along, row, 0, out_width, out);
        for (int32_t x = 0; x < out_width; x++)
            if (fabs((double)out[x] - want.value[y * out_width + x]) > line->number)
                fail_msg("%s: (%d, %d) is %g, not %g", line->name, (int)x, (int)y, (double)out[x],
                         want.value[y * out_width + x]);
    }
    kldve_taps_free(ctx, &along);
    kldve_taps_free(ctx, &down);
    free(values);
    free(row);
    free(out);
    test_npy_free(&map);
    test_npy_free(&want);
}

static void check_upsample(const struct line *line, kldve_ctx *ctx, test_heap *heap)
{
    test_npy map = test_npy_load(test_path("%s/%s", folder, line->name));
    test_npy reference = test_npy_load(test_path("%s/%s", folder, line->reference));
    float *values = malloc((map.count + 1) * sizeof *values);
    float *out = malloc((reference.count + 1) * sizeof *out);

    (void)ctx;
    (void)heap;
    for (size_t i = 0; i < map.count; i++)
        values[i] = (float)map.value[i];
    kldve_upsample(values, (int32_t)map.dim[0], (int32_t)map.dim[1], out, (int32_t)reference.dim[0],
                   (int32_t)reference.dim[1]);
    for (size_t i = 0; i < reference.count; i++)
        if (fabs((double)out[i] - reference.value[i]) > line->number)
            fail_msg("%s: value %zu is %g, not %g", line->name, i, (double)out[i],
                     reference.value[i]);
    free(values);
    free(out);
    test_npy_free(&map);
    test_npy_free(&reference);
}

static void check_save(const struct line *line, kldve_ctx *ctx, test_heap *heap)
{
    kldve_image *image = load_ppm(ctx, line->name);

    (void)heap;
    if (kldve_image_save(ctx, image, test_path("%s/%s", folder, line->reference),
                         (int32_t)line->number) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    kldve_image_free(image);
}

static void check_line(void **state)
{
    static const struct {
        const char *kind;
        void (*check)(const struct line *line, kldve_ctx *ctx, test_heap *heap);
    } kinds[] = {{"decode", check_decode},
                 {"stretch", check_stretch},
                 {"colormap", check_colormap},
                 {"upsample", check_upsample},
                 {"save", check_save}};
    const struct line *line = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    void (*check)(const struct line *line, kldve_ctx *ctx, test_heap *heap) = check_resize;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(line->kind, kinds[i].kind) == 0)
            check = kinds[i].check;
    check(line, ctx, &heap);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(int argc, char **argv)
{
    struct line *lines = NULL;
    struct CMUnitTest *tests;
    size_t count = 0;
    int failed;
    FILE *f;

    if (argc != 2)
        return 2;
    folder = argv[1];
    f = fopen(test_path("%s/manifest.txt", folder), "r");
    if (!f)
        return 2;
    for (;;) {
        struct line line = {0};

        if (fscanf(f, "%15s %127s %127s %lf", line.kind, line.name, line.reference, &line.number) !=
            4)
            break;
        snprintf(line.text, sizeof line.text, "%s %s %s", line.kind, line.name, line.reference);
        lines = realloc(lines, (count + 1) * sizeof *lines);
        lines[count++] = line;
    }
    fclose(f);
    if (count == 0)
        return 2;
    tests = calloc(count, sizeof *tests);
    for (size_t i = 0; i < count; i++) {
        tests[i].name = lines[i].text;
        tests[i].test_func = check_line;
        tests[i].initial_state = &lines[i];
    }
    failed = _cmocka_run_group_tests("pillow", tests, count, NULL, NULL);
    free(tests);
    free(lines);
    return failed;
}
