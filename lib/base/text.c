/* text.c - text from outside that cannot do anything to the terminal that shows it. */
#include <kldve/common.h>

#include <stdbool.h>
#include <string.h>

enum { INVALID = 0xfffd /* what stands for bytes that are not UTF-8 */ };

/* The character at `text`, which ends with a NUL -> its bytes, 1..4; 0 for bytes that are not
 * UTF-8, which includes overlong forms, surrogates and numbers past U+10FFFF. */
static size_t next_character(const char *text, uint32_t *point)
{
    const unsigned char *s = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter forms are invalid */
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                             : 0;
    uint32_t value = n == 1 ? s[0] : n > 0 ? s[0] & (0x7fU >> n) : INVALID;

    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *point = INVALID;
            return 0;
        }
        value = value << 6 | (s[i] & 0x3fU);
    }
    *point = value;
    return n > 1 && (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
               ? 0
               : n;
}

/* Characters that move the cursor, begin a command of the terminal or end the line. */
static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
}

/* Characters that nobody sees, and which turn or hide others: Unicode's category Cf and tags. */
static bool is_invisible(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } range[] = {{0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
                 {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x180e, 0x180e},
                 {0x200b, 0x200f},   {0x202a, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},
                 {0xfff9, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
                 {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe007f}};

    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (point >= range[i].first && point <= range[i].last)
            return true;
    return false;
}

void kldve_printable(const char *text, char *out, size_t size)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t used = 0;

    if (!out || size == 0)
        return;
    while (text && *text) {
        uint32_t point;
        size_t n = next_character(text, &point);
        const char *from = n == 0 || is_invisible(point) ? replacement : text;
        size_t add = from == replacement ? sizeof replacement - 1 : n;

        if (is_control(point) && n > 0) {
            from = " ";
            add = 1;
        }
        if (used + add >= size)
            break;
        memcpy(out + used, from, add);
        used += add;
        text += n > 0 ? n : 1;
    }
    out[used] = '\0';
}
