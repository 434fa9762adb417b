/* json_tree.c - see json_tree.h.  What is open lies on a stack of KX_JSON_DEPTH: nothing recurses.
 */
#include "read/json_tree.h"
#include "read/json_number.h"

#include <stdint.h>
#include <string.h>

/* A list or an object whose end has not been read. */
typedef struct open_node {
    kx_json *node;
    kx_json *last; /* item so far, or NULL */
} open_node;

typedef struct reader {
    kx_arena *arena;
    const char *at, *end;
    const char *reason; /* of a failure; NULL: out of memory */
    bool early;
    int depth;
    open_node open[KX_JSON_DEPTH];
} reader;

static bool fail(reader *r, const char *reason)
{
    r->early = r->at == r->end;
    r->reason = reason;
    return false;
}

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'))
        r->at++;
}

static bool next_is(const reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

/* Blanks and then c, if that comes next. */
static bool take(reader *r, char c)
{
    skip_blanks(r);
    if (!next_is(r, c))
        return false;
    r->at++;
    return true;
}

/* ---- strings ------------------------------------------------------------------------------- */

/* The bytes of the character of UTF-8 that starts at `at`; 0: not valid.  RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    size_t n = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    if (n == 0 || at[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

/* Four hexadecimal digits. */
static bool read_hex(reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = r->at < r->end ? *r->at : '\0';
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return fail(r, "\\u needs four hexadecimal digits");
        *out = *out << 4 | (uint32_t)digit;
        r->at++;
    }
    return true;
}

/* What follows \u: a character, of those above U+FFFF the first half, which the second follows. */
static bool read_unicode(reader *r, char **to)
{
    uint32_t c, low;

    if (!read_hex(r, &c))
        return false;
    if (c >= 0xd800 && c <= 0xdbff) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
            return fail(r, "half a character");
        r->at += 2;
        if (!read_hex(r, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(r, "half a character");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return fail(r, "half a character");
    }
    *to = put_utf8(*to, c);
    return true;
}

/* What follows a backslash. */
static bool read_escape(reader *r, char **to)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *letter;

    if (r->at == r->end)
        return fail(r, "a string has no end");
    if (*r->at == 'u') {
        r->at++;
        return read_unicode(r, to);
    }
    letter = *r->at ? strchr(letters, *r->at) : NULL;
    if (!letter)
        return fail(r, "an unknown character behind a backslash");
    *(*to)++ = meant[letter - letters];
    r->at++;
    return true;
}

static bool read_char(reader *r, char **to)
{
    size_t n;

    if ((unsigned char)*r->at < 0x20)
        return fail(r, "a control character in a string");
    if (*r->at == '\\') {
        r->at++;
        return read_escape(r, to);
    }
    n = utf8_length((const unsigned char *)r->at, (size_t)(r->end - r->at));
    if (n == 0)
        return fail(r, "not UTF-8");
    memcpy(*to, r->at, n);
    *to += n;
    r->at += n;
    return true;
}

/* Bytes up to the quotation mark that ends a string, and no less than what it means. */
static size_t raw_length(const reader *r)
{
    const char *at = r->at;

    while (at < r->end && *at != '"')
        at += *at == '\\' && r->end - at > 1 ? 2 : 1;
    return (size_t)(at - r->at);
}

/* Behind the first quotation mark. */
static bool read_string(reader *r, const char **out, size_t *count)
{
    char *text = kx_arena_alloc(r->arena, raw_length(r) + 1, 1), *to = text;

    if (!text)
        return fail(r, NULL);
    while (r->at < r->end && *r->at != '"')
        if (!read_char(r, &to))
            return false;
    if (r->at == r->end)
        return fail(r, "a string has no end");
    r->at++;
    *out = text;
    *count = (size_t)(to - text);
    return true;
}

/* ---- values -------------------------------------------------------------------------------- */

static bool read_number(reader *r, kx_json *out)
{
    const char *reason = NULL;

    out->kind = KX_JSON_NUMBER;
    return kx_json_number(&r->at, r->end, &out->number, &reason) || fail(r, reason);
}

