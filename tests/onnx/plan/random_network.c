/* random_network.c - see random_network.h. */
#include "random_network.h"

#include <math.h>
#include <string.h>

#include "onnx/networks/onnx_writer.h"
#include "support.h"

enum {
    VALUES = 96,  /* that later steps may read */
    NODES = 26,   /* enough: no further step */
    STEPS = 14,   /* at most */
    SMALL = 9000, /* numbers in a value, usually */
    BIG = 60000,  /* in some networks: enough for two threads everywhere */
    NAME = 12,    /* bytes of a name */
    LIST = 160    /* of several */
};

typedef struct value {
    char name[NAME];
    int64_t dim[4]; /* [1][c][h][w] */
    int reads;
} value;

typedef struct drawing {
    writer *w;
    FILE *listing;
    bool linear, bare;
    int64_t most; /* numbers in a value */
    uint64_t seed;
    uint64_t weights; /* the seed of the next tensor of weights */
    int names, nodes, n;
    int joined[8], njoined; /* the last concatenation and its parts */
    value v[VALUES];
} drawing;

/* ---- drawing and writing --------------------------------------------------------------------- */

static int pick(drawing *d, int n)
{
    return (int)(test_random(&d->seed) * n);
}

static bool chance(drawing *d, double p)
{
    return test_random(&d->seed) < p;
}

static void new_name(drawing *d, char name[NAME])
{
    snprintf(name, NAME, "v%d", d->names++);
}

static void begin(drawing *d, const char *op, const char *in, const char *out)
{
    onnx_node(d->w, op, in, out);
    d->nodes++;
    if (d->listing)
        fprintf(d->listing, "    %s = %s(%s)", out, op, in);
}

static void attr_int(drawing *d, const char *name, int64_t x)
{
    onnx_int(d->w, name, x);
    if (d->listing)
        fprintf(d->listing, " %s=%d", name, (int)x);
}

static void attr_float(drawing *d, const char *name, double x)
{
    onnx_float(d->w, name, (float)x);
    if (d->listing)
        fprintf(d->listing, " %s=%g", name, x);
}

static void attr_string(drawing *d, const char *name, const char *x)
{
    onnx_string(d->w, name, x);
    if (d->listing)
        fprintf(d->listing, " %s=%s", name, x);
}

static void list(drawing *d, const char *name, int n, const int64_t *x)
{
    if (!d->listing)
        return;
    fprintf(d->listing, " %s=", name);
    for (int i = 0; i < n; i++)
        fprintf(d->listing, "%s%d", i ? "," : "", (int)x[i]);
}

static void attr_ints(drawing *d, const char *name, int n, const int64_t *x)
{
    onnx_ints(d->w, name, n, x);
    list(d, name, n, x);
}

static void end(drawing *d)
{
    onnx_node_end(d->w);
    if (d->listing)
        fputc('\n', d->listing);
}

static void weights(drawing *d, char name[NAME], int rank, const int64_t *dim, double mean,
                    double deviation)
{
    snprintf(name, NAME, "w%d", d->names++);
    onnx_normal(d->w, name, rank, dim, mean, deviation, d->weights++);
}

static void positive(drawing *d, char name[NAME], int rank, const int64_t *dim)
{
    snprintf(name, NAME, "w%d", d->names++);
    onnx_uniform(d->w, name, rank, dim, 0.5, 1.5, d->weights++);
}

static void number(drawing *d, char name[NAME], double x)
{
    float f = (float)x;

    snprintf(name, NAME, "w%d", d->names++);
    onnx_floats(d->w, name, 0, NULL, &f);
}

static void integers(drawing *d, char name[NAME], int n, const int64_t *x)
{
    snprintf(name, NAME, "w%d", d->names++);
    onnx_int64s(d->w, name, n, x);
}

static const char *names(char out[LIST], const char *a, const char *b, const char *c)
{
    snprintf(out, LIST, "%s%s%s%s%s", a, b ? "," : "", b ? b : "", c ? "," : "", c ? c : "");
    return out;
}

/* ---- values ---------------------------------------------------------------------------------- */

static int add(drawing *d, int64_t c, int64_t h, int64_t w)
{
    value *v = &d->v[d->n];

    new_name(d, v->name);
    v->dim[0] = 1;
    v->dim[1] = c;
    v->dim[2] = h;
    v->dim[3] = w;
    v->reads = 0;
    return d->n++;
}

static int like(drawing *d, int x)
{
    return add(d, d->v[x].dim[1], d->v[x].dim[2], d->v[x].dim[3]);
}

static bool same(const drawing *d, int a, int b)
{
    return memcmp(d->v[a].dim, d->v[b].dim, sizeof d->v[a].dim) == 0;
}

static bool same_cells(const drawing *d, int a, int b)
{
    return d->v[a].dim[2] == d->v[b].dim[2] && d->v[a].dim[3] == d->v[b].dim[3];
}

static const char *read1(drawing *d, int x)
{
    d->v[x].reads++;
    return d->v[x].name;
}

/* Any value; recent ones more often. */
static int some(drawing *d)
{
    return chance(d, 0.6) ? d->n - 1 - pick(d, d->n < 3 ? d->n : 3) : pick(d, d->n);
}

static bool has_bias(drawing *d)
{
    return chance(d, 0.6) && !d->bare;
}

