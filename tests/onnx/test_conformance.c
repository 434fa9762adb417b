/* test_conformance.c - ONNX's own conformance data through the reader, the graph and the operators.
 *
 *     test_conformance [DOCS] [DATA]
 *
 * DATA: the folder with node, simple, pytorch-converted, pytorch-operator (default: where Debian's
 * libonnx-testdata puts it).  Every case either gives the numbers that the data has, or is refused
 * with a reason; where all its operators are ones that the engine has, the refusal must be listed
 * below.  Prints the tables of DOCS (docs/operators.md) and compares them with what DOCS has
 * between its marks; KLDVE_UPDATE_DOCS=1 writes them there instead.
 *
 * Arguments such as axes or shapes are inputs of the graph in this data, while in networks they are
 * constants.  A case that is refused for that reason alone is tried again with its short lists
 * and single numbers made constant, and counted as "constant".
 *
 * Exit: 0, 1 after a failure, 77 when the data is missing. */
#include "support.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conformance_table.h"
#include "plain.h"
#include "proto.h"

static const char *const folders[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};
enum { DATA_CASES = 1072 /* of libonnx-testdata 1.12.0, whose tables the documentation shows */ };
static const char begin_mark[] = "<!-- made by test_conformance -->\n";
static const char end_mark[] = "<!-- end -->\n";

/* Cases of operators that we have but do not claim in this form: a part of the case's name, and of
 * the reason. */
static const struct {
    const char *name, *reason;
} expected_refusals[] = {
    {"node/test_training_dropout", "training"},
    {"node/test_batchnorm_", "training"},
    {"_STRING", "element type"},
    {"node/test_identity_opt", "element type 0"},
    {"node/test_identity_sequence", "element type 0"},
    {"node/test_maxpool_2d_uint8", "integers"},
    {"node/test_resize_downsample_scales_", "no whole number"}, /* data and runtimes disagree */
};

typedef struct one_case {
    char name[320]; /* "node/test_abs" */
    char path[1024];
    char reason[REASON_SIZE], culprit[NAME_SIZE]; /* of a refusal: why, which operator */
    bool known;                                   /* the engine has all of its operators */
} one_case;

typedef enum outcome { PASSED, PASSED_CONSTANT, REFUSED, FAILED } outcome;

/* ---- tensors of the data --------------------------------------------------------------------- */

static double half(uint16_t h)
{
    int exponent = (h >> 10) & 31, mantissa = h & 1023;
    double x = exponent == 0    ? ldexp(mantissa, -24)
               : exponent == 31 ? (mantissa ? (double)NAN : (double)INFINITY)
                                : ldexp(1024 + mantissa, exponent - 25);

    return h & 0x8000 ? -x : x;
}

static kx_dtype dtype_of(int32_t onnx_type)
{
    switch (onnx_type) {
    case KX_ONNX_FLOAT:
    case KX_ONNX_DOUBLE:
    case KX_ONNX_FLOAT16:
    case KX_ONNX_BFLOAT16:
        return KX_F32;
    case KX_ONNX_BOOL:
        return KX_BOOL;
    default:
        return KX_I64;
    }
}

#define ELEMENT(type)                                                                              \
    do {                                                                                           \
        type x_;                                                                                   \
        memcpy(&x_, (const char *)t->data + i * sizeof x_, sizeof x_);                             \
        *f = (double)x_;                                                                           \
        *n = (int64_t)x_;                                                                          \
    } while (0)

