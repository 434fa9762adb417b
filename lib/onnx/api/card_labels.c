/* card_labels.c - the file of labels that a card names.  See card_parts.h. */
#include "card_parts.h"

#include "read/confine.h"

kldve_status kx_card_labels(const kx_card_reader *r, const char *folder, const char *labels,
                            char **out)
{
    char real[PATH_MAX];

    if (!labels)
        return KLDVE_OK;
    switch (kx_confine(folder ? folder : "", labels, real)) {
    case KX_CONFINED_OUTSIDE:
        return kldve_ctx_failf(
            r->ctx, KLDVE_E_FORMAT,
            "%slabels: '%.120s' lies outside the card's folder: keep them beside "
            "the card, or give them yourself",
            r->where, labels);
    case KX_CONFINED_LONG:
        return kldve_ctx_failf(r->ctx, KLDVE_E_UNSUPPORTED, "%slabels: the path is too long",
                               r->where);
    default: /* what is not there is said by whoever reads it */
        return kx_card_keep(r, folder, labels, out);
    }
}