typedef bool relation(const drawing *d, int a, int b);

/* A value, not necessarily another one, that goes with x; -1: only x itself does. */
static int partner(drawing *d, int x, relation *fits)
{
    int found[VALUES], n = 0;

    for (int i = 0; i < d->n; i++)
        if (i != x && fits(d, x, i))
            found[n++] = i;
    return n ? found[pick(d, n)] : -1;
}

/* A node with one input and a new value of the same shape; left open for attributes. */
static int begin_like(drawing *d, const char *op, int x)
{
    int y = like(d, x);

    begin(d, op, read1(d, x), d->v[y].name);
    return y;
}

static int simple(drawing *d, const char *op, int x)
{
    int y = begin_like(d, op, x);

    end(d);
    return y;
}

static int binary(drawing *d, const char *op, int a, int b, int shape_of)
{
    int y = like(d, shape_of);
    char in[LIST];

    begin(d, op, names(in, read1(d, a), read1(d, b), NULL), d->v[y].name);
    end(d);
    return y;
}

/* ---- convolutions ---------------------------------------------------------------------------- */

typedef struct conv {
    int64_t out, groups, kernel[2], stride[2], dilation[2], pads[4];
} conv;

static int64_t reach(int64_t in, const conv *c, int i)
{
    int64_t span = c->dilation[i] * (c->kernel[i] - 1) + 1, room = in + c->pads[i] + c->pads[2 + i];

    return room < span ? 0 : (room - span) / c->stride[i] + 1;
}

/* -1: it does not fit. */
static int convolve(drawing *d, int x, const conv *c, bool bias)
{
    int64_t in = d->v[x].dim[1], h = reach(d->v[x].dim[2], c, 0), w = reach(d->v[x].dim[3], c, 1);
    const int64_t dim[4] = {c->out, in / c->groups, c->kernel[0], c->kernel[1]};
    double fan = (double)(dim[1] * dim[2] * dim[3]);
    char weight[NAME], b[NAME], inputs[LIST];
    int y;

    if (h < 1 || w < 1 || c->out * h * w > d->most)
        return -1;
    weights(d, weight, 4, dim, 0, 1.3 / sqrt(fan));
    if (bias)
        weights(d, b, 1, &c->out, 0, 0.3);
    y = add(d, c->out, h, w);
    begin(d, "Conv", names(inputs, read1(d, x), weight, bias ? b : NULL), d->v[y].name);
    list(d, "weights", 4, dim);
    if (c->groups > 1)
        attr_int(d, "group", c->groups);
    attr_ints(d, "pads", 4, c->pads);
    attr_ints(d, "strides", 2, c->stride);
    attr_ints(d, "dilations", 2, c->dilation);
    end(d);
    return y;
}

static int64_t some_maps(drawing *d)
{
    static const int64_t maps[] = {1, 3, 4, 5, 7, 8, 8, 12, 16, 16, 16, 16, 20, 24, 32, 32};

    return maps[pick(d, sizeof maps / sizeof *maps)];
}

/* A convolution that keeps height and width. */
static int conv_to(drawing *d, int x, int64_t out, int64_t kernel)
{
    int64_t p = kernel / 2;
    conv c = {out, 1, {kernel, kernel}, {1, 1}, {1, 1}, {p, p, p, p}};

    return convolve(d, x, &c, has_bias(d));
}

static int step_conv(drawing *d, int x)
{
    static const int64_t kernels[] = {1, 1, 3, 3, 3, 5, 2};
    int64_t in = d->v[x].dim[1], k = kernels[pick(d, 7)];
    conv c = {some_maps(d), 1, {k, k}, {1, 1}, {1, 1}, {k / 2, k / 2, k / 2, k / 2}};

    if (chance(d, 0.3)) {
        c.groups = chance(d, 0.6) ? in : in % 4 == 0 && chance(d, 0.5) ? 4 : in % 2 == 0 ? 2 : 1;
        c.out = c.groups == in && chance(d, 0.7) ? in : c.groups * (1 + pick(d, 4));
    }
    for (int i = 0; i < 2; i++) {
        if (chance(d, 0.1))
            c.kernel[i] = kernels[pick(d, 7)];
        if (chance(d, 0.15))
            c.stride[i] = 2;
        if (chance(d, 0.1))
            c.dilation[i] = 2;
    }
    for (int i = 0; i < 4; i++)
        if (chance(d, 0.1))
            c.pads[i] = pick(d, (int)c.kernel[i % 2]);
    return convolve(d, x, &c, has_bias(d));
}

/* ---- one input ------------------------------------------------------------------------------- */

static int clip(drawing *d, int x)
{
    int y = like(d, x);
    char lo[NAME], hi[NAME], in[LIST];

    number(d, lo, chance(d, 0.5) ? 0 : -0.8);
    number(d, hi, chance(d, 0.5) ? 6 : 0.9);
    begin(d, "Clip", names(in, read1(d, x), lo, hi), d->v[y].name);
    end(d);
    return y;
}

static int hard_sigmoid(drawing *d, int x)
{
    int y = begin_like(d, "HardSigmoid", x);

    attr_float(d, "alpha", 1.0 / 6);
    attr_float(d, "beta", 0.5);
    end(d);
    return y;
}

