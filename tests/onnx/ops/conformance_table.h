/* conformance_table.h - the results of the conformance test as the tables of docs/operators.md. */
#ifndef KLDVE_TESTS_ONNX_CONFORMANCE_TABLE_H
#define KLDVE_TESTS_ONNX_CONFORMANCE_TABLE_H

#include <stdbool.h>
#include <stdio.h>

enum { MAX_ROWS = 300, MAX_REFUSALS = 400, NAME_SIZE = 96, REASON_SIZE = 200 };

typedef struct table_row {
    char type[NAME_SIZE];
    int passed, constant, refused;
} table_row;

typedef struct conformance_table {
    table_row row[MAX_ROWS];
    int rows;
    struct {
        char type[NAME_SIZE], name[320], reason[REASON_SIZE];
    } refusal[MAX_REFUSALS]; /* of operators that we have */
    int refusals;
    int cases, passed, refused, failed;
} conformance_table;

/** The row of an operator, added if missing. */
table_row *table_row_of(conformance_table *t, const char *type);
/** A case that an operator which the engine has is refused in. */
void table_add_refusal(conformance_table *t, const char *type, const char *name,
                       const char *reason);
/** The tables in Markdown. */
void table_print(conformance_table *t, FILE *to);

#endif
