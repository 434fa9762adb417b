/* wrap.h - text in lines of 80 columns on standard output. */
#ifndef KLDVE_TOOLS_WRAP_H
#define KLDVE_TOOLS_WRAP_H

#include <stdint.h>

enum { WRAP_WIDTH = 80, WRAP_TEXT = 2048 /**< bytes of a list that is put together */ };

/** Print the words of `text`, ASCII, and end the line.  The cursor is at column `at`; further lines
 *  are indented by `indent`.  White space of any kind stands between words; an empty line begins a
 *  new paragraph. */
void wrap_text(const char *text, int32_t at, int32_t indent);

/** Print `name`, then `text` from the column `indent` on, in the next line where the name is too
 *  long. */
void wrap_row(const char *name, const char *text, int32_t indent);

#endif
