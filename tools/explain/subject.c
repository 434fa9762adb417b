/* subject.c - what is explained: a picture, or an array (.npy) that enters the network as it is. */
#include "explain.h"

#include "cli/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool subject_is_array(const char *path)
{
    static const char *const arrays[] = {".npy", NULL};

    return path_has_ending(path, arrays);
}

static bool all_arrays(const explain_args *args)
{
    for (int32_t i = 0; i < args->picture.count; i++)
        if (!subject_is_array(args->picture.text[i]))
            return false;
    return true;
}

int subject_check_args(const explain_args *args)
{
    const network_args *n = &args->network;
    const struct {
        bool given;
        const char *name;
    } of_pictures[] = {
        {n->channels > 0, "channels"}, {n->scale > 0, "scale"},
        {n->mean.count > 0, "mean"},   {n->std.count > 0, "std"},
        {n->resize > 0, "resize"},     {n->crop > 0, "crop"},
        {n->fit > 0, "fit"},           {n->interpolation > 0, "interpolation"},
        {n->pad.count > 0, "pad"},
    };

    for (size_t i = 0;
         subject_is_array(args->picture.text[0]) && i < sizeof of_pictures / sizeof *of_pictures;
         i++)
        if (of_pictures[i].given)
            return args_usage("explain", "--%s changes nothing: %s enters the network as it is",
                              of_pictures[i].name, args->picture.text[0]);
    if (subject_is_array(args->picture.text[0]) && !all_arrays(args))
        return args_usage("explain", "%s holds all frames: give no picture beside it",
                          args->picture.text[0]);
    if (!subject_is_array(args->picture.text[0]) && n->item > 0)
        return args_usage("explain",
                          "--item changes nothing: %s is one picture; it says which of "
                          "an array of several (.npy)",
                          args->picture.text[0]);
    if (subject_is_array(args->picture.text[0]) && args->pick.over)
        return args_usage("explain", "--over needs a picture, %s is an array: use --at",
                          args->picture.text[0]);
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

static bool check_item(const explanation *e, const char *path)
{
    if (e->item < 0 || (e->array.rank > 0 && e->item < e->array.dim[0]))
        return true;
    complain("%s: --item %d: the array has %lld pictures along its first axis, from 0", path,
             (int)e->item, e->array.rank > 0 ? (long long)e->array.dim[0] : 1LL);
    return false;
}

bool subject_read(explanation *e, kldve_ctx *ctx, const explain_args *args)
{
    e->item = args->network.item - 1;
    if (subject_is_array(args->picture.text[0]))
        return npy_read(args->picture.text[0], &e->array) &&
               check_finite(args->picture.text[0], &e->array) &&
               check_item(e, args->picture.text[0]);
    e->frame = calloc((size_t)args->picture.count, sizeof *e->frame);
    if (!e->frame) {
        complain("out of memory");
        return false;
    }
    for (; e->frames < args->picture.count; e->frames++) {
        const char *path = args->picture.text[e->frames];

        if (!picture_load(ctx, path, args->picture.count == 1, &e->frame[e->frames]))
            return false;
    }
    e->picture = e->frame[0];
    return true;
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

/* The picture of the batch that --item says, as an array of its own. */
static npy_array picked_item(const npy_array *a, int32_t item)
{
    npy_array one = *a;

    one.count = a->count / (size_t)a->dim[0];
    one.dim[0] = 1;
    one.value = a->value + (size_t)item * one.count;
    return one;
}

/* What to do about an array of another shape, where that is a batch of the right one. */
static const char *item_hint(const npy_array *a, const kldve_onnx_tensor *in)
{
    npy_array one;

    if (a->rank == 0 || a->dim[0] < 2)
        return "";
    one = picked_item(a, 0);
    return same_shape(&one, in) ? ": --item N says which of its pictures" : "";
}

bool subject_fit(const explanation *e, const network *net, const char *path, float **out)
{
    kldve_onnx_tensor in = {.struct_size = sizeof in};
    npy_array subject = e->array;
    char has[128], wants[128];
    float *values;

    if (e->item >= 0)
        subject = picked_item(&e->array, e->item);
    if (kldve_onnx_tensor_at(net->net, 0, &in) != KLDVE_OK || !same_shape(&subject, &in)) {
        shape_text(e->array.rank, e->array.dim, has, sizeof has);
        shape_text(in.rank, in.dim, wants, sizeof wants);
        complain("%s: the array is %s, but the input '%s' of %s is %s%s", path, has, in.name,
                 net->name, wants, e->item < 0 ? item_hint(&e->array, &in) : "");
        return false;
    }
    values = npy_floats(&subject);
    *out = malloc(subject.count * sizeof **out + 1);
    if (values && *out && kldve_onnx_arrange(net->net, values, *out) == KLDVE_OK) {
        free(values);
        return true;
    }
    complain("out of memory");
    free(values);
    free(*out);
    *out = NULL;
    return false;
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
                    : kldve_explain_film(net->explainer, (const kldve_image *const *)e->frame,
                                         e->frames, o, map);
}

bool subject_fits_frames(const explanation *e)
{
    int32_t wants = e->net.shape.in_frames;

    if (e->input || e->frames == wants)
        return true;
    if (wants > 1)
        complain("%s: the network takes films of %d frames, and %d picture%s given: give one for "
                 "each frame, in the order of time, or an array (.npy)",
                 e->net.name, (int)wants, (int)e->frames, e->frames > 1 ? "s are" : " is");
    else
        complain("%s: the network takes one picture, and %d are given; of several pictures and one "
                 "network `kldve compare` shows the maps",
                 e->net.name, (int)e->frames);
    return false;
}

void subject_free(explanation *e)
{
    npy_free(&e->array);
    free(e->input);
    if (e->frames == 0)
        kldve_image_free(e->picture); /* drawn from the array */
    for (int32_t i = 0; i < e->frames; i++)
        kldve_image_free(e->frame[i]);
    free(e->frame);
    free(e->set);
    e->input = NULL;
    e->picture = NULL;
    e->frame = NULL;
    e->frames = 0;
    e->set = NULL;
}
