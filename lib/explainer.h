/* explainer.h - inside of the explainer. */
#ifndef KLDVE_LIB_EXPLAINER_H
#define KLDVE_LIB_EXPLAINER_H

#include "network.h"
#include "run.h"

struct kldve_explainer {
    kldve_ctx *ctx;
    kldve_network net;
    kldve_input_spec spec; /**< every default filled in */
    /* For each input of a batch; explanations one by one use the first. */
    kldve_buffers *buffers; /**< [batch] */
    kldve_run *runs;        /**< [batch], of many.c; NULL where the batch is 1 */
    float *input;           /**< [batch][in_channels][in_height][in_width], of pictures */
};

#endif
