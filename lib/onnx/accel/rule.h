/* rule.h - families of a kldve_rule, the rule of a backward pass. */
#ifndef KLDVE_ONNX_RULE_H
#define KLDVE_ONNX_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <kldve/backend.h>

/** Layer-wise relevance propagation? */
static inline bool kx_rule_is_lrp(int32_t rule)
{
    return rule >= KLDVE_RULE_LRP_EPSILON && rule <= KLDVE_RULE_LRP_COMPOSITE;
}

/** A reversed network, which passes over local response normalisation? */
static inline bool kx_rule_is_reversed(int32_t rule)
{
    return rule == KLDVE_RULE_DECONVOLUTION || rule == KLDVE_RULE_SALIENT_DECONVOLUTION;
}

#endif
