/* dataset_pending.c - parts of dataset.h that are not written yet. */
#include "evaluate/dataset.h"
bool dataset_match(const dataset *d, const network *n, dataset_targets *out)
{
    (void)d;
    (void)n;
    (void)out;
    complain("labels cannot be matched in this build");
    return false;
}
void dataset_targets_free(dataset_targets *t)
{
    (void)t;
}
bool dataset_load_tile(const dataset *d, int32_t number, int32_t tile, kldve_ctx *ctx,
                       const dataset_view *view, kldve_image **out, char why[LABEL_SIZE])
{
    (void)d;
    (void)number;
    (void)tile;
    (void)ctx;
    (void)view;
    (void)out;
    (void)why;
    return false;
}