static int leaky(drawing *d, int x)
{
    int y = begin_like(d, "LeakyRelu", x);

    attr_float(d, "alpha", chance(d, 0.2) ? -0.3 : 0.1);
    end(d);
    return y;
}

static int prelu(drawing *d, int x)
{
    int y = like(d, x);
    const int64_t dim[3] = {d->v[x].dim[1], 1, 1};
    char slope[NAME], in[LIST];

    weights(d, slope, 3, dim, 0.1, 0.3);
    begin(d, "PRelu", names(in, read1(d, x), slope, NULL), d->v[y].name);
    end(d);
    return y;
}

static int elu(drawing *d, int x)
{
    int y = begin_like(d, "Elu", x);

    attr_float(d, "alpha", chance(d, 0.5) ? 1 : 0.7);
    end(d);
    return y;
}

static int softmax(drawing *d, int x)
{
    int y = begin_like(d, "Softmax", x);

    attr_int(d, "axis", 1);
    end(d);
    return y;
}

/* A number between 0 and 1 for each of x. */
static int gate(drawing *d, int x)
{
    return chance(d, 0.6) ? simple(d, "Sigmoid", x) : hard_sigmoid(d, x);
}

static int step_act(drawing *d, int x)
{
    if (chance(d, 0.4))
        return simple(d, "Relu", x);
    switch (pick(d, d->linear ? 3 : 14)) {
    case 0:
        return leaky(d, x);
    case 1:
        return prelu(d, x);
    case 2:
        return simple(d, chance(d, 0.5) ? "Abs" : "Neg", x);
    case 3:
    case 4:
        return clip(d, x);
    case 5:
        return simple(d, "Sigmoid", x);
    case 6:
        return simple(d, "Tanh", x);
    case 7:
        return elu(d, x);
    case 8:
    case 9:
        return simple(d, "HardSwish", x);
    case 10:
        return softmax(d, x);
    case 11:
        return simple(d, "Softplus", x);
    default: { /* swish, and its hard form as exporters spell it */
        int g = gate(d, x);

        return chance(d, 0.5) ? binary(d, "Mul", x, g, x) : binary(d, "Mul", g, x, x);
    }
    }
}

static int step_norm(drawing *d, int x)
{
    int y = d->bare ? x : like(d, x);
    const int64_t *maps = &d->v[x].dim[1];
    char scale[NAME], shift[NAME], mean[NAME], var[NAME], in[LIST];

    if (d->bare)
        return x;
    positive(d, scale, 1, maps);
    weights(d, shift, 1, maps, 0, 0.3);
    weights(d, mean, 1, maps, 0, 0.3);
    positive(d, var, 1, maps);
    snprintf(in, sizeof in, "%s,%s,%s,%s,%s", read1(d, x), scale, shift, mean, var);
    begin(d, "BatchNormalization", in, d->v[y].name);
    end(d);
    return y;
}

/* With a constant: one number, one for each map, or a whole array. */
static int step_constant(drawing *d, int x)
{
    static const char *const ops[] = {"Add", "Mul", "Sub", "Div", "Max"};
    const char *op = d->bare ? "Mul" : ops[pick(d, d->linear ? 2 : 5)];
    int64_t dim[4] = {1, d->v[x].dim[1], 1, 1};
    int64_t *first = chance(d, 0.5) ? dim : dim + 1;
    int rank = first == dim ? 4 : 3, y;
    char c[NAME], in[LIST];

    if (chance(d, 0.3)) {
        number(d, c, chance(d, 0.5) ? 0.5 : -1.25);
    } else {
        if (!d->linear && chance(d, 0.3)) {
            dim[2] = d->v[x].dim[2];
            dim[3] = d->v[x].dim[3];
        }
        positive(d, c, rank, first);
    }
    y = like(d, x);
    if (d->linear || strcmp(op, "Div") == 0 || chance(d, 0.6))
        names(in, read1(d, x), c, NULL);
    else
        names(in, c, read1(d, x), NULL);
    begin(d, op, in, d->v[y].name);
    end(d);
    return y;
}

static int step_lrn(drawing *d, int x)
{
    static const int64_t sizes[] = {5, 3, 1, 4};
    int y = begin_like(d, "LRN", x);

    attr_int(d, "size", sizes[pick(d, 4)]);
    attr_float(d, "alpha", 0.2);
    attr_float(d, "beta", 0.75);
    end(d);
    return y;
}

static int step_pool(drawing *d, int x)
{
    bool max = chance(d, 0.5), ceil_mode = chance(d, 0.3);
    int64_t k = 2 + pick(d, 2), kernel[2] = {k, k}, stride[2] = {1, 1}, pads[4] = {0}, out[2];
    int y;

    for (int i = 0; i < 2; i++) {
        stride[i] = 1 + pick(d, 2);
        if (chance(d, 0.1))
            kernel[i] = 1 + pick(d, 3);
    }
    for (int i = 0; i < 4; i++)
        pads[i] = chance(d, 0.4) ? pick(d, (int)kernel[i % 2]) : 0;
    for (int i = 0; i < 2; i++) {
        int64_t room = d->v[x].dim[2 + i] + pads[i] + pads[2 + i] - kernel[i];

        if (room < 0)
            return -1;
        out[i] = room / stride[i] + 1;
        if (ceil_mode && room % stride[i] != 0 && out[i] * stride[i] < d->v[x].dim[2 + i] + pads[i])
            out[i]++; /* otherwise the last window would begin after the array */
    }
    y = add(d, d->v[x].dim[1], out[0], out[1]);
    begin(d, max ? "MaxPool" : "AveragePool", read1(d, x), d->v[y].name);
    attr_ints(d, "kernel_shape", 2, kernel);
    attr_ints(d, "strides", 2, stride);
    attr_ints(d, "pads", 4, pads);
    if (ceil_mode)
        attr_int(d, "ceil_mode", 1);
    if (!max && chance(d, 0.5))
        attr_int(d, "count_include_pad", 1);
    end(d);
    return y;
}

