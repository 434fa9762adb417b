/* pair.h - two pictures beside each other with a caption above each and a line below. */
#ifndef KLDVE_TOOLS_PAIR_H
#define KLDVE_TOOLS_PAIR_H

#include <kldve/image.h>

/** Texts, one line each; what does not fit ends in "...". */
typedef struct pair_text {
    const char *left[2], *right[2]; /**< a heading, and a line in bold */
    const char *foot;
} pair_text;

/** Draw them, of one size; small ones are enlarged so that the captions have room.  A build without
 *  cairo and pango leaves the texts out.
 *  @param out  On KLDVE_OK a new picture. */
kldve_status pair_draw(kldve_ctx *ctx, const kldve_image *left, const kldve_image *right,
                       const pair_text *text, kldve_image **out);

#endif
