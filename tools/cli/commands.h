/* commands.h - the table of the commands. */
#ifndef KLDVE_TOOLS_COMMANDS_H
#define KLDVE_TOOLS_COMMANDS_H

#include "args.h"

/** In the order of the help; NULL past the last. */
const arg_command *command_number(int32_t index);
/** NULL: there is none of this name. */
const arg_command *command_named(const char *name);

#endif
