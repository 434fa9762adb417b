/* kldve.c - the kldve command: which pixels made a network decide. */
#include "tool.h"

#include <stdio.h>
#include <string.h>

static const arg_command *const commands[] = {&explain_command, &compare_command, &report_command,
                                              &methods_command, &layers_command};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const arg_command *find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int help(void)
{
    printf("usage: kldve COMMAND ...\n\n"
           "Show which pixels of a picture made a convolutional network decide.\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  kldve %s%s%s\n", commands[i]->name, *commands[i]->usage ? " " : "",
               commands[i]->usage);
    printf("  kldve help COMMAND\n  kldve --version\n\n"
           "To begin: kldve explain PICTURE, with the built-in demonstration network.\n");
    return output_flush() ? EXIT_DONE : EXIT_FAILED;
}

static int help_on(int argc, char **argv)
{
    const arg_command *command;

    if (argc == 0)
        return help();
    command = argc == 1 ? find(argv[0]) : NULL;
    if (!command)
        return args_usage(NULL, "help: no command '%s'", argv[argc - 1]);
    args_help(command);
    return output_flush() ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const arg_command *command;

    if (!name)
        return args_usage(
            NULL, "a command is missing: explain, compare, report, methods, layers or help");
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help();
    if (strcmp(name, "--version") == 0) {
        printf("kldve %s\n", kldve_version());
        return output_flush() ? EXIT_DONE : EXIT_FAILED;
    }
    if (strcmp(name, "help") == 0)
        return help_on(argc - 2, argv + 2);
    command = find(name);
    if (!command)
        return args_usage(NULL, "no command '%s'", name);
    return command->run(command, argc - 2, argv + 2);
}
