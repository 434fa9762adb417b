/* slices.c - the large arrays of a JSON file, item by item.
 *
 * Only strings and brackets are looked at here, in a loop and not in a recursion; what is between
 * them json-c checks when an item is read. */
#include "slices.h"

#include "cli/tool.h"

#include <limits.h>
#include <string.h>

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* Behind the string that begins at `at`; NULL: it does not end. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : NULL;
}

/* Behind the value that begins at `at`; NULL: it does not end. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;

    while (at && at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            if (depth-- == 0)
                return at;
            at++;
        } else if (depth == 0 && (*at == ',' || *at == ' ' || *at == '\n' || *at == '\r')) {
            return at;
        } else {
            at++;
            continue; /* a letter or a digit never ends a value */
        }
        if (depth == 0)
            return at;
    }
    return at && depth == 0 ? at : NULL;
}

static bool broken(const char *path, const char *text, const char *at, const char *what)
{
    complain("%s: byte %zu: %s", path, (size_t)(at - text), what);
    return false;
}

/* A member from `at` on.  Behind it, or NULL after a message. */
static const char *read_member(const char *path, const char *text, const char *at, const char *end,
                               slice *name, slice *value)
{
    const char *from = skip_space(at, end);
    const char *to = from < end && *from == '"' ? skip_string(from, end) : NULL;

    if (!to) {
        broken(path, text, from, "no name of a member, where JSON has one");
        return NULL;
    }
    *name = (slice){from + 1, (size_t)(to - from - 2)};
    from = skip_space(to, end);
    if (from == end || *from != ':') {
        broken(path, text, from, "no ':' behind the name of a member");
        return NULL;
    }
    from = skip_space(from + 1, end);
    to = skip_value(from, end);
    if (!to || to == from) {
        broken(path, text, from,
               "a value that is missing or does not end: the file is cut off or damaged");
        return NULL;
    }
    *value = (slice){from, (size_t)(to - from)};
    return skip_space(to, end);
}

bool slice_members(const char *path, const char *text, size_t nbytes, const char *const *name,
                   slice *out, int count)
{
    const char *end = text + nbytes;
    const char *at = skip_space(text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0), end);

    memset(out, 0, (size_t)count * sizeof *out);
    if (at == end || *at != '{')
        return broken(path, text, at, "no '{': not the JSON of a data set");
    at = skip_space(at + 1, end);
    while (at < end && *at != '}') {
        slice member, value;

        at = read_member(path, text, at, end, &member, &value);
        if (!at)
            return false;
        for (int i = 0; i < count; i++)
            if (strlen(name[i]) == member.nbytes && memcmp(name[i], member.at, member.nbytes) == 0)
                out[i] = value;
        if (at < end && *at == ',')
            at = skip_space(at + 1, end);
        else if (at < end && *at != '}')
            return broken(path, text, at, "no ',' between two members");
    }
    if (at == end)
        return broken(path, text, at, "the file ends too early");
    at = skip_space(at + 1, end);
    return at == end || broken(path, text, at, "something follows the end of the JSON");
}

int slice_next(const char *path, const char *text, slice *rest, slice *item)
{
    const char *end, *at = rest->at, *to;

    if (rest->nbytes == 0)
        return 0;
    end = at + rest->nbytes;
    if (*at != '[' && *at != ',') {
        broken(path, text, at,
               *at == ']' ? "something follows an array" : "no '[', where an array begins");
        return -1;
    }
    at = skip_space(at + 1, end);
    if (*rest->at == '[' && *at == ']') {
        *rest = (slice){NULL, 0};
        return 0;
    }
    to = skip_value(at, end);
    if (!to || to == at || (to = skip_space(to, end)) == end || (*to != ',' && *to != ']')) {
        broken(path, text, at, "an item that is missing or does not end");
        return -1;
    }
    *item = (slice){at, (size_t)(to - at)};
    *rest = *to == ']' ? (slice){NULL, 0} : (slice){to, (size_t)(end - to)};
    return 1;
}

json_object *slice_read(const slice *item)
{
    json_tokener *tokener = item->nbytes <= SLICE_MAX ? json_tokener_new_ex(SLICE_DEPTH) : NULL;
    json_object *object = NULL;

    if (!tokener)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    object = json_tokener_parse_ex(tokener, item->at, (int)item->nbytes);
    if (json_tokener_get_error(tokener) != json_tokener_success) {
        json_object_put(object);
        object = NULL;
    }
    json_tokener_free(tokener);
    return object;
}
