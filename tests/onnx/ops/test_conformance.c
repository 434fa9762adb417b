/* test_conformance.c - ONNX's own conformance data through the reader, the graph and the operators.
 *
 *     test_conformance [DOCS] [DATA]
 *
 * DATA: the folder with node, simple, pytorch-converted, pytorch-operator (default: that of
 * Debian's libonnx-testdata).  Every case either gives the expected numbers or is refused with a
 * reason; if the engine has all its operators, the refusal must be listed below.  Prints the tables
 * for DOCS (docs/operators.md) and compares them with those between its marks; KLDVE_UPDATE_DOCS=1
 * writes them there instead.
 *
 * Arguments such as axes or shapes are inputs of the graph in this data, while in networks they are
 * constants.  A case that is refused for that reason alone is tried again with its short lists
 * and single numbers made constant, and counted as "constant".
 *
 * Cases that pass run a second time through the planned engine, conformance_plan.h.
 *
 * Exit status: 0, 1 after a failure, 77 if the data is missing. */
#include "support.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conformance_table.h"
#include "plain.h"
#include "conformance_data.h"
#include "conformance_plan.h"
#include "build/build.h"
#include "read/proto.h"

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
    {"_STRING", "element type 8 (string)"},
    {"node/test_identity_opt", "element type 0"},
    {"node/test_identity_sequence", "element type 0"},
    {"node/test_maxpool_2d_uint8", "integers"},
    {"node/test_if_", "Sequence"}, /* sequences of tensors */
    {"node/test_if_opt", "Optional"},
    {"node/test_if_seq", "is a sequence"},     /* a branch that is chosen at run time */
    {"node/test_sequence_", "element type 0"}, /* inputs that are sequences */
    {"simple/test_sequence_model8", "is symbolic"},
    {"node/test_loop13_seq", "element type 0"},
    {"node/test_loop16_seq_none", "element type 0"},
    {"node/test_nonzero_example", "must be constant"},
    {"node/test_resize_downsample_scales_", "give a whole number"}, /* data and runtimes disagree */
};

typedef struct one_case {
    char name[320]; /* "node/test_abs" */
    char path[1024];
    char reason[REASON_SIZE], culprit[NAME_SIZE]; /* of a refusal: why, which operator */
    bool known;                                   /* the engine has all of its operators */
} one_case;

_Static_assert((int)REASON_SIZE == (int)WHY_SIZE, "a reason may be why a case fails");

typedef enum outcome { PASSED, PASSED_CONSTANT, REFUSED, FAILED } outcome;

/* ---- one case -------------------------------------------------------------------------------- */

/* The data of CastLike declares its second input with another shape than it has. */
static bool only_type_matters(const char *name, int32_t input)
{
    return strstr(name, "castlike") != NULL && input == 1;
}

