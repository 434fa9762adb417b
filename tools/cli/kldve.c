/* kldve.c - the kldve command: which pixels made a network decide. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/auxv.h>
#include <unistd.h>

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

/* Start this program anew, with the environment as it is now.  Returns where that cannot be: then
 * it goes on as it is. */
static void start_anew(char **argv)
{
    char path[4096];
    ssize_t length;

    if (getauxval(AT_BASE) == 0)
        return; /* the dynamic loader was told to run it, and is what the link names */
    /* Its target, not the link itself, which under Valgrind leads to Valgrind when it is run. */
    length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || (size_t)length >= sizeof path)
        return;
    path[length] = 0;
    execv(path, argv);
}

/* GNU's OpenMP lets a thread that is done with its part of a layer wait awake for some
 * milliseconds. Where other programs want the cores, that is how long each layer takes: a second
 * for what takes ten milliseconds.  2000 turns, some 0.1 ms, are enough for threads that have a
 * core each (docs/performance.md).  It reads the number when it is loaded, before main(), hence the
 * new start. */
static void wait_briefly(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY"))
        return;
    if (setenv("GOMP_SPINCOUNT", "2000", 1) == 0)
        start_anew(argv);
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
    if (command->computes)
        wait_briefly(argv);
    return command->run(command, argc - 2, argv + 2);
}
