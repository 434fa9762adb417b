/* dataset_key.c - names of files as keys: one line of text each, whatever bytes a name has.
 *
 * Bytes that belong to printable UTF-8 stay; all others, and '%', '#', '|', become %XX.  Two names
 * never have one key, and a key leads back to its name. */
#include "dataset_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The length of the printable character at s; 0: its first byte has to be written as %XX. */
static size_t printable(const unsigned char *s)
{
    char one[5] = "", clean[8];
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (s[0] < 0x20 || s[0] == 0x7f || strchr("%#|", s[0]))
        return 0;
    snprintf(one, n + 1, "%s", (const char *)s);
    clean_text(one, clean, sizeof clean);
    return strcmp(one, clean) == 0 && strlen(one) == n ? n : 0;
}

const char *dataset_key(dataset *d, const char *path)
{
    size_t used = 0;
    char *text = malloc(3 * strlen(path) + 1);
    const char *key = NULL;

    if (!text) {
        complain("%s: out of memory", d->name);
        return NULL;
    }
    while (*path) {
        size_t n = printable((const unsigned char *)path);

        if (n == 0)
            used += (size_t)sprintf(text + used, "%%%02X", (unsigned)(unsigned char)*path);
        memcpy(text + used, path, n);
        used += n;
        path += n > 0 ? n : 1;
    }
    key = dataset_text(d, text, used);
    free(text);
    return key;
}