static bool run(kx_graph *g, const data_set *d, const char *name, char *why)
{
    plain *p = plain_new(g);
    bool ok = g->noutput == d->outputs;

    if (!ok)
        snprintf(why, WHY_SIZE, "%d outputs, the data has %d", g->noutput, d->outputs);
    for (int32_t k = 0; k < d->inputs && ok; k++) {
        kx_value *v = kx_graph_find(g, d->input[k].name);

        if (v && !v->raw && !data_fill(plain_value(p, v), &d->input[k]) &&
            !only_type_matters(name, k)) {
            snprintf(why, WHY_SIZE, "input %d is not as declared", k);
            ok = false;
        }
    }
    if (ok)
        plain_forward(p);
    for (int32_t i = 0; i < g->noutput && ok; i++)
        ok = data_agrees(name, g->output[i]->onnx_type, plain_value(p, g->output[i]), &d->output[i],
                         why);
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

/* How many boxes it keeps depends on them all. */
static bool all_constant(const char *name)
{
    return strstr(name, "nonmaxsuppression") != NULL;
}

/* Short lists and single numbers; but not the first input if that is a list of floats, which the
 * operator works on. */
static void choose_arguments(const char *name, const data_set *d, bool constant[MAX_DATA])
{
    for (int32_t k = 0; k < d->inputs; k++) {
        const kx_proto_tensor *t = &d->input[k];

        constant[k] = all_constant(name) || t->rank == 0 ||
                      (t->rank == 1 && t->count <= 64 && (k > 0 || t->dtype != KX_ONNX_FLOAT));
    }
}

static const kx_graph_options as_given = {0};

/* Build the graph, with constant arguments if need be. */
static kldve_status build(kldve_ctx *ctx, const char *name, const kx_model *m, const data_set *d,
                          kx_proto_tensor *room, kx_graph **g, outcome *result)
{
    bool constant[MAX_DATA] = {false};
    kldve_status st = kx_graph_new(ctx, m, &as_given, g);
    kx_model with;

    *result = PASSED;
    if (st != KLDVE_E_UNSUPPORTED || !strstr(kldve_ctx_message(ctx), "must be constant"))
        return st;
    choose_arguments(name, d, constant);
    with = data_promote(m, d, constant, room);
    *result = PASSED_CONSTANT;
    return kx_graph_new(ctx, &with, &as_given, g);
}

/* A model that was read: build and run. */
static outcome try_model(one_case *c, kldve_ctx *ctx, const kx_model *m, planned_counts *planned)
{
    kx_proto_tensor *room = malloc(((size_t)m->ninitializer + MAX_DATA) * sizeof *room);
    data_set d;
    bool readable = data_load(ctx, m, c->path, &d);
    kx_graph *g = NULL;
    outcome result;
    kldve_status st = build(ctx, c->name, m, &d, room, &g, &result);

    c->known = all_known(m);
    if (st != KLDVE_OK) {
        note_refusal(c, m, kldve_ctx_message(ctx));
        result = st == KLDVE_E_UNSUPPORTED || !c->known ? REFUSED : FAILED;
    } else if (!readable) {
        snprintf(c->reason, sizeof c->reason, "the data is not readable");
        result = FAILED;
    } else if (!run(g, &d, c->name, c->reason) ||
               !planned_agrees(ctx, c->name, m, &d, room, planned, c->reason)) {
        result = FAILED;
    }
    kx_graph_free(g);
    free(room);
    data_free(&d);
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
static bool check_case(conformance_table *t, planned_counts *planned, one_case *c, bool strict)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;
    outcome result = REFUSED;
    bool ok;

    if (kx_model_open(ctx, test_path("%s/model.onnx", c->path), false, &m) == KLDVE_OK)
        result = try_model(c, ctx, m, planned);
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

/* ONNX 1.15 to 1.17 counted what ceil_mode adds behind the padding in the divisor of this one; 1.18
 * corrected the data. */
static const char wrong_data[] =
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True";

static int is_case(const struct dirent *e)
{
    return strncmp(e->d_name, "test_", 5) == 0 && strcmp(e->d_name, wrong_data) != 0;
}

static int check_folder(conformance_table *t, planned_counts *planned, const char *data,
                        const char *folder, bool strict)
{
    struct dirent **entry = NULL;
    int n = scandir(test_path("%s/%s", data, folder), &entry, is_case, alphasort), failures = 0;

    for (int i = 0; i < n; i++) {
        one_case c = {.known = false};

        snprintf(c.name, sizeof c.name, "%s/%s", folder, entry[i]->d_name);
        snprintf(c.path, sizeof c.path, "%s/%s", data, c.name);
        failures += !check_case(t, planned, &c, strict);
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

/* ---- the documentation ----------------------------------------------------------------------- */

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
    planned_counts planned = {0};
    const char *data = argc > 2 ? argv[2] : "/usr/share/libonnx-testdata/data";
    int cases = count_cases(data), failures = 0;
    char *text;

    if (cases == 0) {
        fprintf(stderr, "skipped: no conformance data in %s (install libonnx-testdata)\n", data);
        return 77;
    }
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        failures += check_folder(&table, &planned, data, folders[i], cases == DATA_CASES);
    fprintf(stderr,
            "planned engine: %d runs agree with the data, %d VJPs with the plain kernels, "
            "%d not planned\n",
            planned.forward, planned.vjp, planned.not_planned);
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
