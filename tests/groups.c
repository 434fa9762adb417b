/* groups.c - one program of several test files: runs those that its arguments name, or all.  The
 * build defines GROUPS as G(a) G(b) ... for test_a.c, test_b.c, ...; each has its tests in
 * TEST_MAIN(a). */
#include "support.h"

#include <stdio.h>
#include <string.h>

#define G(name) int test_main_##name(void);
GROUPS
#undef G

static const struct group {
    const char *name;
    int (*run)(void);
} groups[] = {
#define G(name) {#name, test_main_##name},
    GROUPS
#undef G
};

enum { COUNT = sizeof groups / sizeof *groups };

/* One that exists; otherwise says so and returns NULL. */
static const struct group *find(const char *name)
{
    for (int i = 0; i < COUNT; i++)
        if (strcmp(groups[i].name, name) == 0)
            return &groups[i];
    fprintf(stderr, "there is no test file test_%s.c in this program\n", name);
    return NULL;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        const struct group *group = find(argv[i]);

        failed += group ? group->run() : 1;
    }
    for (int i = 0; argc == 1 && i < COUNT; i++)
        failed += groups[i].run();
    return failed != 0;
}
