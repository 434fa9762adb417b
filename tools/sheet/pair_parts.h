/* pair_parts.h - where the parts of a pair lie, in pixels. */
#ifndef KLDVE_TOOLS_PAIR_PARTS_H
#define KLDVE_TOOLS_PAIR_PARTS_H

#include "pair.h"

typedef struct pair_layout {
    int32_t width, height;      /**< of one picture */
    int32_t margin, head, foot; /**< around all; heights of the captions */
    int32_t right;              /**< where the right picture begins */
    int32_t whole_width, whole_height;
    double font;
} pair_layout;

/** Write the texts into `to`, whose captions are empty.  Fails where there is no memory. */
kldve_status pair_write(kldve_ctx *ctx, const pair_layout *l, const pair_text *text,
                        kldve_image *to);

#endif
