/* card_json.c - the text of a card becomes JSON.  See card_parts.h. */
#include "card_parts.h"

#include <stdbool.h>

enum { DEPTH_LIMIT = 32 /* of nested arrays and objects */ };

static int line_of(const char *text, size_t at)
{
    int line = 1;

    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Bytes -> tree.  Strict: only blanks may follow the object. */
kldve_status kx_card_json(const kx_card_reader *r, const char *text, size_t nbytes,
                          json_object **out)
{
    json_tokener *tokener = json_tokener_new_ex(DEPTH_LIMIT);
    enum json_tokener_error error;
    kldve_status status = KLDVE_OK;
    size_t end;

    if (!tokener)
        return kldve_ctx_failf(r->ctx, KLDVE_E_NOMEM, "%sout of memory", r->where);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *out = json_tokener_parse_ex(tokener, text, (int)nbytes);
    error = json_tokener_get_error(tokener);
    end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue) { /* "null" may continue until a blank ends it */
        *out = json_tokener_parse_ex(tokener, "\n", 1);
        error = json_tokener_get_error(tokener);
        end = nbytes;
    }
    while (error == json_tokener_success && end < nbytes && is_blank(text[end]))
        end++;
    if (error == json_tokener_continue)
        status = kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%snot valid JSON: it ends too early",
                                 r->where);
    else if (error != json_tokener_success || end < nbytes)
        status = kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%snot valid JSON: line %d: %s", r->where,
                                 line_of(text, end),
                                 error != json_tokener_success ? json_tokener_error_desc(error)
                                                               : "more text follows the object");
    if (status != KLDVE_OK) {
        json_object_put(*out);
        *out = NULL;
    }
    json_tokener_free(tokener);
    return status;
}
