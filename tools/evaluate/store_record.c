/* store_record.c - what a database says about the program that filled it: build, machine, command
 * line; and the hash of what the results of a question depend on. */
#define _GNU_SOURCE /* dl_iterate_phdr() */

#include "store.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/tool.h"

/* FNV-1a, 64 bits. */
uint64_t store_print(uint64_t print, const void *bytes, size_t nbytes)
{
    const unsigned char *at = bytes;

    if (print == 0)
        print = 0xcbf29ce484222325u;
    for (size_t i = 0; i < nbytes; i++)
        print = (print ^ at[i]) * 0x100000001b3u;
    return print;
}

/* ---- build -------------------------------------------------------------------------------- */

/* Whether the numbers of a result depend on this object of the process: the program itself and the
 * libraries that compute. */
static bool computes(const char *path)
{
    static const char *const names[] = {"libkldve", "libdnnl",  "libopenblas",
                                        "libblas",  "libcblas", "libblis",
                                        "libpng16", "libjpeg",  "libm."};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return *path == '\0';
}

/* The build identity among the notes of a segment, hashed; 0: there is none. */
static uint64_t print_of_notes(const unsigned char *at, size_t nbytes)
{
    ElfW(Nhdr) note;

    while (nbytes >= sizeof note) {
        size_t name, bytes;

        memcpy(&note, at, sizeof note);
        name = ((size_t)note.n_namesz + 3) / 4 * 4;
        bytes = ((size_t)note.n_descsz + 3) / 4 * 4;
        if (name > nbytes - sizeof note || bytes > nbytes - sizeof note - name)
            return 0;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof "GNU" &&
            memcmp(at + sizeof note, "GNU", sizeof "GNU") == 0)
            return store_print(0, at + sizeof note + name, note.n_descsz);
        at += sizeof note + name + bytes;
        nbytes -= sizeof note + name + bytes;
    }
    return 0;
}

/* Added up, so that the order in which libraries were loaded does not matter. */
static int add_object(struct dl_phdr_info *info, size_t size, void *opaque)
{
    uint64_t *sum = opaque;

    (void)size;
    for (int i = 0; computes(info->dlpi_name) && i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_NOTE) {
            uintptr_t at = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

            *sum += print_of_notes((const unsigned char *)at, info->dlpi_phdr[i].p_memsz);
        }
    return 0;
}

void store_build(char out[STORE_TEXT])
{
    uint64_t sum = 0;

    dl_iterate_phdr(add_object, &sum);
    snprintf(out, STORE_TEXT, "kldve %s, build %016llx", kldve_version(), (unsigned long long)sum);
}

/* ---- machine ------------------------------------------------------------------------------ */

void store_machine(char out[STORE_TEXT])
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[STORE_TEXT];

    snprintf(out, STORE_TEXT, "unknown processor");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, "model name", strlen("model name")) != 0 || !colon)
            continue;
        line[strcspn(line, "\n")] = '\0';
        clean_text(colon + 1 + strspn(colon + 1, " \t"), out, STORE_TEXT);
        break;
    }
    if (file)
        fclose(file);
}

void store_host(char out[STORE_TEXT])
{
    if (gethostname(out, STORE_TEXT) != 0)
        snprintf(out, STORE_TEXT, "unknown");
    out[STORE_TEXT - 1] = '\0';
}

/* ---- command line ------------------------------------------------------------------------- */

/* Where a value that is an absolute path begins in an argument, "/a" or "--json=/a"; NULL: none. */
static const char *absolute_path(const char *text)
{
    const char *value = strchr(text, '=');

    if (*text == '/')
        return text;
    return value && value[1] == '/' ? value + 1 : NULL;
}

/* An argument without the folders of an absolute path. */
static void add_argument(char *out, size_t size, const char *text)
{
    const char *path = absolute_path(text), *slash = path ? strrchr(path, '/') : NULL;
    bool quoted = *text == '\0' || strpbrk(text, " \t\n'\"\\$*?[]{}()<>|&;#~`!") != NULL;
    size_t used = strlen(out);
    int head = path && slash[1] ? (int)(path - text) : (int)strlen(text);

    snprintf(out + used, size - used, "%s%s%.*s%s%s", used ? " " : "", quoted ? "'" : "", head,
             text, path && slash[1] ? slash + 1 : "", quoted ? "'" : "");
}

char *store_command_line(int argc, char **argv)
{
    size_t size = 1;
    char *out;

    for (int i = 0; i < argc; i++)
        size += strlen(argv[i]) + sizeof "  ''";
    out = calloc(size, 1);
    for (int i = 0; out && i < argc; i++)
        add_argument(out, size, argv[i]);
    return out;
}
