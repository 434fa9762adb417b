/* explainer.h - inside of the explainer. */
#ifndef KLDVE_LIB_EXPLAINER_H
#define KLDVE_LIB_EXPLAINER_H

#include "base/scratch.h"
#include "network.h"
#include "run.h"
#include "stages/preprocess.h"

struct kldve_explainer {
    kldve_ctx *ctx;
    kldve_network net;
    kldve_input_spec spec; /**< every default filled in */
    /* For each input that is explained at the same time; one by one the first. */
    int32_t room;           /**< how many: 1, from the first batch on its size */
    size_t taken;           /**< bytes of its own and of the backend's state, when it was opened */
    kldve_buffers *buffers; /**< [room] */
    kldve_run *runs;        /**< [room], of a batch; NULL where room is 1 */
    float *input;           /**< [room][in_channels][in_height][in_width], of pictures */
    kldve_scratch scratch;  /**< for preparing a picture */
};

/** Have room for `count` inputs at least.  Buffers and inputs may lie elsewhere afterwards; on
 *  failure everything stays. */
kldve_status kldve_explainer_make_room(kldve_explainer *ex, int32_t count);

#endif