static int step_pad(drawing *d, int x)
{
    static const char *const modes[] = {"constant", "reflect", "edge"};
    int64_t pads[8] = {0, 0, pick(d, 3), pick(d, 2), 0, 0, pick(d, 2), pick(d, 3)}, h, w;
    char p[NAME], in[LIST];
    int y;

    if (d->v[x].dim[2] < 3 || d->v[x].dim[3] < 3)
        return -1;
    h = d->v[x].dim[2] + pads[2] + pads[6];
    w = d->v[x].dim[3] + pads[3] + pads[7];
    if (d->v[x].dim[1] * h * w > d->most)
        return -1;
    integers(d, p, 8, pads);
    y = add(d, d->v[x].dim[1], h, w);
    begin(d, "Pad", names(in, read1(d, x), p, NULL), d->v[y].name);
    list(d, "pads", 8, pads);
    attr_string(d, "mode", modes[pick(d, 3)]);
    end(d);
    return y;
}

static int step_resize(drawing *d, int x)
{
    const int64_t to[4] = {1, d->v[x].dim[1], d->v[x].dim[2] * (1 + pick(d, 2)),
                           d->v[x].dim[3] * 2 - pick(d, 2)};
    bool nearest = chance(d, 0.5);
    char sizes[NAME], in[LIST];
    int y;

    if (to[1] * to[2] * to[3] > d->most || to[2] > 24 || to[3] > 24)
        return -1;
    integers(d, sizes, 4, to);
    y = add(d, to[1], to[2], to[3]);
    snprintf(in, sizeof in, "%s,,,%s", read1(d, x), sizes);
    begin(d, "Resize", in, d->v[y].name);
    attr_string(d, "mode", nearest ? "nearest" : "linear");
    attr_string(d, "coordinate_transformation_mode", nearest ? "asymmetric" : "half_pixel");
    if (nearest)
        attr_string(d, "nearest_mode", "floor");
    end(d);
    return y;
}

static int step_global(drawing *d, int x)
{
    static const char *const ops[] = {"GlobalAveragePool", "GlobalMaxPool", "ReduceMean"};
    const char *op = ops[pick(d, 3)];
    const int64_t axes[2] = {2, 3};
    int y = add(d, d->v[x].dim[1], 1, 1);

    begin(d, op, read1(d, x), d->v[y].name);
    if (strcmp(op, "ReduceMean") == 0)
        attr_ints(d, "axes", 2, axes);
    end(d);
    return y;
}

static int step_copy(drawing *d, int x)
{
    return simple(d, chance(d, 0.5) ? "Identity" : "Dropout", x);
}

/* ---- parts and other orders ------------------------------------------------------------------ */

static int step_split(drawing *d, int x)
{
    int64_t c = d->v[x].dim[1], part[3];
    int n = 2 + pick(d, 2), y[3];
    char sizes[NAME], in[LIST], out[LIST];

    if (c < n)
        return -1;
    part[0] = c % 2 == 0 && chance(d, 0.5) ? c / n : 1 + pick(d, (int)c - n + 1);
    part[1] = n == 2 ? c - part[0] : 1 + pick(d, (int)(c - part[0] - 1));
    part[2] = c - part[0] - part[1];
    integers(d, sizes, n, part);
    for (int i = 0; i < n; i++)
        y[i] = add(d, part[i], d->v[x].dim[2], d->v[x].dim[3]);
    begin(d, "Split", names(in, read1(d, x), sizes, NULL),
          names(out, d->v[y[0]].name, d->v[y[1]].name, n == 3 ? d->v[y[2]].name : NULL));
    attr_int(d, "axis", 1);
    list(d, "sizes", n, part);
    end(d);
    return y[0];
}

static int step_slice(drawing *d, int x)
{
    int axis = 1 + pick(d, 3);
    int64_t n = d->v[x].dim[axis], from, to, dim[4], step = 1, at = axis;
    char starts[NAME], ends[NAME], axes[NAME], steps[NAME], in[LIST];
    int y;

    if (n < 2)
        return -1;
    from = pick(d, (int)n / 2);
    to = n - pick(d, (int)n / 2);
    step = axis > 1 && chance(d, 0.3) ? 2 : 1;
    memcpy(dim, d->v[x].dim, sizeof dim);
    dim[axis] = (to - from + step - 1) / step;
    integers(d, starts, 1, &from);
    integers(d, ends, 1, &to);
    integers(d, axes, 1, &at);
    integers(d, steps, 1, &step);
    y = add(d, dim[1], dim[2], dim[3]);
    snprintf(in, sizeof in, "%s,%s,%s,%s,%s", read1(d, x), starts, ends, axes, steps);
    begin(d, "Slice", in, d->v[y].name);
    list(d, "axis,from,to,step", 4, (const int64_t[]){axis, from, to, step});
    end(d);
    return y;
}