/* Element i as both a float and an integer, whichever it is. */
static void element(const kx_proto_tensor *t, size_t i, double *f, int64_t *n)
{
    uint16_t h;
    uint32_t bits;
    float x;

    *n = 0;
    switch (t->dtype) {
    case KX_ONNX_FLOAT:
        memcpy(&x, (const char *)t->data + 4 * i, 4);
        *f = (double)x;
        break;
    case KX_ONNX_DOUBLE:
        memcpy(f, (const char *)t->data + 8 * i, 8);
        break;
    case KX_ONNX_FLOAT16:
        memcpy(&h, (const char *)t->data + 2 * i, 2);
        *f = half(h);
        break;
    case KX_ONNX_BFLOAT16:
        memcpy(&h, (const char *)t->data + 2 * i, 2);
        bits = (uint32_t)h << 16;
        memcpy(&x, &bits, 4);
        *f = (double)x;
        break;
    case KX_ONNX_INT8:
        ELEMENT(int8_t);
        break;
    case KX_ONNX_INT16:
        ELEMENT(int16_t);
        break;
    case KX_ONNX_INT32:
        ELEMENT(int32_t);
        break;
    case KX_ONNX_UINT16:
        ELEMENT(uint16_t);
        break;
    case KX_ONNX_UINT32:
        ELEMENT(uint32_t);
        break;
    case KX_ONNX_INT64:
    case KX_ONNX_UINT64:
        ELEMENT(int64_t);
        break;
    default: /* uint8, bool */
        ELEMENT(uint8_t);
        break;
    }
}

static bool same_shape(const kx_shape *s, const kx_proto_tensor *t)
{
    for (int32_t i = 0; i < s->rank; i++)
        if (s->rank != t->rank || s->dim[i] != t->dim[i])
            return false;
    return s->rank == t->rank;
}

static bool fill(kx_tensor *to, const kx_proto_tensor *from)
{
    if (!same_shape(&to->shape, from) || to->dtype != dtype_of(from->dtype))
        return false;
    for (size_t i = 0; i < to->count; i++) {
        double f;
        int64_t n;

        element(from, i, &f, &n);
        if (to->dtype == KX_F32)
            ((float *)to->data)[i] = (float)f;
        else if (to->dtype == KX_I64)
            ((int64_t *)to->data)[i] = n;
        else
            ((uint8_t *)to->data)[i] = n != 0;
    }
    return true;
}

/* Relative.  Half-width numbers are computed in float32, but stored with 11 or 8 digits by the
 * data. The bodies of the window functions have pi with five digits, their expected results have
 * all. */
static double tolerance(const char *name, int32_t onnx_type)
{
    if (onnx_type == KX_ONNX_FLOAT16 || strstr(name, "window"))
        return 1e-3;
    return onnx_type == KX_ONNX_BFLOAT16 ? 1e-2 : 1e-4;
}

/* The engine holds float64 as float32, which ends at 3.4e38: a few cases are made of garbage that
 * does not. */
static double as_held(double x, int32_t onnx_type)
{
    return onnx_type == KX_ONNX_DOUBLE ? (double)(float)x : x;
}

static bool agrees(const char *name, const kx_value *v, const kx_tensor *t,
                   const kx_proto_tensor *want, char *why)
{
    if (t->dtype != dtype_of(want->dtype) || (v->onnx_type && v->onnx_type != want->dtype)) {
        snprintf(why, REASON_SIZE, "type %d (%d), expected %d", (int)t->dtype, v->onnx_type,
                 want->dtype);
        return false;
    }
    if (!same_shape(&t->shape, want)) {
        snprintf(why, REASON_SIZE, "another shape");
        return false;
    }
    for (size_t i = 0; i < t->count; i++) {
        double y, x;
        int64_t n, m = 0;
        bool ok;

        element(want, i, &y, &n);
        if (t->dtype == KX_F32) {
            x = (double)((float *)t->data)[i];
            y = as_held(y, want->dtype);
            ok = x == y || (isnan(x) && isnan(y)) ||
                 fabs(x - y) <= 1e-6 + tolerance(name, want->dtype) * fabs(y);
        } else {
            m = t->dtype == KX_I64 ? ((int64_t *)t->data)[i] : ((uint8_t *)t->data)[i];
            x = (double)m;
            ok = m == n;
        }
        if (!ok) {
            snprintf(why, REASON_SIZE, "element %zu is %.9g, expected %.9g", i, x, y);
            return false;
        }
    }
    return true;
}

/* ---- one case -------------------------------------------------------------------------------- */

