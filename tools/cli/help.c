/* help.c - kldve help: the commands, and all about one name.  Every text is made from the tables
 * that the command itself works with. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "getters.h"
#include "nearest.h"
#include "tool.h"
#include "wrap.h"

enum { COMMAND_COLUMN = 12 };

static int done(void)
{
    return output_flush() ? EXIT_DONE : EXIT_FAILED;
}

static void say_commands(void)
{
    const arg_command *command;
    const char *group = "";
    char name[LABEL_SIZE];

    for (int32_t i = 0; (command = command_number(i)) != NULL; i++) {
        if (strcmp(group, command->group) != 0)
            printf("\n%s\n", command->group);
        group = command->group;
        snprintf(name, sizeof name, "  %s", command->name);
        wrap_row(name, command->line, COMMAND_COLUMN);
    }
    wrap_row("  help",
             "this list; kldve help NAME says all about a command, a method, a reading or a metric",
             COMMAND_COLUMN);
}

static int overview(void)
{
    printf("usage: kldve COMMAND ...\n"
           "       kldve help [NAME]\n"
           "       kldve --version\n\n"
           "Show which pixels of a picture made a neural network decide.\n");
    say_commands();
    printf("\nTo begin, with the built-in demonstration network:\n"
           "  kldve explain PICTURE.png\n"
           "With your own:\n"
           "  kldve explain NETWORK.onnx PICTURE.png\n");
    return done();
}

static int refuse(const char *name)
{
    char hint[NEAREST_HINT];
    nearest near;

    nearest_begin(&near, name, strlen(name));
    for (int32_t i = 0; command_number(i); i++)
        nearest_offer(&near, command_number(i)->name);
    for (int32_t i = 0; method_number(i); i++)
        nearest_offer(&near, method_number(i)->name);
    for (int32_t i = 0; reading_choice(i); i++)
        nearest_offer(&near, reading_choice(i));
    for (int32_t i = 0; metric_number(i); i++)
        nearest_offer(&near, metric_number(i)->name);
    return args_usage(NULL, "help: there is no command, method, reading or metric '%s'%s", name,
                      nearest_hint(&near, "", hint));
}

int help_run(int argc, char **argv)
{
    const arg_command *command;

    if (argc == 0)
        return overview();
    command = command_named(argv[0]);
    if (command && argc == 2 && strcmp(argv[1], "--man") == 0) {
        args_man(command);
        return done();
    }
    command = argc == 1 ? command : NULL;
    if (command)
        args_help(command);
    else if (argc > 1 || (!method_help(argv[0]) && !reading_help(argv[0]) && !metric_help(argv[0])))
        return refuse(argv[argc - 1]);
    return done();
}