static void transpose(drawing *d, const char *from, const char *to, const int64_t perm[4])
{
    begin(d, "Transpose", from, to);
    attr_ints(d, "perm", 4, perm);
    end(d);
}

/* Channels last and back, with something in between. */
static int step_transpose(drawing *d, int x)
{
    static const int64_t last[4] = {0, 2, 3, 1}, first[4] = {0, 3, 1, 2};
    int64_t in = d->v[x].dim[1], out = chance(d, 0.5) ? in : some_maps(d);
    const int64_t dim[2] = {in, out};
    char a[NAME], b[NAME], c[NAME], w[NAME], inputs[LIST];
    bool dense = out != in || chance(d, 0.4);
    int y;

    if (out * d->v[x].dim[2] * d->v[x].dim[3] > d->most)
        return -1;
    new_name(d, a);
    new_name(d, b);
    new_name(d, c);
    transpose(d, read1(d, x), a, last);
    if (dense) {
        weights(d, w, 2, dim, 0, 1.3 / sqrt((double)in));
        begin(d, "MatMul", names(inputs, a, w, NULL), b);
        list(d, "weights", 2, dim);
    } else {
        begin(d, "Relu", a, b);
    }
    end(d);
    y = add(d, out, d->v[x].dim[2], d->v[x].dim[3]);
    if (dense && has_bias(d)) {
        weights(d, w, 1, &out, 0, 0.3);
        begin(d, "Add", names(inputs, b, w, NULL), c);
        end(d);
        transpose(d, c, d->v[y].name, first);
    } else {
        transpose(d, b, d->v[y].name, first);
    }
    return y;
}

static void reshape(drawing *d, const char *from, const char *to, int rank, const int64_t *dim)
{
    char shape[NAME], in[LIST];

    integers(d, shape, rank, dim);
    begin(d, "Reshape", names(in, from, shape, NULL), to);
    list(d, "to", rank, dim);
    end(d);
}

/* The channels of groups taken in turns. */
static int step_shuffle(drawing *d, int x)
{
    static const int64_t turn[4] = {0, 2, 1, 3};
    int64_t c = d->v[x].dim[1], g = c % 4 == 0 ? 4 : 2;
    const int64_t apart[4] = {1, g, c / g, d->v[x].dim[2] * d->v[x].dim[3]};
    char a[NAME], b[NAME];
    int y;

    if (c % 2 != 0)
        return -1;
    new_name(d, a);
    new_name(d, b);
    reshape(d, read1(d, x), a, 4, apart);
    transpose(d, a, b, turn);
    y = like(d, x);
    reshape(d, b, d->v[y].name, 4, d->v[y].dim);
    return y;
}

/* Rank 3: a sequence of cells. */
static int step_sequence(drawing *d, int x)
{
    const int64_t to[3] = {1, d->v[x].dim[1], d->v[x].dim[2] * d->v[x].dim[3]};
    const int64_t dim[2] = {to[2], to[2]};
    char a[NAME], b[NAME], c[NAME], w[4][NAME], in[LIST];
    int y;

    if (to[2] > 64)
        return -1;
    new_name(d, a);
    new_name(d, b);
    new_name(d, c);
    reshape(d, read1(d, x), a, 3, to);
    if (chance(d, 0.4) || d->bare) {
        weights(d, w[0], 2, dim, 0, 1.3 / sqrt((double)to[2]));
        begin(d, "MatMul", names(in, a, w[0], NULL), b);
        list(d, "weights", 2, dim);
    } else {
        for (int i = 0; i < 4; i++)
            positive(d, w[i], 1, &to[1]);
        snprintf(in, sizeof in, "%s,%s,%s,%s,%s", a, w[0], w[1], w[2], w[3]);
        begin(d, "BatchNormalization", in, b);
    }
    end(d);
    if (chance(d, 0.5))
        begin(d, "Add", names(in, a, b, NULL), c);
    else
        begin(d, chance(d, 0.5) ? "Relu" : "Neg", b, c);
    end(d);
    y = like(d, x);
    reshape(d, c, d->v[y].name, 4, d->v[y].dim);
    return y;
}

/* The same numbers in another shape. */
static int step_reshape(drawing *d, int x)
{
    int64_t c = d->v[x].dim[1], h = d->v[x].dim[2], w = d->v[x].dim[3];
    int y;

    if (c % 2 == 0 && w <= 12 && chance(d, 0.5))
        y = add(d, c / 2, h, 2 * w);
    else if (h % 2 == 0 && h > 2)
        y = add(d, 2 * c, h / 2, w);
    else
        return -1;
    reshape(d, read1(d, x), d->v[y].name, 4, d->v[y].dim);
    return y;
}

