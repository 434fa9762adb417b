/* card_labels.c - the file of labels that a card names.  See card_parts.h.
 *
 * It lies in the folder of the card, or in labels/ beside it, since many keep models/ and labels/
 * side by side.  A card from outside must not name any other file: what stands there would be
 * shown. */
#include "card_parts.h"

#include "read/confine.h"

#include <stdio.h>
#include <string.h>

static kx_confined confine(const char *folder, const char *labels)
{
    static const char beside[] = "../labels/";
    char above[PATH_MAX], real[PATH_MAX];
    size_t n = strlen(beside);
    int length;

    if (strncmp(labels, beside, n) != 0)
        return kx_confine(folder, labels, real);
    length = snprintf(above, sizeof above, "%s/%s", *folder ? folder : ".", beside);
    return length < 0 || length >= (int)sizeof above ? KX_CONFINED_LONG
                                                     : kx_confine(above, labels + n, real);
}

kldve_status kx_card_labels(const kx_card_reader *r, const char *folder, const char *labels,
                            char **out)
{
    if (!labels)
        return KLDVE_OK;
    switch (confine(folder ? folder : "", labels)) {
    case KX_CONFINED_OUTSIDE:
        return kldve_ctx_failf(
            r->ctx, KLDVE_E_FORMAT,
            "%slabels: '%.120s' lies outside the card's folder and labels/ beside "
            "it: keep the labels there, or give them yourself",
            r->where, labels);
    case KX_CONFINED_LONG:
        return kldve_ctx_failf(r->ctx, KLDVE_E_UNSUPPORTED, "%slabels: the path is too long",
                               r->where);
    default: /* what is not there is said by whoever reads it */
        return kx_card_keep(r, folder, labels, out);
    }
}
