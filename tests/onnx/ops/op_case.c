/* op_case.c - see op_case.h. */
#include "op_case.h"

#include "support.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build/build.h"
#include "read/proto.h"

enum { MAX_TEXT = 64, MAX_NUMBERS = 512, MAX_TENSORS = 16, MAX_LIST = 16 };

typedef struct tensor_text {
    kx_proto_tensor t;
    bool constant, omitted;
    char name[MAX_TEXT];
    union {
        float f[MAX_NUMBERS];
        int64_t i64[MAX_NUMBERS];
        uint8_t bytes[8 * MAX_NUMBERS];
    } data;
} tensor_text;

struct op_model {
    char domain[32];
    kx_model model;
    kx_proto_node node;
    const char *in[MAX_TENSORS], *out[MAX_TENSORS];
    char out_name[MAX_TENSORS][16];
    kx_proto_attr attr[8];
    char attr_name[8][MAX_TEXT], attr_string[8][MAX_TEXT];
    int64_t attr_ints[8][MAX_LIST];
    float attr_floats[8][MAX_LIST];
    tensor_text tensor[MAX_TENSORS], attr_tensor;
    kx_proto_tensor initializer[MAX_TENSORS];
    kx_proto_value input[MAX_TENSORS], output[MAX_TENSORS];
};

/* ---- tensors -------------------------------------------------------------------------------- */

/* Odd multiples of 0.05, all different within one case: at least 0.05 from the kinks that the cases
 * have, which are multiples of 0.1, and at least 0.1 from each other. */
typedef struct pool {
    uint64_t seed;
    bool taken[MAX_NUMBERS];
} pool;

static double draw(pool *p, double lo, double hi)
{
    int first = (int)ceil((lo - 0.05) / 0.1), last = (int)floor((hi - 0.05) / 0.1);
    int k = 0;

    for (int tries = 0; tries < 4000; tries++) {
        k = first + (int)(test_random(&p->seed) * (last - first + 1));
        if (!p->taken[k + MAX_NUMBERS / 2])
            break;
    }
    p->taken[k + MAX_NUMBERS / 2] = true;
    return 0.1 * k + 0.05;
}

static const struct {
    const char *prefix;
    int32_t dtype;
} types[] = {
    {"i32", KX_ONNX_INT32},  {"i16", KX_ONNX_INT16},  {"i8", KX_ONNX_INT8},
    {"u64", KX_ONNX_UINT64}, {"u32", KX_ONNX_UINT32}, {"u16", KX_ONNX_UINT16},
    {"u8", KX_ONNX_UINT8},   {"i", KX_ONNX_INT64},    {"b", KX_ONNX_BOOL},
};

static size_t item_size(int32_t dtype)
{
    switch (dtype) {
    case KX_ONNX_BOOL:
    case KX_ONNX_INT8:
    case KX_ONNX_UINT8:
        return 1;
    case KX_ONNX_INT16:
    case KX_ONNX_UINT16:
        return 2;
    case KX_ONNX_INT64:
    case KX_ONNX_UINT64:
        return 8;
    default:
        return 4;
    }
}

static void put(tensor_text *t, size_t i, const char *number, double drawn)
{
    size_t item = item_size(t->t.dtype);

    assert_true(i < MAX_NUMBERS);
    if (t->t.dtype == KX_ONNX_FLOAT) {
        t->data.f[i] = number ? strtof(number, NULL) : (float)drawn;
    } else { /* little-endian */
        uint64_t x = t->t.dtype == KX_ONNX_UINT64 ? strtoull(number, NULL, 0)
                                                  : (uint64_t)strtoll(number, NULL, 0);
        memcpy(t->data.bytes + i * item, &x, item);
    }
}

/* What stands before the shape. */
static const char *parse_prefix(const char *s, tensor_text *t, double *lo, double *hi)
{
    t->t.dtype = KX_ONNX_FLOAT;
    *lo = -2.5;
    *hi = 2.5;
    if (*s == 'c') {
        t->constant = true;
        s++;
    }
    if (*s == '+') {
        *lo = 0.5;
        *hi = 3.0;
        s++;
    } else if (*s == '~') {
        *lo = -0.9;
        *hi = 0.9;
        s++;
    }
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (strncmp(s, types[k].prefix, strlen(types[k].prefix)) == 0) {
            size_t n = strlen(types[k].prefix);

            if (n > 1 && s[n] != ',') /* i8,2 is int8 of shape 2, i8 int64 of shape 8 */
                continue;
            t->t.dtype = types[k].dtype;
            return s + n + (s[n] == ',');
        }
    return s;
}