static bool read_word(reader *r, kx_json *out)
{
    static const struct {
        const char *word;
        kx_json_kind kind;
        double number;
    } words[] = {
        {"null", KX_JSON_NULL, 0}, {"true", KX_JSON_BOOLEAN, 1}, {"false", KX_JSON_BOOLEAN, 0}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].word);

        if ((size_t)(r->end - r->at) < n || memcmp(r->at, words[i].word, n) != 0)
            continue;
        out->kind = words[i].kind;
        out->number = words[i].number;
        r->at += n;
        return true;
    }
    return fail(r, "a value was expected");
}

static bool open_container(reader *r, kx_json *node)
{
    if (r->depth == KX_JSON_DEPTH)
        return fail(r, "lists and objects are nested more than 32 deep");
    node->kind = *r->at++ == '{' ? KX_JSON_OBJECT : KX_JSON_LIST;
    r->open[r->depth++] = (open_node){node, NULL};
    return true;
}

/* "name":, in an object. */
static bool read_name(reader *r, kx_json *node)
{
    size_t count;

    if (!take(r, '"'))
        return fail(r, "a name in quotation marks was expected");
    if (!read_string(r, &node->name, &count))
        return false;
    if (strlen(node->name) != count)
        return fail(r, "a name holds a NUL character");
    return take(r, ':') || fail(r, "a colon was expected");
}

/* Behind the items of what is open. */
static void append(reader *r, kx_json *node)
{
    open_node *in = &r->open[r->depth - 1];

    if (in->last)
        in->last->next = node;
    else
        in->node->first = node;
    in->last = node;
    in->node->count++;
}

/* The next item of what is open, or the whole value.  Of lists and objects their beginning. */
static bool read_item(reader *r, kx_json **out)
{
    kx_json *node = kx_arena_alloc(r->arena, 1, sizeof *node);

    if (!node)
        return fail(r, NULL);
    if (r->depth > 0) {
        append(r, node);
        if (r->open[r->depth - 1].node->kind == KX_JSON_OBJECT && !read_name(r, node))
            return false;
    }
    *out = node;
    skip_blanks(r);
    if (next_is(r, '{') || next_is(r, '['))
        return open_container(r, node);
    if (next_is(r, '"')) {
        r->at++;
        node->kind = KX_JSON_STRING;
        return read_string(r, &node->text, &node->count);
    }
    if (next_is(r, '-') || (r->at < r->end && *r->at >= '0' && *r->at <= '9'))
        return read_number(r, node);
    return read_word(r, node);
}

/* The bracket that ends the innermost open list or object. */
static bool take_end(reader *r)
{
    if (r->depth == 0 || !take(r, r->open[r->depth - 1].node->kind == KX_JSON_OBJECT ? '}' : ']'))
        return false;
    r->depth--;
    return true;
}

static bool read_value(reader *r, kx_json **root)
{
    kx_json *item;

    for (;;) {
        int before = r->depth;
        bool begun; /* a list or an object, whose first item comes next */

        if (!read_item(r, &item))
            return false;
        if (!*root)
            *root = item;
        begun = r->depth > before;
        while (take_end(r))
            begun = false;
        if (r->depth == 0)
            return true;
        if (!begun && !take(r, ','))
            return fail(r, "a comma or the end of a list or an object was expected");
    }
}

static int line_of(const char *text, const char *at)
{
    int line = 1;

    for (; text < at; text++)
        line += *text == '\n';
    return line;
}

bool kx_json_read(kx_arena *arena, const char *text, size_t nbytes, const kx_json **out,
                  kx_json_fault *fault)
{
    reader r = {.arena = arena, .at = text, .end = text + nbytes};
    kx_json *root = NULL;
    bool read = read_value(&r, &root);

    skip_blanks(&r);
    if (read && r.at < r.end)
        read = fail(&r, "more text follows the value");
    if (read)
        *out = root;
    else
        *fault = (kx_json_fault){r.reason, r.early, line_of(text, r.at)};
    return read;
}

const kx_json *kx_json_find(const kx_json *object, const char *name)
{
    const kx_json *found = NULL;

    if (!object || object->kind != KX_JSON_OBJECT)
        return NULL;
    for (const kx_json *item = object->first; item; item = item->next)
        if (strcmp(item->name, name) == 0)
            found = item;
    return found;
}