/* The test data of one case: inputs and outputs in the order of the model, without initializers. */
typedef struct data_set {
    kx_arena arena;
    void *bytes[64];
    kx_proto_tensor input[32], output[32];
    int32_t inputs, outputs;
} data_set;

static int32_t load_tensors(kldve_ctx *ctx, data_set *d, const char *path, const char *kind,
                            kx_proto_tensor *to)
{
    int32_t n = 0;

    for (; n < 32; n++) {
        const char *file = test_path("%s/test_data_set_0/%s_%d.pb", path, kind, n);
        struct stat st;
        size_t size;
        int32_t slot = n + (to == d->output ? 32 : 0);

        if (stat(file, &st) != 0)
            break;
        d->bytes[slot] = test_file_load(file, &size);
        if (kx_proto_tensor_read(ctx, &d->arena, d->bytes[slot], size, &to[n]) != KLDVE_OK)
            return -1;
    }
    return n;
}

static void free_data(data_set *d)
{
    for (int i = 0; i < 64; i++)
        free(d->bytes[i]);
    kx_arena_free(&d->arena);
}

/* Short lists and single numbers become initializers, under the input's name; but not the first
 * input if that is a list of floats, which the operator works on. */
static kx_model promoted(const kx_model *m, const data_set *d, kx_proto_tensor *room)
{
    kx_model with = *m;
    int32_t k = 0;

    memcpy(room, m->initializer, (size_t)m->ninitializer * sizeof *room);
    with.initializer = room;
    for (int32_t i = 0; i < m->ninput && k < d->inputs; i++) {
        bool listed = false;

        for (int32_t j = 0; j < m->ninitializer; j++)
            listed = listed || strcmp(m->initializer[j].name, m->input[i].name) == 0;
        if (listed)
            continue;
        if (d->input[k].rank == 0 || (d->input[k].rank == 1 && d->input[k].count <= 64 &&
                                      (k > 0 || dtype_of(d->input[k].dtype) != KX_F32))) {
            room[with.ninitializer] = d->input[k];
            room[with.ninitializer++].name = m->input[i].name;
        }
        k++;
    }
    return with;
}

/* The data keeps bfloat16 as uint16, for want of such a type in numpy. */
static void as_declared(kx_proto_tensor *t, int32_t onnx_type)
{
    if (t->dtype == KX_ONNX_UINT16 && onnx_type == KX_ONNX_BFLOAT16)
        t->dtype = onnx_type;
}

/* The data of CastLike declares its second input with another shape than it has. */
static bool only_type_matters(const char *name, int32_t input)
{
    return strstr(name, "castlike") != NULL && input == 1;
}

static bool run(kx_graph *g, const kx_model *m, data_set *d, const char *name, char *why)
{
    plain *p = plain_new(g);
    bool ok = g->noutput == d->outputs;
    int32_t k = 0;

    if (!ok)
        snprintf(why, REASON_SIZE, "%d outputs, the data has %d", g->noutput, d->outputs);
    for (int32_t i = 0; i < m->ninput && ok; i++) {
        kx_value *v = kx_graph_find(g, m->input[i].name);
        bool constant = v && v->raw;
        bool given = false;

        for (int32_t j = 0; j < m->ninitializer; j++) /* of the file, not promoted */
            given = given || strcmp(m->initializer[j].name, m->input[i].name) == 0;
        if (given)
            continue;
        as_declared(&d->input[k], m->input[i].dtype);
        if (v && !constant && !fill(plain_value(p, v), &d->input[k]) &&
            !only_type_matters(name, k)) {
            snprintf(why, REASON_SIZE, "input %d is not as declared", k);
            ok = false;
        }
        k++;
    }
    if (ok)
        plain_forward(p);
    for (int32_t i = 0; i < g->noutput && ok; i++) {
        as_declared(&d->output[i], m->output[i].dtype);
        ok = agrees(name, g->output[i], plain_value(p, g->output[i]), &d->output[i], why);
    }
    plain_free(p);
    return ok;
}

