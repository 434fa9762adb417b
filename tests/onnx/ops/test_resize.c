/* test_resize.c - Resize against the rule of ONNX's specification, written down once more in
 * float64: every mode, coordinate, rounding and option over lengths whose coordinates float32 holds
 * exactly, so that what lies in the middle between two elements lies there exactly. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "op_case.h"

typedef struct setting {
    const char *mode, *transform, *rounding;
    int64_t in, out;
    bool excluded, antialias;
} setting;

static const char *const transforms[] = {"half_pixel",         "half_pixel_symmetric",
                                         "pytorch_half_pixel", "align_corners",
                                         "asymmetric",         "tf_crop_and_resize"};
static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
/* Whole ratios, their inverses, 1; and lengths - 1 with the same property for align_corners. */
static const int64_t lengths[][2] = {{4, 2}, {8, 2}, {2, 4}, {3, 6}, {6, 3}, {5, 3},
                                     {3, 5}, {9, 5}, {5, 5}, {1, 4}, {4, 1}, {12, 3}};

static const double region[2] = {0.25, 0.75};

/* ---- the rule -------------------------------------------------------------------------------- */

static double coordinate(const setting *s, int64_t o)
{
    double in = (double)s->in, out = (double)s->out, scale = out / in, x = (double)o;

    if (strcmp(s->transform, "align_corners") == 0)
        return s->out > 1 ? x * (in - 1) / (out - 1) : 0;
    if (strcmp(s->transform, "asymmetric") == 0)
        return x / scale;
    if (strcmp(s->transform, "pytorch_half_pixel") == 0 && s->out == 1)
        return 0;
    if (strcmp(s->transform, "tf_crop_and_resize") == 0)
        return s->out > 1
                   ? region[0] * (in - 1) + x * (region[1] - region[0]) * (in - 1) / (out - 1)
                   : 0.5 * (region[0] + region[1]) * (in - 1);
    return (x + 0.5) / scale - 0.5; /* the symmetric one is the same where scale * in is whole */
}

static double nearest(const setting *s, double x)
{
    if (strcmp(s->rounding, "floor") == 0)
        return floor(x);
    if (strcmp(s->rounding, "ceil") == 0)
        return ceil(x);
    return strcmp(s->rounding, "round_prefer_ceil") == 0 ? floor(x + 0.5) : ceil(x - 0.5);
}

