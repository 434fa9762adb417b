/* conformance_table.c - see conformance_table.h. */
#include "conformance_table.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"

table_row *table_row_of(conformance_table *t, const char *type)
{
    table_row *r = t->row;

    while (r < t->row + t->rows && strcmp(r->type, type) != 0)
        r++;
    if (r == t->row + t->rows) {
        assert_true(t->rows < MAX_ROWS);
        snprintf(r->type, sizeof r->type, "%s", type);
        t->rows++;
    }
    return r;
}

void table_add_refusal(conformance_table *t, const char *type, const char *name, const char *reason)
{
    assert_true(t->refusals < MAX_REFUSALS);
    snprintf(t->refusal[t->refusals].type, NAME_SIZE, "%s", type);
    snprintf(t->refusal[t->refusals].name, sizeof t->refusal[0].name, "%s", name);
    snprintf(t->refusal[t->refusals++].reason, REASON_SIZE, "%s", reason);
}

static int by_type(const void *a, const void *b)
{
    return strcmp(((const table_row *)a)->type, ((const table_row *)b)->type);
}

enum { NEWEST = 25 /* opset that the table considers */ };

/* "7+", or "1-10, 13+" where the entries leave a gap.  vjp: whether any entry has one. */
static bool describe(const char *type, char *opsets, size_t size, bool *vjp)
{
    bool known = false, open = false;
    size_t used = 0;

    *vjp = false;
    for (int32_t v = 1; v <= NEWEST + 1; v++) {
        const kx_op *op = v <= NEWEST ? kx_op_find("", type, v) : NULL;

        if (op && (op->vjp || op->expand))
            *vjp = true;
        if (op && !open)
            used += (size_t)snprintf(opsets + used, size - used, "%s%d", known ? ", " : "", v);
        if (!op && open && v <= NEWEST)
            used += (size_t)snprintf(opsets + used, size - used, "-%d", v - 1);
        if (!op && open && v > NEWEST)
            used += (size_t)snprintf(opsets + used, size - used, "+");
        open = op != NULL;
        known = known || open;
    }
    return known;
}

/* Supported operators without a case in the data get a row too. */
static void add_all_operators(conformance_table *t)
{
    for (const kx_op *const *family = kx_families; *family; family++)
        for (const kx_op *op = *family; op->type; op++)
            if (!op->domain)
                table_row_of(t, op->type);
}

/* The names of the operators of one domain other than ONNX's own. */
static void print_domain(FILE *to, const char *domain)
{
    bool first = true;

    fprintf(to, "\nOf `%s`:\n", domain);
    for (const kx_op *const *family = kx_families; *family; family++)
        for (const kx_op *op = *family; op->type; op++)
            if (op->domain && strcmp(op->domain, domain) == 0) {
                fprintf(to, "%s%s", first ? "" : ",\n", op->type);
                first = false;
            }
    fprintf(to, ".\n");
}

void table_print(conformance_table *t, FILE *to)
{
    char opsets[64];
    bool vjp, first = true;

    add_all_operators(t);
    qsort(t->row, (size_t)t->rows, sizeof *t->row, by_type);
    fprintf(to, "%d cases: %d pass, %d are refused, %d fail.\n\n", t->cases, t->passed, t->refused,
            t->failed);
    fprintf(to, "| operator | opsets | VJP | passed | of which constant | refused |\n");
    fprintf(to, "|---|---|---|---:|---:|---:|\n");
    for (int i = 0; i < t->rows; i++)
        if (describe(t->row[i].type, opsets, sizeof opsets, &vjp))
            fprintf(to, "| %s | %s | %s | %d | %d | %d |\n", t->row[i].type, opsets,
                    vjp ? "yes" : "no", t->row[i].passed, t->row[i].constant, t->row[i].refused);
    fprintf(
        to,
        "\nRefused cases of supported operators:\n\n| operator | case | reason |\n|---|---|---|\n");
    for (int i = 0; i < t->refusals; i++)
        fprintf(to, "| %s | %s | %s |\n", t->refusal[i].type, t->refusal[i].name,
                t->refusal[i].reason);
    fprintf(to, "\nUnsupported operators that occur in the data, with their numbers of cases:\n");
    for (int i = 0; i < t->rows; i++)
        if (!describe(t->row[i].type, opsets, sizeof opsets, &vjp)) {
            fprintf(to, "%s%s (%d)", first ? "" : ",\n", t->row[i].type, t->row[i].refused);
            first = false;
        }
    fprintf(to, ".\n");
    fprintf(to, "\nOperators of other domains:\n");
    print_domain(to, "com.microsoft");
    print_domain(to, "ai.onnx.ml");
}
