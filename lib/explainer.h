/* explainer.h - inside of the explainer. */
#ifndef KLDVE_LIB_EXPLAINER_H
#define KLDVE_LIB_EXPLAINER_H

#include "network.h"
#include "run.h"

struct kldve_explainer {
    kldve_ctx *ctx;
    kldve_network net;
    kldve_buffers buffers;
    kldve_input_spec spec; /**< every default filled in */
    float *input;          /**< [in_channels][in_height][in_width] */
};

#endif
