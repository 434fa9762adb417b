/* test_preprocess.c - whatever the fit, a place of the picture is found again: from the picture to
 * the input and back.  What the input holds is compared in tests/pipeline/torch_cases.py. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "stages/frame.h"

typedef struct fit_case {
    int32_t fit, width, height, in_width, in_height;
} fit_case;

static const fit_case cases[] = {
    {KLDVE_FIT_CROP, 300, 200, 64, 64},    {KLDVE_FIT_CROP, 150, 400, 96, 32},
    {KLDVE_FIT_SQUASH, 300, 200, 64, 64},  {KLDVE_FIT_SQUASH, 150, 400, 96, 32},
    {KLDVE_FIT_PAD, 300, 200, 64, 64},     {KLDVE_FIT_PAD, 199, 400, 96, 128},
    {KLDVE_FIT_PAD_END, 300, 200, 64, 96}, {KLDVE_FIT_PAD_END, 150, 400, 64, 64},
    {KLDVE_FIT_PAD, 20, 31, 128, 128},     {KLDVE_FIT_PAD, 2000, 40, 64, 64},
    {KLDVE_FIT_PAD, 1, 300, 64, 64},       {KLDVE_FIT_PAD_END, 300, 1, 64, 64},
    {KLDVE_FIT_SQUASH, 1, 300, 64, 64},
};

/* Black with a white square of `side` pixels. */
static kldve_image *marked(kldve_ctx *ctx, const fit_case *c, const int32_t at[2], int32_t side)
{
    kldve_image *image = NULL;

    assert_int_equal(kldve_image_new(ctx, c->width, c->height, &image), KLDVE_OK);
    for (int32_t y = at[1]; y < at[1] + side && y < c->height; y++)
        for (int32_t x = at[0]; x < at[0] + side && x < c->width; x++)
            for (int i = 0; i < 3; i++)
                kldve_image_edit(image)[3 * (y * c->width + x) + i] = 255;
    return image;
}

/* The middle of the light in the input, in its pixels. */
static void find_light(const float *input, const fit_case *c, double out[2])
{
    double sum = 0;

    out[0] = out[1] = 0;
    for (int32_t y = 0; y < c->in_height; y++)
        for (int32_t x = 0; x < c->in_width; x++) {
            double light = (double)input[y * c->in_width + x];

            out[0] += light * (x + 0.5);
            out[1] += light * (y + 0.5);
            sum += light;
        }
    assert_true(sum > 0);
    out[0] /= sum;
    out[1] /= sum;
}

static void check_mark(kldve_ctx *ctx, const fit_case *c, const int32_t at[2], int32_t side)
{
    const kldve_shape shape = {.struct_size = sizeof shape,
                               .in_channels = 3,
                               .in_height = c->in_height,
                               .in_width = c->in_width};
    const kldve_input_spec given = {.struct_size = sizeof given, .fit = c->fit};
    kldve_image *image = marked(ctx, c, at, side);
    float *input = malloc(3 * sizeof *input * (size_t)c->in_width * (size_t)c->in_height);
    kldve_frame frame = {.width = c->width, .height = c->height};
    kldve_input_spec spec;
    float part[2], seen[4], place[4];
    double light[2];
    int32_t middle[2];

    assert_int_equal(kldve_input_spec_load(ctx, &shape, &given, &spec), KLDVE_OK);
    assert_int_equal(kldve_preprocess(ctx, (const kldve_image *const[]){image}, &spec, &shape,
                                      input, &frame.view),
                     KLDVE_OK);
    find_light(input, c, light);
    middle[0] = at[0] + (side < c->width ? side / 2 : 0);
    middle[1] = at[1] + (side < c->height ? side / 2 : 0);
    assert_true(kldve_frame_point(&frame, middle[0], middle[1], part));
    for (int i = 0; i < 2; i++) { /* within a pixel of the input */
        double found = (double)part[i] * (i ? c->in_height : c->in_width);

        if (fabs(found - light[i]) > 1.01)
            fail_msg("case %d: %s %g, not %g", (int)(c - cases), i ? "y" : "x", found, light[i]);
    }
    kldve_frame_box(&frame, (const float[4]){part[0], part[1], part[0], part[1]}, place);
    for (int i = 0; i < 2; i++)
        if (fabs((double)place[i] - middle[i] - 0.5) > 0.01)
            fail_msg("case %d: back at %g, not %d", (int)(c - cases), (double)place[i], middle[i]);
    kldve_frame_seen(&frame, seen);
    assert_true(seen[0] >= 0 && seen[1] >= 0 && seen[2] <= (float)c->width);
    if (c->fit != KLDVE_FIT_CROP)
        assert_true(seen[0] < 0.01f && seen[3] > (float)c->height - 0.01f);
    free(input);
    kldve_image_free(image);
}

/* In the middle, and on either side of it. */
static void test_marks_are_found(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const fit_case *c = &cases[i];
        int32_t longer = c->width > c->height ? c->width : c->height, side = 1 + longer / 32;

        int32_t away = c->fit == KLDVE_FIT_CROP ? 0 : 1; /* elsewhere a crop may not see it */

        for (int32_t step = -away; step <= away; step++) {
            int32_t at[2] = {c->width / 2 + step * c->width / 8,
                             c->height / 2 + step * c->height / 8};

            check_mark(ctx, c, at, side);
        }
    }
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void test_refused(void **state)
{
    static const struct {
        kldve_input_spec spec;
        const char *message;
    } bad[] = {
        {{.fit = 4}, "unknown fit 4"},
        {{.fit = -1}, "unknown fit -1"},
        {{.interpolation = 7}, "unknown interpolation 7"},
        {{.fit = KLDVE_FIT_PAD, .center_crop = 8}, "the fit pad shows the whole picture"},
        {{.fit = KLDVE_FIT_PAD_END, .resize_shorter_side = 9}, "the fit pad-end shows"},
        {{.pad_by_colour = 1}, "changes nothing with the fit crop"},
        {{.fit = KLDVE_FIT_PAD, .pad_by_colour = 1, .pad = {NAN}}, "pad must be finite"},
    };
    const kldve_shape shape = {
        .struct_size = sizeof shape, .in_channels = 3, .in_height = 16, .in_width = 16};
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_input_spec out;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kldve_input_spec spec = bad[i].spec;

        spec.struct_size = sizeof spec;
        assert_int_equal(kldve_input_spec_load(ctx, &shape, &spec, &out), KLDVE_E_ARG);
        if (!strstr(kldve_ctx_message(ctx), bad[i].message))
            fail_msg("%s, not %s", kldve_ctx_message(ctx), bad[i].message);
    }
    assert_null(kldve_fit_name(4));
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks_are_found),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("preprocess", tests, NULL, NULL);
}