static const char *parse_list(const char *s, tensor_text *t)
{
    size_t n = 0;

    t->constant = true;
    t->t.dtype = KX_ONNX_INT64;
    t->t.rank = 1;
    for (s++; *s != '}';) {
        char *end;

        put(t, n++, s, 0);
        strtoll(s, &end, 0);
        assert_ptr_not_equal(s, end);
        s = end + (*end == ',');
    }
    t->t.dim[0] = (int64_t)n;
    t->t.count = n;
    return s + 1;
}

static const char *parse_tensor(const char *s, tensor_text *t, pool *p)
{
    double lo, hi;
    size_t count = 1;

    t->t.data = t->data.bytes;
    if (*s == '_') {
        t->omitted = true;
        return s + 1;
    }
    if (*s == '{')
        return parse_list(s, t);
    s = parse_prefix(s, t, &lo, &hi);
    if (*s == 's')
        s++;
    else
        for (t->t.rank = 0; isdigit((unsigned char)*s); s += *s == 'x') {
            char *end;

            assert_true(t->t.rank < KX_PROTO_MAX_RANK);
            t->t.dim[t->t.rank] = strtoll(s, &end, 10);
            count *= (size_t)t->t.dim[t->t.rank++];
            s = end;
        }
    t->t.count = count;
    for (size_t i = 0; i < count; i++)
        if (*s == ':' || *s == ',') {
            put(t, i, ++s, 0);
            while (*s && !strchr(", ;]", *s))
                s++;
        } else {
            assert_int_equal(i, 0); /* all numbers or none */
            for (; i < count; i++)
                put(t, i, t->t.dtype == KX_ONNX_FLOAT ? NULL : "1", draw(p, lo, hi));
        }
    if (*s == ':')
        s++;
    assert_true(*s == 0 || strchr(" ;]", *s) != NULL);
    return s;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static const char *parse_attr(const char *s, op_model *m, int32_t k, pool *p)
{
    kx_proto_attr *a = &m->attr[k];
    size_t n = strcspn(s, "=");
    const char *end;

    assert_true(k < 8 && s[n] == '=' && n < MAX_TEXT);
    memcpy(m->attr_name[k], s, n);
    a->name = m->attr_name[k];
    s += n + 1;
    if (*s == '\'') {
        n = strcspn(s + 1, "'");
        memcpy(m->attr_string[k], s + 1, n);
        a->type = 3;
        a->s = m->attr_string[k];
        return s + n + 2;
    }
    if (*s == '[') {
        m->attr_tensor.constant = true;
        a->type = 4;
        a->t = &m->attr_tensor.t;
        return parse_tensor(s + 1, &m->attr_tensor, p) + 1;
    }
    if (*s == '(') {
        bool floats = memchr(s, '.', strcspn(s, ")")) != NULL;

        a->type = floats ? 6 : 7;
        a->ints = m->attr_ints[k];
        a->floats = m->attr_floats[k];
        for (s++; *s != ')'; s += strcspn(s, ",)"), s += *s == ',') {
            assert_true(a->count < MAX_LIST);
            m->attr_ints[k][a->count] = strtoll(s, NULL, 0);
            m->attr_floats[k][a->count++] = strtof(s, NULL);
        }
        return s + 1;
    }
    end = s + strcspn(s, " ");
    a->type = end[-1] == 'f' ? 1 : 2;
    a->f = strtof(s, NULL);
    a->i = strtoll(s, NULL, 0);
    return end;
}

/* ---- the model ------------------------------------------------------------------------------- */

static void declare(op_model *m, tensor_text *t)
{
    kx_proto_value *v = &m->input[m->model.ninput];

    t->t.name = t->name;
    if (t->constant) {
        m->initializer[m->model.ninitializer++] = t->t;
        return;
    }
    v->name = t->name;
    v->dtype = t->t.dtype;
    v->rank = t->t.rank;
    memcpy(v->dim, t->t.dim, sizeof v->dim);
    m->model.ninput++;
}

const char *op_case_type(const op_case *c)
{
    const char *colon = strchr(c->type, ':');

    return colon ? colon + 1 : c->type;
}

op_model *op_model_new(const op_case *c)
{
    op_model *m = calloc(1, sizeof *m);
    pool p = {.seed = 12345};
    const char *s = c->inputs ? c->inputs : "";

    assert_non_null(m);
    if (strchr(c->type, ':'))
        snprintf(m->domain, sizeof m->domain, "%.*s", (int)strcspn(c->type, ":"), c->type);
    m->node = (kx_proto_node){.name = "it",
                              .type = op_case_type(c),
                              .domain = m->domain,
                              .nout = c->outputs ? c->outputs : 1,
                              .in = m->in,
                              .out = m->out,
                              .attr = m->attr};
    while (*s) {
        tensor_text *t = &m->tensor[m->node.nin];

        assert_true(m->node.nin < MAX_TENSORS);
        s = parse_tensor(s, t, &p);
        s += *s == ' ';
        snprintf(t->name, sizeof t->name, "x%d", m->node.nin);
        m->in[m->node.nin++] = t->omitted ? "" : t->name;
        if (!t->omitted)
            declare(m, t);
    }
    for (s = c->attributes ? c->attributes : ""; *s; s += *s == ' ')
        s = parse_attr(s, m, m->node.nattr++, &p);
    for (int32_t i = 0; i < m->node.nout; i++) {
        snprintf(m->out_name[i], sizeof m->out_name[i], "y%d", i);
        m->output[i].name = m->out[i] = m->out_name[i];
    }
    m->model.opset = c->opset;
    m->model.ir_version = 8;
    m->model.nnode = 1;
    m->model.node = &m->node;
    m->model.initializer = m->initializer;
    m->model.input = m->input;
    m->model.output = m->output;
    m->model.noutput = m->node.nout;
    return m;
}

void op_model_free(op_model *m)
{
    free(m);
}

kldve_status op_model_graph(const op_model *m, kldve_ctx *ctx, kx_graph **out)
{
    static const kx_graph_options options = {0}; /* empty inputs stay */

    return kx_graph_new(ctx, &m->model, &options, out);
}

void op_model_fill(const op_model *m, plain *p)
{
    for (int32_t i = 0; i < m->node.nin; i++) {
        const tensor_text *t = &m->tensor[i];
        const kx_value *v = t->omitted || t->constant ? NULL : kx_graph_find(p->g, t->name);
        kx_tensor *to = v ? plain_value(p, v) : NULL;

        for (size_t k = 0; to && k < to->count; k++) {
            size_t item = item_size(t->t.dtype);
            const uint8_t *from = t->data.bytes + k * item;
            int64_t x = 0;

            if (to->dtype == KX_F32) {
                ((float *)to->data)[k] = t->data.f[k];
            } else if (to->dtype == KX_BOOL) {
                ((uint8_t *)to->data)[k] = *from;
            } else {
                memcpy(&x, from, item);
                if (t->t.dtype >= KX_ONNX_INT8 && t->t.dtype != KX_ONNX_UINT16 && item < 8 &&
                    t->t.dtype != KX_ONNX_UINT32 && (x >> (8 * item - 1)) != 0)
                    x -= INT64_C(1) << (8 * item); /* sign */
                ((int64_t *)to->data)[k] = x;
            }
        }
    }
}

/* ---- checks ---------------------------------------------------------------------------------- */

void op_expect(const char *name, const kx_tensor *t, const char *expected)
{
    tensor_text want = {.constant = true};
    pool p = {.seed = 1};

    parse_tensor(expected, &want, &p);
    if (t->dtype != (want.t.dtype == KX_ONNX_FLOAT  ? KX_F32
                     : want.t.dtype == KX_ONNX_BOOL ? KX_BOOL
                                                    : KX_I64))
        fail_msg("%s: wrong type", name);
    if (t->shape.rank != want.t.rank)
        fail_msg("%s: rank %d, expected %s", name, t->shape.rank, expected);
    for (int32_t i = 0; i < want.t.rank; i++)
        if (t->shape.dim[i] != want.t.dim[i])
            fail_msg("%s: dimension %d is %lld, expected %s", name, i, (long long)t->shape.dim[i],
                     expected);
    for (size_t i = 0; i < t->count; i++) {
        if (t->dtype == KX_F32) {
            double x = (double)((float *)t->data)[i], y = (double)want.data.f[i];

            if (!(x == y || fabs(x - y) <= 1e-5 + 1e-5 * fabs(y) || (isnan(x) && isnan(y))))
                fail_msg("%s: element %zu is %.9g, expected %.9g", name, i, x, y);
        } else {
            long long x = t->dtype == KX_I64 ? ((int64_t *)t->data)[i] : ((uint8_t *)t->data)[i];
            long long y = t->dtype == KX_I64 ? want.data.i64[i] : want.data.bytes[i];

            if (x != y)
                fail_msg("%s: element %zu is %lld, expected %lld", name, i, x, y);
        }
    }
}

/* sum dout * (out at x + h - out at x - h), in float64: what does not change cancels exactly. */
static double difference(plain *p, kx_tensor *x, size_t at, double h, const kx_tensor *dout,
                         float **plus)
{
    const kx_graph *g = p->g;
    float *element = (float *)x->data + at, before = *element;
    double up, down, sum = 0;

    *element = (float)((double)before + h);
    up = (double)*element;
    plain_forward(p);
    for (int32_t k = 0; k < g->noutput; k++)
        if (dout[k].data)
            memcpy(plus[k], plain_value(p, g->output[k])->data, dout[k].count * sizeof(float));
    *element = (float)((double)before - h);
    down = (double)*element;
    plain_forward(p);
    for (int32_t k = 0; k < g->noutput; k++)
        for (size_t i = 0; dout[k].data && i < dout[k].count; i++)
            sum += (double)((float *)dout[k].data)[i] *
                   ((double)plus[k][i] - (double)((float *)plain_value(p, g->output[k])->data)[i]);
    *element = before;
    return sum / (up - down);
}

/* One input of the graph; din starts at 1 to see that the VJP is added. */
static void check_input(const char *name, plain *p, const kx_value *v, const kx_tensor *dout,
                        float **plus)
{
    kx_tensor *x = plain_value(p, v);
    float *din = malloc((x->count ? x->count : 1) * sizeof *din);
    double largest = 0;

    assert_non_null(din);
    for (size_t i = 0; i < x->count; i++)
        din[i] = 1.0f;
    plain_forward(p);
    plain_backward(p, v, dout, din);
    for (size_t i = 0; i < x->count; i++)
        largest = fmax(largest, fabs((double)din[i] - 1.0));
    for (size_t i = 0; i < x->count; i++) {
        double h = 0.01;
        double want =
            (4.0 * difference(p, x, i, h, dout, plus) - difference(p, x, i, 2 * h, dout, plus)) /
            3.0;

        if (!(fabs((double)din[i] - 1.0 - want) <= 2e-4 + 1e-3 * largest))
            fail_msg("%s: VJP of '%s', element %zu is %.7g, differences give %.7g", name, v->name,
                     i, (double)din[i] - 1.0, want);
    }
    free(din);
}

int op_check_vjp(const op_case *c, kldve_ctx *ctx)
{
    op_model *m = op_model_new(c);
    kx_tensor dout[KX_MAX_OUT];
    float *plus[KX_MAX_OUT] = {NULL};
    uint64_t seed = 99;
    kx_graph *g = NULL;
    plain *p;
    int checked = 0;

    if (op_model_graph(m, ctx, &g) != KLDVE_OK)
        fail_msg("%s: %s", c->name, kldve_ctx_message(ctx));
    p = plain_new(g);
    op_model_fill(m, p);
    for (int32_t k = 0; k < g->noutput; k++) {
        dout[k] = *plain_value(p, g->output[k]);
        dout[k].data = NULL;
        if (dout[k].dtype != KX_F32)
            continue;
        dout[k].data = malloc((dout[k].count + 1) * sizeof(float));
        plus[k] = malloc((dout[k].count + 1) * sizeof(float));
        for (size_t i = 0; i < dout[k].count; i++)
            ((float *)dout[k].data)[i] = (float)test_normal(&seed);
    }
    for (int32_t i = 0; i < g->ninput; i++)
        if (g->input[i]->dtype == KX_F32) {
            check_input(c->name, p, g->input[i], dout, plus);
            checked++;
        }
    for (int32_t k = 0; k < g->noutput; k++) {
        free(dout[k].data);
        free(plus[k]);
    }
    plain_free(p);
    kx_graph_free(g);
    op_model_free(m);
    return checked;
}

void op_check_allocations(const op_case *c)
{
    op_model *m = op_model_new(c);
    kldve_status st = KLDVE_E_NOMEM;
    long budget = 0;

    for (; st == KLDVE_E_NOMEM; budget++) {
        test_heap heap;
        kldve_ctx *ctx = test_ctx(&heap);
        kx_graph *g = NULL;

        heap.budget = budget;
        st = op_model_graph(m, ctx, &g);
        heap.budget = -1;
        if (st < 0) {
            assert_null(g);
            assert_string_not_equal(kldve_ctx_message(ctx), "");
        }
        kx_graph_free(g);
        kldve_ctx_free(ctx);
        assert_int_equal(heap.live, 0);
        assert_true(budget < 1000);
    }
    op_model_free(m);
}
