/* nearest.c - which of many names somebody may have meant. */
#include "nearest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The letters that count -> out, which has room for NEAREST_LETTERS and gets no NUL.  Returns how
 * many there are. */
static int32_t fold(const char *text, size_t n, char *out)
{
    int32_t letters = 0;

    for (size_t i = 0; i < n && letters < NEAREST_LETTERS; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '+' || (n - i >= 4 && strncasecmp(text + i, "plus", 4) == 0)) {
            out[letters++] = 'p';
            i += c == '+' ? 0 : 3;
        } else if (c >= 'A' && c <= 'Z') {
            out[letters++] = (char)(c | 0x20);
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80) {
            out[letters++] = (char)c;
        }
    }
    return letters;
}

void nearest_begin(nearest *to, const char *wanted, size_t n)
{
    memset(to, 0, sizeof *to);
    to->letters = fold(wanted, n, to->wanted);
    to->limit = to->letters < 3 ? 1 : (to->letters + 2) / 3;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: Damerau-Levenshtein where no part is changed twice.  limit + 1: more
 * than the limit. */
static int32_t distance(const char *a, int32_t n, const char *b, int32_t m, int32_t limit)
{
    int32_t row[3][NEAREST_LETTERS + 1]; /* of i - 2, i - 1 and i */

    if (n - m > limit || m - n > limit)
        return limit + 1;
    for (int32_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (int32_t i = 1; i <= n; i++) {
        const int32_t *before = row[(i + 1) % 3], *above = row[(i - 1) % 3];
        int32_t *now = row[i % 3], best;

        best = now[0] = i;
        for (int32_t j = 1; j <= m; j++) {
            bool same = a[i - 1] == b[j - 1];

            now[j] = least(least(now[j - 1], above[j]) + 1, above[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
            best = least(best, now[j]);
        }
        if (best > limit)
            return limit + 1;
    }
    return row[n % 3][m];
}

static bool contains(const char *text, int32_t n, const char *part, int32_t m)
{
    for (int32_t i = 0; i + m <= n; i++)
        if (memcmp(text + i, part, (size_t)m) == 0)
            return true;
    return false;
}

/* How far a folded name is, more than the limit: it is no resemblance. */
static int32_t how_far(const nearest *to, const char *name, int32_t letters)
{
    int32_t far = distance(to->wanted, to->letters, name, letters, to->limit);
    int32_t more = letters - to->letters;

    if (to->letters >= 3 && more > 0 && contains(name, letters, to->wanted, to->letters))
        far = least(far, least(1 + more / 8, to->limit));
    if (letters >= 3 && more < 0 && contains(to->wanted, to->letters, name, letters))
        far = least(far, least(1 - more / 4, to->limit));
    return far;
}

void nearest_offer(nearest *to, const char *name)
{
    char folded[NEAREST_LETTERS];
    int32_t far = how_far(to, folded, fold(name, strlen(name), folded)), at = to->count;

    if (far > to->limit)
        return;
    while (at > 0 && to->found[at - 1].far > far)
        at--;
    if (at == NEAREST_NAMES)
        return;
    if (to->count < NEAREST_NAMES)
        to->count++;
    memmove(to->found + at + 1, to->found + at, (size_t)(to->count - 1 - at) * sizeof *to->found);
    to->found[at].far = far;
    clean_text(name, to->found[at].name, sizeof to->found[at].name);
}

const char *nearest_best(const nearest *to)
{
    return to->count > 0 ? to->found[0].name : NULL;
}

const char *nearest_hint(const nearest *to, const char *before, char out[NEAREST_HINT])
{
    int32_t names = to->count;
    size_t used = 0;

    while (names > 1 && to->found[names - 1].far > to->found[0].far)
        names--;
    out[0] = '\0';
    for (int32_t i = 0; i < names; i++)
        used += (size_t)snprintf(out + used, NEAREST_HINT - used, "%s'%s%s'",
                                 i == 0           ? "; did you mean "
                                 : i == names - 1 ? " or "
                                                  : ", ",
                                 before, to->found[i].name);
    if (names > 0)
        snprintf(out + used, NEAREST_HINT - used, "?");
    return out;
}
