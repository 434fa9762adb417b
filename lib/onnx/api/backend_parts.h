/* backend_parts.h - the state of a network that is open as a backend, and the slots of its table
 * that are files of their own. */
#ifndef KLDVE_ONNX_BACKEND_PARTS_H
#define KLDVE_ONNX_BACKEND_PARTS_H

#include "load.h"
#include "picked.h"
#include "randomised.h"
#include "run/batch.h"
#include "run/extra.h"
#include "run/state.h"

/* Backward passes with a plan of their own: one for each LRP rule, one for the biases, one for the
 * attentions. */
enum {
    KX_EXTRA_LRP = 0,
    KX_EXTRA_BIASES = KLDVE_RULE_LRP_COMPOSITE - KLDVE_RULE_LRP_EPSILON + 1,
    KX_EXTRA_ATTENTIONS,
    KX_EXTRAS
};

enum { KX_RANDOM_NOTE = 256 };

typedef struct kx_backend_state {
    const kldve_onnx *net; /* that runs: `file`, or `random` */
    kldve_ctx *ctx;
    const kldve_onnx *file;    /* as the file has it */
    kldve_onnx *random;        /* with random parameters; NULL: none */
    kx_parameters parameters;  /* of `file` */
    kx_arena arena;            /* for them */
    bool looked;               /* they have been looked for */
    char note[KX_RANDOM_NOTE]; /* of `random` */
    /* What runs. */
    kx_state *run;
    kx_picked *picked; /* the scores where they are selected, else NULL */
    kx_extra *finder;  /* computes rows of a detector; NULL until asked for */
    float *found;      /* what it computed */
    kx_many *many;     /* `batch` inputs at once; NULL until asked for */
    float *rounded;    /* whole numbers for the network, of rounded_for inputs; or NULL */
    int32_t rounded_for;
    float *input;                   /* of the last forward pass, for extra plans; NULL: not kept */
    uint64_t pass;                  /* its number; 0: none yet */
    uint64_t passes;                /* forward passes so far */
    kx_extra *extra[KX_EXTRAS];     /* NULL until asked for */
    uint64_t extra_pass[KX_EXTRAS]; /* the forward pass that each has repeated */
    kldve_onnx *own;                /* the network where it was handed over, else NULL */
} kx_backend_state;

static inline void kx_read_logits(const kx_backend_state *s, int32_t count, float *logits)
{
    if (s->picked)
        kx_picked_read(s->picked, count, logits);
}

/* A cotangent at the scores as one at the plan's logits.  NULL: out of memory. */
static inline const float *kx_cotangent_of(kx_backend_state *s, int32_t count,
                                           const float *cotangent)
{
    return s->picked ? kx_picked_spread(s->picked, count, cotangent) : cotangent;
}

/* Make what runs s->net, of a state in which nothing does yet; and free it, also after a failure.
 */
kldve_status kx_backend_start(kx_backend_state *s);
void kx_backend_stop(kx_backend_state *s);

/* The slots are those of kldve_backend. */

kldve_status kx_backend_vjp_input(void *state, const float *cotangent, int32_t rule,
                                  float *gradient);
kldve_status kx_backend_vjp_biases(void *state, const float *cotangent, float *gradient,
                                   kldve_bias_fn visit, void *opaque);
kldve_status kx_backend_attentions(void *state, const float *cotangent, kldve_attention_fn visit,
                                   void *opaque);
kldve_status kx_backend_pick(void *state, kldve_pick *pick, float *logits);
kldve_status kx_backend_can(void *state, uint64_t needs, int32_t rule);
kldve_status kx_backend_parameters(void *state, int32_t index, const char **name);
kldve_status kx_backend_randomise(void *state, int32_t kind, int32_t layer, uint64_t seed);

#endif
