/* mapped.c - a mapped file that somebody cuts while it is in use.
 *
 * The weights of a network are read from the mapped file.  Where that has become shorter there are
 * no bytes, and the system sends SIGBUS.  The work cannot go on; the handler says why, with calls
 * that are allowed in one.  A library must not set handlers, so this is the command's. */
#include "mapped.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

enum { PIECE = 4096 };

/* The file that the line of /proc/self/maps is about, if the line's range holds the address:
 * "from-to rights offset device inode   PATH", numbers in hexadecimal.  NULL: it does not. */
static const char *file_at(const char *line, uintptr_t address)
{
    uintptr_t end[2] = {0, 0};
    int which = 0;

    for (; *line && *line != ' '; line++)
        if (*line == '-')
            which = 1;
        else
            end[which] =
                end[which] << 4 | (uintptr_t)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
    return address >= end[0] && address < end[1] ? strchr(line, '/') : NULL;
}

/* One line without its end; false at the end of the file.  What is too long is cut. */
static bool read_line(int fd, char line[PIECE])
{
    size_t n = 0;
    char c;

    while (read(fd, &c, 1) == 1 && c != '\n')
        if (n + 1 < PIECE)
            line[n++] = c;
    line[n] = '\0';
    return n > 0;
}

static void say(const char *path)
{
    static const char head[] = "kldve: ", tail[] = ": the file was cut while it was in use\n";
    char name[PIECE];
    size_t n = 0;

    for (; path[n] && n < PIECE; n++) /* what a terminal would obey, and what is no ASCII */
        name[n] = (char)(path[n] < ' ' || path[n] > '~' ? '?' : path[n]);
    (void)!write(STDERR_FILENO, head, sizeof head - 1);
    (void)!write(STDERR_FILENO, name, n);
    (void)!write(STDERR_FILENO, tail, sizeof tail - 1);
}

/* Every thread that reads there comes here; the first one speaks. */
static atomic_flag speaking = ATOMIC_FLAG_INIT;

static void on_bus(int number, siginfo_t *info, void *context)
{
    const char *path = NULL;
    char line[PIECE];
    int fd;

    (void)context;
    while (atomic_flag_test_and_set(&speaking))
        pause();
    fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && !path && read_line(fd, line))
        path = file_at(line, (uintptr_t)info->si_addr);
    if (!path) { /* something else, or sent by somebody: it ends the process */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    say(path);
    _exit(EXIT_FAILED);
}

void mapped_guard(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_bus;
    action.sa_flags = (int)(SA_SIGINFO);
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
