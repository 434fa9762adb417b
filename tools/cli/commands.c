/* commands.c - the table of the commands. */
#include "commands.h"

#include <string.h>

#include "tool.h"

static const arg_command *const commands[] = {&explain_command,  &compare_command, &report_command,
                                              &evaluate_command, &results_command, &merge_command,
                                              &diff_command,     &methods_command, &metrics_command,
                                              &layers_command,   &cards_command};

enum { COMMANDS = sizeof commands / sizeof *commands };

const arg_command *command_number(int32_t index)
{
    return index >= 0 && index < COMMANDS ? commands[index] : NULL;
}

const arg_command *command_named(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}