/* "node 'y' (Dropout): training mode" -> Dropout, training mode */
static void note_refusal(one_case *c, const kx_model *m, const char *message)
{
    const char *open = strstr(message, "' ("), *close = open ? strstr(open, "): ") : NULL;

    if (strncmp(message, "node '", 6) == 0 && close) {
        snprintf(c->culprit, sizeof c->culprit, "%.*s", (int)(close - open - 3), open + 3);
        message = close + 3;
    } else {
        snprintf(c->culprit, sizeof c->culprit, "%s", m && m->nnode ? m->node[0].type : "");
    }
    snprintf(c->reason, sizeof c->reason, "%s", message);
}

static bool all_known(const kx_model *m)
{
    for (int32_t i = 0; i < m->nnode; i++)
        if (!kx_op_find(m->node[i].domain, m->node[i].type, m->opset))
            return false;
    return true;
}

/* A model that was read: build, with promoted inputs if need be, and run. */
static outcome try_model(one_case *c, kldve_ctx *ctx, const kx_model *m)
{
    static const kx_graph_options options = {0, 0, 0};
    data_set d = {.inputs = 0};
    kx_proto_tensor *room = NULL;
    kx_graph *g = NULL;
    kldve_status st;
    outcome result = PASSED;

    kx_arena_init(&d.arena, ctx);
    c->known = all_known(m);
    st = kx_graph_new(ctx, m, &options, &g);
    if (st == KLDVE_E_UNSUPPORTED && strstr(kldve_ctx_message(ctx), "must be constant")) {
        kx_model with;

        d.inputs = load_tensors(ctx, &d, c->path, "input", d.input);
        room = malloc(((size_t)m->ninitializer + 32) * sizeof *room);
        with = promoted(m, &d, room);
        st = kx_graph_new(ctx, &with, &options, &g);
        result = PASSED_CONSTANT;
    } else if (st == KLDVE_OK) {
        d.inputs = load_tensors(ctx, &d, c->path, "input", d.input);
    }
    if (st != KLDVE_OK) {
        note_refusal(c, m, kldve_ctx_message(ctx));
        if (st != KLDVE_E_UNSUPPORTED && c->known)
            snprintf(c->reason, sizeof c->reason, "status %d", (int)st);
        result = st == KLDVE_E_UNSUPPORTED || !c->known ? REFUSED : FAILED;
    } else {
        d.outputs = load_tensors(ctx, &d, c->path, "output", d.output);
        if (d.inputs < 0 || d.outputs < 0 || !run(g, m, &d, c->name, c->reason))
            result = FAILED;
    }
    kx_graph_free(g);
    free(room);
    free_data(&d);
    return result;
}

static bool is_expected(const one_case *c)
{
    for (size_t i = 0; i < sizeof expected_refusals / sizeof *expected_refusals; i++)
        if (strstr(c->name, expected_refusals[i].name) &&
            strstr(c->reason, expected_refusals[i].reason))
            return true;
    return false;
}

/* Count a case for every operator in it that the engine has; a refused one for the operator that
 * refused. */
static void count(conformance_table *t, const one_case *c, const kx_model *m, outcome result)
{
    if (result == REFUSED) {
        t->refused++;
        table_row_of(t, c->culprit)->refused++;
        if (c->known)
            table_add_refusal(t, c->culprit, c->name, c->reason);
        return;
    }
    t->passed++;
    for (int32_t i = 0; i < m->nnode; i++) {
        bool before = false;
        table_row *r;

        for (int32_t k = 0; k < i; k++)
            before = before || strcmp(m->node[k].type, m->node[i].type) == 0;
        if (before)
            continue;
        r = table_row_of(t, m->node[i].type);
        r->passed++;
        r->constant += result == PASSED_CONSTANT;
    }
}

