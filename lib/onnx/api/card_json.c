/* card_json.c - the text of a card becomes JSON.  See card_parts.h. */
#include "card_parts.h"

kldve_status kx_card_json(const kx_card_reader *r, kx_arena *arena, const char *text, size_t nbytes,
                          const kx_json **out)
{
    kx_json_fault fault;

    if (kx_json_read(arena, text, nbytes, out, &fault))
        return KLDVE_OK;
    if (!fault.reason)
        return kldve_ctx_failf(r->ctx, KLDVE_E_NOMEM, "%sout of memory", r->where);
    if (fault.early)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%snot valid JSON: it ends too early",
                               r->where);
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%snot valid JSON: line %d: %s", r->where,
                           fault.line, fault.reason);
}
