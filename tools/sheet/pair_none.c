/* pair_none.c - takes the place of pair.c in a build without cairo and pango: no texts. */
#include "pair_parts.h"

kldve_status pair_write(kldve_ctx *ctx, const pair_layout *l, const pair_text *text,
                        kldve_image *to)
{
    (void)ctx;
    (void)l;
    (void)text;
    (void)to;
    return KLDVE_OK;
}
