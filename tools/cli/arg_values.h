/* arg_values.h - what stands behind an option. */
#ifndef KLDVE_TOOLS_ARG_VALUES_H
#define KLDVE_TOOLS_ARG_VALUES_H

#include "args.h"

/** Store `text` in the member of an option; false if the option does not take it. */
bool arg_parse_value(const arg_option *o, const char *text, void *member);

/** Say what the option takes instead of `text`.  ARGS_WRONG. */
int32_t arg_refuse_value(const char *command, const arg_option *o, const char *text);

#endif
