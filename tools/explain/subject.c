/* subject.c - what is explained: a picture, or an array (.npy) that enters the network as it is. */
#include "explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool subject_is_array(const char *path)
{
    static const char *const arrays[] = {".npy", NULL};

    return path_has_ending(path, arrays);
}

int subject_check_args(const explain_args *args)
{
    const network_args *n = &args->network;
    const struct {
        bool given;
        const char *name;
    } of_pictures[] = {
        {n->channels > 0, "channels"}, {n->scale > 0, "scale"},   {n->mean.count > 0, "mean"},
        {n->std.count > 0, "std"},     {n->resize > 0, "resize"}, {n->crop > 0, "crop"},
    };

    for (size_t i = 0;
         subject_is_array(args->picture) && i < sizeof of_pictures / sizeof *of_pictures; i++)
        if (of_pictures[i].given)
            return args_usage("explain", "--%s changes nothing: %s enters the network as it is",
                              of_pictures[i].name, args->picture);
    if (subject_is_array(args->picture) && args->pick.over)
        return args_usage("explain", "--over needs a picture, %s is an array: use --at",
                          args->picture);
    return EXIT_DONE;
}

static bool check_finite(const char *path, const npy_array *a)
{
    for (size_t i = 0; i < a->count; i++)
        if (!(fabs(a->value[i]) <= (double)HUGE_VALF) || isinf((float)a->value[i])) {
            complain("%s: number %zu is %s: the network needs finite float32 numbers", path, i,
                     isnan(a->value[i]) ? "NaN" : "infinite or too large");
            return false;
        }
    return true;
}

bool subject_read(explanation *e, kldve_ctx *ctx, const explain_args *args)
{
    kldve_status status;

    if (subject_is_array(args->picture))
        return npy_read(args->picture, &e->array) && check_finite(args->picture, &e->array);
    status = kldve_image_load(ctx, args->picture, NULL, &e->picture);
    if (status != KLDVE_OK)
        complain_ctx(ctx, args->picture, status);
    return status == KLDVE_OK;
}

/* ---- arrays ------------------------------------------------------------------------------- */

/* "3 x 8 x 8" */
static void shape_text(int32_t rank, const int64_t *dim, char *out, size_t size)
{
    size_t used = 0;

    snprintf(out, size, "%s", rank == 0 ? "a single number" : "");
    for (int32_t i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%lld", i > 0 ? " x " : "",
                                 (long long)dim[i]);
}

/* The dimensions other than 1; returns how many. */
static int32_t without_ones(int32_t rank, const int64_t *dim, int64_t *out)
{
    int32_t n = 0;

    for (int32_t i = 0; i < rank; i++)
        if (dim[i] != 1)
            out[n++] = dim[i];
    return n;
}

static bool same_shape(const npy_array *a, const kldve_onnx_tensor *in)
{
    int64_t one[NPY_RANK], other[8];
    int32_t n = without_ones(a->rank, a->dim, one);

    return n == without_ones(in->rank, in->dim, other) &&
           memcmp(one, other, (size_t)n * sizeof *one) == 0;
}

/* [h][w][c] -> [c][h][w], or as it is. */
static void order(const npy_array *a, const kldve_shape *s, bool channels_last, float *out)
{
    size_t channels = channels_last ? (size_t)s->in_channels : 1, cells = a->count / channels;

    for (size_t i = 0; i < cells; i++)
        for (size_t c = 0; c < channels; c++)
            out[c * cells + i] = (float)a->value[i * channels + c];
}

bool subject_fit(const explanation *e, const network *net, const char *path, float **out)
{
    kldve_onnx_tensor in = {.struct_size = sizeof in};
    char has[128], wants[128];

    if (kldve_onnx_tensor_at(net->net, 0, &in) != KLDVE_OK || !same_shape(&e->array, &in)) {
        shape_text(e->array.rank, e->array.dim, has, sizeof has);
        shape_text(in.rank, in.dim, wants, sizeof wants);
        complain("%s: the array is %s, but the input '%s' of %s is %s", path, has, in.name,
                 net->name, wants);
        return false;
    }
    *out = malloc(e->array.count * sizeof **out + 1);
    if (!*out) {
        complain("out of memory");
        return false;
    }
    order(&e->array, &net->shape, in.channel_axis == 3, *out);
    return true;
}

/* ---- an array as a picture ---------------------------------------------------------------- */

static void limits_of(const float *value, size_t count, float *low, float *high)
{
    *low = *high = value[0];
    for (size_t i = 1; i < count; i++) {
        *low = fminf(*low, value[i]);
        *high = fmaxf(*high, value[i]);
    }
}

/* Grey or colours, from the least value (black) to the largest (white); alpha is left out. */
bool subject_draw(explanation *e)
{
    const kldve_shape *s = &e->net.shape;
    size_t cells = (size_t)s->in_height * (size_t)s->in_width;
    int32_t colours = s->in_channels == 1 ? 1 : 3;
    bool drawable = (s->in_channels == 1 || s->in_channels == 3 || s->in_channels == 4) &&
                    s->in_height > 1 && s->in_width > 1 && s->in_height <= 65535 &&
                    s->in_width <= 65535;
    float low, high;
    uint8_t *rgb;
    kldve_status status;

    if (!drawable)
        return true;
    status = kldve_image_new(e->net.ctx, s->in_width, s->in_height, &e->picture);
    if (status != KLDVE_OK) {
        complain_ctx(e->net.ctx, e->net.name, status);
        return false;
    }
    rgb = kldve_image_edit(e->picture);
    limits_of(e->input, cells * (size_t)colours, &low, &high);
    for (size_t i = 0; i < cells; i++)
        for (int32_t c = 0; c < 3; c++) {
            double v = (double)e->input[(size_t)(colours == 1 ? 0 : c) * cells + i] - (double)low;

            rgb[3 * i + (size_t)c] =
                high > low ? (uint8_t)(255 * v / ((double)high - (double)low) + 0.5) : 128;
        }
    return true;
}

kldve_status subject_explain(const explanation *e, const network *net, const kldve_options *o,
                             kldve_heatmap **map)
{
    return e->input ? kldve_explain_input(net->explainer, e->input, o, map)
                    : kldve_explain(net->explainer, e->picture, o, map);
}

void subject_free(explanation *e)
{
    npy_free(&e->array);
    free(e->input);
    kldve_image_free(e->picture);
}