/* False: a wrong result, or a refusal that nobody expects. */
static bool check_case(conformance_table *t, one_case *c, bool strict)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;
    outcome result = REFUSED;
    bool ok;

    if (kx_model_open(ctx, test_path("%s/model.onnx", c->path), &m) == KLDVE_OK)
        result = try_model(c, ctx, m);
    else
        note_refusal(c, NULL, kldve_ctx_message(ctx) + strlen(c->path) + strlen("/model.onnx: "));
    if (!m)
        snprintf(c->culprit, sizeof c->culprit, "(%.90s)", c->reason);
    ok = result != FAILED && !(result == REFUSED && c->known && strict && !is_expected(c));
    t->cases++;
    t->failed += !ok;
    if (ok)
        count(t, c, m, result);
    else
        fprintf(stderr, "FAILED %s: %s\n", c->name, c->reason);
    kx_model_free(m);
    kldve_ctx_free(ctx);
    if (heap.live != 0)
        fprintf(stderr, "FAILED %s: %ld blocks leaked\n", c->name, heap.live);
    return ok && heap.live == 0;
}

/* ---- all cases ------------------------------------------------------------------------------- */

static int is_case(const struct dirent *e)
{
    return strncmp(e->d_name, "test_", 5) == 0;
}

static int check_folder(conformance_table *t, const char *data, const char *folder, bool strict)
{
    struct dirent **entry = NULL;
    int n = scandir(test_path("%s/%s", data, folder), &entry, is_case, alphasort), failures = 0;

    for (int i = 0; i < n; i++) {
        one_case c = {.known = false};

        snprintf(c.name, sizeof c.name, "%s/%s", folder, entry[i]->d_name);
        snprintf(c.path, sizeof c.path, "%s/%s", data, c.name);
        failures += !check_case(t, &c, strict);
        free(entry[i]);
    }
    free(entry);
    return failures;
}

static int count_cases(const char *data)
{
    int total = 0;

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct dirent **entry = NULL;
        int n = scandir(test_path("%s/%s", data, folders[i]), &entry, is_case, alphasort);

        for (int k = 0; k < n; k++)
            free(entry[k]);
        free(entry);
        total += n > 0 ? n : 0;
    }
    return total;
}

/* ---- the documentation ------------------------------------------------------------------------
 */

static char *table_text(conformance_table *t)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    table_print(t, to);
    fclose(to);
    return text;
}

static bool check_docs(const char *path, const char *table)
{
    size_t size;
    char *docs = test_file_load(path, &size);
    char *begin = strstr(docs, begin_mark), *end = begin ? strstr(begin, end_mark) : NULL;
    bool same;

    if (!end) {
        fprintf(stderr, "FAILED %s: no marks around the tables\n", path);
        free(docs);
        return false;
    }
    begin += strlen(begin_mark);
    same = strlen(table) == (size_t)(end - begin) && memcmp(begin, table, strlen(table)) == 0;
    if (!same && getenv("KLDVE_UPDATE_DOCS")) {
        FILE *to = fopen(path, "wb");

        assert_non_null(to);
        fprintf(to, "%.*s%s%s", (int)(begin - docs), docs, table, end);
        same = fclose(to) == 0;
    }
    if (!same)
        fprintf(stderr,
                "FAILED %s: the tables have changed; run this test with "
                "KLDVE_UPDATE_DOCS=1 and look at the difference\n",
                path);
    free(docs);
    return same;
}

int main(int argc, char **argv)
{
    static conformance_table table;
    const char *data = argc > 2 ? argv[2] : "/usr/share/libonnx-testdata/data";
    int cases = count_cases(data), failures = 0;
    char *text;

    if (cases == 0) {
        fprintf(stderr, "skipped: no conformance data in %s (install libonnx-testdata)\n", data);
        return 77;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        failures += check_folder(&table, data, folders[i], cases == DATA_CASES);
    text = table_text(&table);
    printf("%s", text);
    if (cases != DATA_CASES)
        fprintf(stderr, "other data than the documentation's (%d cases): not compared\n", cases);
    else if (failures == 0 && argc > 1 && !check_docs(argv[1], text))
        failures++;
    free(text);
    if (failures)
        fprintf(stderr, "%d of %d cases failed\n", failures, cases);
    return failures > 0;
}
