/* rows.h - tables that come from outside as text: one row a line, cells between tabs, commas or
 * semicolons; a cell in "quotes" may hold any of them, and "" for one quote. */
#ifndef KLDVE_TOOLS_ROWS_H
#define KLDVE_TOOLS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROWS_CELLS = 64 };

typedef struct rows {
    const char *path;
    char *text, *at, *end;
    char separator;         /**< the first of tab, comma, semicolon that the first line has */
    int32_t line;           /**< of the current row, from 1 */
    int32_t lines;          /**< read so far */
    int32_t cells;          /**< of the current row */
    char *cell[ROWS_CELLS]; /**< without spaces around them; they live until rows_close() */
} rows;

/** Read a file.  False after a message; close it in either case. */
bool rows_open(rows *r, const char *path);
/** The next row that is not empty: 1; 0: there is none; -1 after a message: no table. */
int rows_next(rows *r);
void rows_close(rows *r);

#endif
