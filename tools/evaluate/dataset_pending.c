/* dataset_pending.c - a part of dataset.h that is not written yet: mosaics. */
#include "dataset.h"

#include <stdio.h>

bool dataset_load_tile(const dataset *d, int32_t number, int32_t tile, kldve_ctx *ctx,
                       const dataset_view *view, kldve_image **out, char why[LABEL_SIZE])
{
    (void)d;
    (void)number;
    (void)tile;
    (void)ctx;
    (void)view;
    (void)out;
    snprintf(why, LABEL_SIZE, "this build makes no mosaics");
    return false;
}