/* Of n values; -1: too large. */
static int concat(drawing *d, int n, const int *part, int axis)
{
    int64_t dim[4];
    char in[LIST] = "";
    int y;

    memcpy(dim, d->v[part[0]].dim, sizeof dim);
    for (int i = 1; i < n; i++)
        dim[axis] += d->v[part[i]].dim[axis];
    if (dim[1] * dim[2] * dim[3] > d->most)
        return -1;
    for (int i = 0; i < n; i++)
        snprintf(in + strlen(in), sizeof in - strlen(in), "%s%s", i ? "," : "", read1(d, part[i]));
    y = add(d, dim[1], dim[2], dim[3]);
    begin(d, "Concat", in, d->v[y].name);
    attr_int(d, "axis", axis);
    end(d);
    if (axis == 1 && n < 7) {
        d->joined[0] = y;
        memcpy(d->joined + 1, part, (size_t)n * sizeof *part);
        d->njoined = n + 1;
    }
    return y;
}

/* A concatenation and its parts once more, or some of them, from the first or last on. */
static int concat_again(drawing *d)
{
    int part[8], from = pick(d, 2), n = d->njoined - from, first = pick(d, n);

    if (from == 0 && chance(d, 0.5))
        first = chance(d, 0.5) ? 0 : 1;
    for (int i = 0; i < n; i++)
        part[i] = d->joined[from + (first + i) % n];
    if (n > 2 && chance(d, 0.3))
        n--;
    return concat(d, n, part, 1);
}

static int step_concat(drawing *d, int x)
{
    int n = chance(d, 0.05) ? 1 : 2 + pick(d, 3), part[5] = {x}, at = pick(d, n), turned[5];
    int axis = chance(d, 0.85) ? 1 : 2 + pick(d, 2);

    if (d->njoined && chance(d, 0.2))
        return concat_again(d);
    for (int i = 1; i < n; i++) {
        part[i] = chance(d, 0.1) ? part[pick(d, i)] : partner(d, x, axis == 1 ? same_cells : same);
        if (part[i] < 0) /* make one */
            part[i] = axis == 1 ? conv_to(d, x, some_maps(d), 3) : simple(d, "Relu", x);
        if (part[i] < 0)
            return -1;
    }
    for (int i = 0; i < n; i++)
        turned[i] = part[(at + i) % n];
    return concat(d, n, turned, axis);
}

/* ---- several inputs -------------------------------------------------------------------------- */

/* Something of the shape of x other than x: an earlier value if there is one. */
static int other(drawing *d, int x)
{
    int y = chance(d, 0.8) ? partner(d, x, same) : -1;

    return y >= 0 ? y : conv_to(d, x, d->v[x].dim[1], chance(d, 0.6) ? 3 : 1);
}

static int step_binary(drawing *d, int x)
{
    static const char *const ops[] = {"Add", "Add", "Add", "Sub", "Max",
                                      "Min", "Mul", "Mul", "Div"};
    static const char *const sums[] = {"Sum", "Mean", "Max"};
    int y = chance(d, 0.07) ? x : other(d, x), z;
    const char *op = ops[pick(d, d->linear ? 6 : 9)];
    char one[NAME], in[LIST];

    if (y < 0)
        return -1;
    if (*op == 'D') { /* by something between 1 and 2 */
        y = gate(d, y);
        z = like(d, y);
        number(d, one, 1);
        begin(d, "Add", names(in, read1(d, y), one, NULL), d->v[z].name);
        end(d);
        y = z;
    } else if (*op == 'M' && op[1] == 'u' && chance(d, 0.8)) {
        y = gate(d, y);
    } else if (chance(d, 0.1)) {
        z = like(d, x);
        begin(d, sums[pick(d, 3)], names(in, read1(d, x), read1(d, y), read1(d, x)), d->v[z].name);
        end(d);
        return z;
    }
    return *op == 'D' || chance(d, 0.5) ? binary(d, op, x, y, x) : binary(d, op, y, x, x);
}

static bool is_vector(const drawing *d, int x, int i)
{
    return d->v[i].dim[1] == d->v[x].dim[1] && d->v[i].dim[2] == 1 && d->v[i].dim[3] == 1;
}

/* One number for each map, from the maps. */
static int step_excite(drawing *d, int x)
{
    int64_t c = d->v[x].dim[1];
    int p = chance(d, 0.3) ? partner(d, x, is_vector) : -1;
    const char *op = d->linear || chance(d, 0.3) ? chance(d, 0.5) ? "Add" : "Sub" : "Mul";

    if (p < 0)
        p = step_global(d, x);
    if (chance(d, 0.6)) {
        if ((p = conv_to(d, p, 1 + c / 4, 1)) < 0)
            return -1;
        p = simple(d, "Relu", p);
        if ((p = conv_to(d, p, c, 1)) < 0)
            return -1;
    }
    if (*op == 'M')
        p = gate(d, p);
    return chance(d, 0.7) || *op == 'S' ? binary(d, op, x, p, x) : binary(d, op, p, x, x);
}