static double cubic(double d)
{
    static const double a = -0.75;

    d = fabs(d);
    if (d <= 1)
        return (a + 2) * d * d * d - (a + 3) * d * d + 1;
    return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

static double linear(double d)
{
    return fabs(d) < 1 ? 1 - fabs(d) : 0;
}

/* weight[i] of input i in output o: elements beside the array count as its ends. */
static void weights(const setting *s, int64_t o, double *weight)
{
    double x = coordinate(s, o), sum = 0, wide = 1;
    bool is_cubic = strcmp(s->mode, "cubic") == 0;

    memset(weight, 0, (size_t)s->in * sizeof *weight);
    if (strcmp(s->mode, "nearest") == 0) {
        double at = nearest(s, x);

        weight[at < 0 ? 0 : at < (double)s->in ? (int64_t)at : s->in - 1] = 1;
        return;
    }
    if (s->antialias && s->out < s->in)
        wide = (double)s->in / (double)s->out;
    for (int64_t i = -40; i < s->in + 40; i++) {
        double w = is_cubic ? cubic(((double)i - x) / wide) : linear(((double)i - x) / wide);

        if (s->excluded && (is_cubic || wide > 1) && (i < 0 || i >= s->in))
            continue;
        weight[i < 0 ? 0 : i < s->in ? i : s->in - 1] += w;
        sum += w;
    }
    for (int64_t i = 0; i < s->in && ((s->excluded && is_cubic) || wide > 1); i++)
        weight[i] /= sum;
}

/* ---- the engine ------------------------------------------------------------------------------ */

/* Two axes at once: rows by `s`, columns by `t`, which share their attributes. */
static void check(const setting *s, const setting *t)
{
    bool crop = strcmp(s->transform, "tf_crop_and_resize") == 0;
    double down[64], across[64];
    char attributes[300], inputs[100];
    op_case c = {"Resize", 19, "Resize", attributes, inputs, 1};
    op_model *m;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_graph *g = NULL;
    plain *p;

    snprintf(attributes, sizeof attributes,
             "axes=(-2,-1) mode='%s' coordinate_transformation_mode='%s' nearest_mode='%s' "
             "exclude_outside=%d antialias=%d",
             s->mode, s->transform, s->rounding, s->excluded, s->antialias);
    snprintf(inputs, sizeof inputs, "2x%dx%d %s _ {%d,%d}", (int)s->in, (int)t->in,
             crop ? "c4:0.25,0.25,0.75,0.75" : "_", (int)s->out, (int)t->out);
    m = op_model_new(&c);
    if (op_model_graph(m, ctx, &g) != KLDVE_OK)
        fail_msg("%s, %s: %s", attributes, inputs, kldve_ctx_message(ctx));
    p = plain_new(g);
    op_model_fill(m, p);
    plain_forward(p);
    for (int64_t k = 0, at = 0; k < 2; k++)
        for (int64_t h = 0; h < s->out; h++)
            for (int64_t w = 0; w < t->out; w++, at++) {
                const float *x =
                    (const float *)plain_value(p, g->input[0])->data + k * s->in * t->in;
                double y = (double)((const float *)plain_value(p, g->output[0])->data)[at],
                       want = 0;

                weights(s, h, down);
                weights(t, w, across);
                for (int64_t i = 0; i < s->in; i++)
                    for (int64_t j = 0; j < t->in; j++)
                        want += down[i] * across[j] * (double)x[i * t->in + j];
                if (!(fabs(y - want) <= 2e-6 * (1 + fabs(want))))
                    fail_msg("%s, %s: element %d is %.9g, the rule gives %.9g", attributes, inputs,
                             (int)at, y, want);
            }
    plain_free(p);
    kx_graph_free(g);
    op_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static bool is_power(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

/* Whether float32 holds all coordinates: what is nearest hangs on the last bit. */
static bool is_exact(const setting *s)
{
    if (strcmp(s->transform, "align_corners") == 0 ||
        strcmp(s->transform, "tf_crop_and_resize") == 0)
        return s->out == 1 || is_power(s->out - 1);
    return (s->in % s->out == 0 && is_power(s->in / s->out)) ||
           (s->out % s->in == 0 && is_power(s->out / s->in));
}

static void check_lengths(setting s)
{
    bool any = strcmp(s.mode, "nearest") != 0;

    enum { N = sizeof lengths / sizeof *lengths };

    for (size_t i = 0; i < N; i++) {
        setting t = s;

        s.in = lengths[i][0];
        s.out = lengths[i][1];
        t.in = lengths[(i + 5) % N][0];
        t.out = lengths[(i + 5) % N][1];
        if (any || (is_exact(&s) && is_exact(&t)))
            check(&s, &t);
    }
}

static void test_nearest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++)
        for (size_t k = 0; k < sizeof roundings / sizeof *roundings; k++)
            check_lengths(
                (setting){.mode = "nearest", .transform = transforms[i], .rounding = roundings[k]});
}

static void test_smooth(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transforms / sizeof *transforms; i++)
        for (int k = 0; k < 8; k++)
            check_lengths((setting){.mode = k & 1 ? "cubic" : "linear",
                                    .transform = transforms[i],
                                    .rounding = "floor",
                                    .excluded = k & 2,
                                    .antialias = k & 4});
}

/* One scale for all axes, the smallest or largest that the sizes ask for; lengths are rounded. */
static void test_aspect(void **state)
{
    static const struct {
        const char *policy;
        int64_t size[2], out[2];
    } cases[] = {{"not_larger", {8, 6}, {6, 6}},
                 {"not_smaller", {8, 6}, {8, 8}},
                 {"not_larger", {2, 12}, {2, 2}},
                 {"not_smaller", {7, 2}, {7, 7}}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char attributes[100], inputs[100];
        op_case c = {"Resize", 19, "Resize", attributes, inputs, 1};
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kx_graph *g = NULL;
        op_model *m;

        snprintf(attributes, sizeof attributes,
                 "axes=(1,0) mode='linear' keep_aspect_ratio_policy='%s'", cases[i].policy);
        snprintf(inputs, sizeof inputs, "4x4 _ _ {%d,%d}", (int)cases[i].size[0],
                 (int)cases[i].size[1]);
        m = op_model_new(&c);
        if (op_model_graph(m, ctx, &g) != KLDVE_OK)
            fail_msg("%s", kldve_ctx_message(ctx));
        assert_int_equal(g->output[0]->shape.dim[0], cases[i].out[1]);
        assert_int_equal(g->output[0]->shape.dim[1], cases[i].out[0]);
        kx_graph_free(g);
        op_model_free(m);
        kldve_ctx_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_smooth),
        cmocka_unit_test(test_aspect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
