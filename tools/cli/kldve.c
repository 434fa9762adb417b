/* kldve.c - the kldve command: which pixels made a network decide. */
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "commands.h"
#include "complete.h"
#include "help.h"
#include "mapped.h"
#include "nearest.h"

static int no_command(void)
{
    char names[MESSAGE_SIZE / 2] = "";

    for (int32_t i = 0; command_number(i); i++)
        list_name(names, sizeof names, command_number(i)->name);
    return args_usage(NULL, "a command is missing: give one of %s, help", names);
}

/* Restart this program with the environment as it is now.  Returns only if that fails; then the
 * program continues as it is. */
static void restart(char **argv)
{
    char path[4096];
    ssize_t length;

    if (getauxval(AT_BASE) == 0)
        return; /* the dynamic loader was told to run the program, so the link names the loader */
    /* Run the link's target: under Valgrind the link itself leads to Valgrind. */
    length = readlink("/proc/self/exe", path, sizeof path);
    if (length <= 0 || (size_t)length >= sizeof path)
        return;
    path[length] = 0;
    execv(path, argv);
}

/* Set a variable of the environment unless it is set; whether it was set now. */
static bool set_unless(const char *name, const char *value)
{
    return !getenv(name) && setenv(name, value, 1) == 0;
}

/* With GNU's OpenMP, a thread that has finished its part of a layer spins for some milliseconds. If
 * other programs need the cores, every layer takes that long: a second for ten milliseconds of
 * work.  2000 turns, about 0.1 ms, are enough for threads that each have a core
 * (docs/performance.md). */
static bool wait_briefly(void)
{
    return !getenv("OMP_WAIT_POLICY") && set_unless("GOMP_SPINCOUNT", "2000");
}

/* OpenBLAS starts a thread for each further core, of which the library uses none.  Each takes a
 * block of 128 MiB at its start, asks for ever if there is none, and is waited for at the end of
 * the process: with little memory (ulimit -v) no command would ever end. */
static bool stay_alone(void)
{
    return set_unless("OPENBLAS_NUM_THREADS", "1");
}

static bool memory_is_limited(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

/* Both libraries read their environment when they are loaded, before main(), hence the restart. */
static void settle(const arg_command *command, char **argv)
{
    bool computes = command && command->computes;
    bool waits = computes && wait_briefly(),
         alone = (computes || memory_is_limited()) && stay_alone();

    if (waits || alone)
        restart(argv);
}

/* The command is made for the libraries of its own release.  With others, whose calls may have
 * changed, it would go astray; `loaded` is their KLDVE_VERSION_NUMBER. */
static bool fits(const char *library, int32_t loaded)
{
    enum { PATCHES = 1000 }; /* of a minor release, all of which fit each other */

    if (loaded / PATCHES == KLDVE_VERSION_NUMBER / PATCHES)
        return true;
    complain("this is kldve %d.%d.%d, which does not fit %s %d.%d.%d: install both of one release",
             KLDVE_VERSION_MAJOR, KLDVE_VERSION_MINOR, KLDVE_VERSION_PATCH, library,
             (int)loaded / PATCHES / PATCHES, (int)loaded / PATCHES % PATCHES,
             (int)loaded % PATCHES);
    return false;
}

/* There is no command of this name. */
static int refuse_command(const char *name)
{
    char hint[NEAREST_HINT];
    nearest near;

    nearest_begin(&near, name, strlen(name));
    for (int32_t i = 0; command_number(i); i++)
        nearest_offer(&near, command_number(i)->name);
    nearest_offer(&near, "help");
    return args_usage(NULL, "there is no command '%s'%s", name, nearest_hint(&near, "", hint));
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    const arg_command *command = name ? command_named(name) : NULL;

    if (!fits("libkldve", kldve_version_number()) ||
        !fits("libkldve-onnx", kldve_onnx_version_number()))
        return EXIT_FAILED;
    settle(command, argv);
    mapped_guard();
    if (!name)
        return no_command();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help_run(0, NULL);
    if (strcmp(name, "--version") == 0) {
        printf("kldve %s\n", kldve_version());
        return output_flush() ? EXIT_DONE : EXIT_FAILED;
    }
    if (strcmp(name, "complete") == 0)
        return complete_run(argc - 2, argv + 2);
    if (strcmp(name, "help") == 0)
        return help_run(argc - 2, argv + 2);
    if (!command)
        return refuse_command(name);
    return command->run(command, argc - 2, argv + 2);
}