/* The same from dense layers, with a residual at rank 2. */
static int step_excite_flat(drawing *d, int x)
{
    int64_t c = d->v[x].dim[1];
    const int64_t dim[2] = {c, c};
    char a[NAME], b[NAME], e[NAME], f[NAME], w[NAME], in[LIST];
    int p = step_global(d, x), y;

    new_name(d, a);
    new_name(d, b);
    new_name(d, e);
    begin(d, "Flatten", read1(d, p), a);
    end(d);
    weights(d, w, 2, dim, 0, 1.3 / sqrt((double)c));
    begin(d, "Gemm", names(in, a, w, NULL), b);
    attr_int(d, "transB", pick(d, 2));
    end(d);
    if (chance(d, 0.5)) {
        begin(d, "Relu", b, e);
    } else {
        begin(d, chance(d, 0.5) ? "Add" : "Sub", names(in, chance(d, 0.5) ? a : b, a, NULL), e);
    }
    end(d);
    y = add(d, c, 1, 1);
    if (!d->linear) {
        new_name(d, f);
        begin(d, "Sigmoid", e, f);
        end(d);
    }
    reshape(d, d->linear ? e : f, d->v[y].name, 4, d->v[y].dim);
    return binary(d, d->linear ? "Add" : "Mul", x, y, x);
}

/* One number for each cell, from all maps. */
static int step_attend(drawing *d, int x)
{
    const int64_t axis = 1;
    int p = add(d, 1, d->v[x].dim[2], d->v[x].dim[3]);

    begin(d, "ReduceMean", read1(d, x), d->v[p].name);
    attr_ints(d, "axes", 1, &axis);
    end(d);
    if (d->linear)
        return binary(d, chance(d, 0.5) ? "Add" : "Sub", x, p, x);
    p = gate(d, p);
    return binary(d, "Mul", x, p, x);
}

static int step_residual(drawing *d, int x)
{
    int64_t c = d->v[x].dim[1];
    int y = conv_to(d, x, chance(d, 0.5) ? c : some_maps(d), 3);

    if (y >= 0 && chance(d, 0.5))
        y = step_norm(d, y);
    if (y >= 0)
        y = simple(d, "Relu", y);
    if (y >= 0 && (y = conv_to(d, y, c, chance(d, 0.7) ? 3 : 1)) >= 0 && chance(d, 0.5))
        y = step_norm(d, y);
    if (y < 0)
        return -1;
    y = chance(d, 0.5) ? binary(d, "Add", y, x, x) : binary(d, "Add", x, y, x);
    return chance(d, 0.7) ? simple(d, "Relu", y) : y;
}

/* Each layer reads all before it. */
static int step_dense_block(drawing *d, int x)
{
    int64_t grow = chance(d, 0.6) ? 16 : some_maps(d);
    int at = x;

    for (int i = 0; i < 2 && at >= 0; i++) {
        int y = conv_to(d, at, grow, 3);

        if (y < 0)
            return -1;
        if (chance(d, 0.5))
            y = simple(d, "Relu", y);
        at = concat(d, 2, (const int[]){at, y}, 1);
    }
    return at;
}

/* ---- from what nobody read to the logits ----------------------------------------------------- */

/* [1][c][h][w] -> [1][k]; `name` becomes its name. */
static int64_t flat(drawing *d, int x, char name[NAME])
{
    int64_t c = d->v[x].dim[1], size = c * d->v[x].dim[2] * d->v[x].dim[3];
    const int64_t axes[2] = {2, 3}, to[2] = {1, -1};
    int y = x;

    if (size > 700 || chance(d, 0.6)) {
        if (chance(d, 0.3)) {
            new_name(d, name);
            begin(d, "ReduceMean", read1(d, x), name);
            attr_ints(d, "axes", 2, axes);
            attr_int(d, "keepdims", 0);
            end(d);
            return c;
        }
        y = step_global(d, x);
        size = c;
    }
    new_name(d, name);
    if (chance(d, 0.6)) {
        begin(d, "Flatten", read1(d, y), name);
        end(d);
    } else {
        reshape(d, read1(d, y), name, 2, to);
    }
    return size;
}

/* [1][k] -> [1][n] */
static void classify(drawing *d, const char *from, int64_t k, int64_t n, char name[NAME])
{
    bool gemm = chance(d, 0.6), transposed = gemm && chance(d, 0.6), bias = has_bias(d);
    const int64_t dim[2] = {transposed ? n : k, transposed ? k : n};
    char w[NAME], b[NAME], in[LIST], product[NAME];

    weights(d, w, 2, dim, 0, 2 / sqrt((double)k));
    if (bias)
        weights(d, b, 1, &n, 0, 0.3);
    new_name(d, name);
    if (gemm) {
        begin(d, "Gemm", names(in, from, w, bias ? b : NULL), name);
        attr_int(d, "transB", transposed);
        if (!d->linear && chance(d, 0.1))
            attr_float(d, "alpha", 0.5);
        end(d);
        return;
    }
    if (bias)
        new_name(d, product);
    begin(d, "MatMul", names(in, from, w, NULL), bias ? product : name);
    end(d);
    if (bias) {
        begin(d, "Add", names(in, product, b, NULL), name);
        end(d);
    }
}

static void two(drawing *d, const char *op, const char *a, const char *b, char name[NAME])
{
    char in[LIST];

    new_name(d, name);
    begin(d, op, names(in, a, b, NULL), name);
    if (strcmp(op, "Concat") == 0)
        attr_int(d, "axis", 1);
    end(d);
}

/* Logits of rank 4, as networks without dense layers have them. */
static void head_of_maps(drawing *d, int x, int64_t n, char name[NAME])
{
    int y = chance(d, 0.5) ? conv_to(d, x, n, 1) : x;

    if (chance(d, 0.8))
        y = step_global(d, y);
    else if (y == x)
        y = simple(d, "Relu", y);
    snprintf(name, NAME, "%s", d->v[y].name);
}

static void head(drawing *d, char name[NAME])
{
    int64_t n = 3 + pick(d, 5), k = 0;
    bool together = chance(d, 0.5);
    int leaf[VALUES], leaves = 0;

    for (int i = 0; i < d->n; i++)
        if (d->v[i].reads == 0)
            leaf[leaves++] = i;
    if (leaves == 1 && chance(d, 0.25)) {
        head_of_maps(d, leaf[0], n, name);
        return;
    }
    for (int i = 0; i < leaves; i++) {
        char a[NAME], b[NAME], before[NAME];
        int64_t size = flat(d, leaf[i], a);

        snprintf(before, NAME, "%s", name);
        if (!together)
            classify(d, a, size, n, b);
        if (i == 0)
            snprintf(name, NAME, "%s", together ? a : b);
        else
            two(d, together ? "Concat" : "Add", before, together ? a : b, name);
        k += size;
    }
    if (together) {
        char before[NAME];

        snprintf(before, NAME, "%s", name);
        if (chance(d, 0.3)) {
            char hidden[NAME], open[NAME];

            classify(d, before, k, 24, hidden);
            new_name(d, open);
            begin(d, "Relu", hidden, open);
            end(d);
            classify(d, open, 24, n, name);
        } else {
            classify(d, before, k, n, name);
        }
    }
    if (chance(d, 0.2)) {
        char scores[NAME];

        snprintf(scores, NAME, "%s", name);
        new_name(d, name);
        begin(d, "Softmax", scores, name);
        end(d);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

typedef int step(drawing *d, int x);

static const struct {
    step *make;
    int weight;
    bool curved; /* not piecewise linear, or adds something other than a bias */
} steps[] = {
    {step_conv, 6, false},      {step_act, 5, false},         {step_norm, 3, false},
    {step_binary, 6, false},    {step_concat, 5, false},      {step_residual, 3, false},
    {step_excite, 2, false},    {step_attend, 1, false},      {step_dense_block, 2, false},
    {step_pool, 3, false},      {step_lrn, 1, true},          {step_constant, 2, false},
    {step_pad, 1, false},       {step_resize, 1, false},      {step_global, 1, false},
    {step_copy, 1, false},      {step_split, 2, false},       {step_slice, 1, false},
    {step_transpose, 1, false}, {step_shuffle, 1, false},     {step_reshape, 1, false},
    {step_sequence, 1, false},  {step_excite_flat, 1, false},
};

static void one_step(drawing *d)
{
    enum { KINDS = sizeof steps / sizeof *steps };
    int total = 0, at, kind = 0;

    for (int i = 0; i < KINDS; i++)
        total += d->linear && steps[i].curved ? 0 : steps[i].weight;
    at = pick(d, total);
    for (; kind < KINDS; kind++) {
        at -= d->linear && steps[kind].curved ? 0 : steps[kind].weight;
        if (at < 0)
            break;
    }
    steps[kind].make(d, some(d));
}

/* The picture; or as in TensorFlow, channels last, followed by a Transpose. */
static int input(drawing *d, int64_t c, int64_t h, int64_t w)
{
    static const int64_t first[4] = {0, 3, 1, 2};
    const int64_t last[4] = {1, h, w, c};
    bool turned = (c == 1 || c == 3) && chance(d, 0.15);
    char name[NAME] = "picture";
    int x = add(d, c, h, w);

    if (!turned)
        snprintf(name, NAME, "%s", d->v[x].name);
    onnx_value(d->w, GRAPH_INPUT, name, 4, turned ? last : d->v[x].dim);
    if (d->listing) {
        fprintf(d->listing, "    %s is", name);
        list(d, "", 4, turned ? last : d->v[x].dim);
        fputc('\n', d->listing);
    }
    if (turned)
        transpose(d, name, d->v[x].name, first);
    return x;
}

void random_network_write(writer *w, const void *network)
{
    static const int64_t channels[] = {1, 3, 3, 3, 2, 4, 16};
    const random_network *r = network;
    drawing d = {.w = w, .linear = r->linear, .bare = r->bare, .weights = r->seed * 1000};
    char logits[NAME] = "";
    int side, number_of_steps;

    d.listing = writer_counts(w) ? NULL : r->listing;
    d.seed = r->seed * 0x9e3779b97f4a7c15u | 1;
    for (int i = 0; i < 8; i++) /* neighbouring seeds start alike */
        test_random(&d.seed);
    onnx_header(w, 8, 14);
    write_begin(w, MODEL_GRAPH);
    side = 5 + pick(&d, 12); /* 12 and more are needed for Winograd's transforms */
    d.most = SMALL;
    if (chance(&d, 0.04)) {
        side += 20;
        d.most = BIG;
    }
    input(&d, channels[pick(&d, 7)], side, side + pick(&d, 3));
    number_of_steps = 2 + pick(&d, STEPS - 1);
    if (r->steps && r->steps < number_of_steps)
        number_of_steps = r->steps;
    for (int i = 0; i < number_of_steps && d.nodes < NODES && d.n < VALUES - 20; i++)
        one_step(&d);
    head(&d, logits);
    write_begin(w, GRAPH_OUTPUT);
    write_string(w, 1, logits);
    write_end(w);
    write_end(w);
}
