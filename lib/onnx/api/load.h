/* load.h - a loaded network, for the other files of this folder. */
#ifndef KLDVE_ONNX_LOAD_H
#define KLDVE_ONNX_LOAD_H

#include <kldve/onnx.h>

#include "build/build.h"
#include "build/inputs.h"
#include "choose.h"
#include "detector.h"
#include "plan/plan.h"
#include "read/proto.h"
#include "taps.h"

struct kldve_onnx {
    kldve_ctx *ctx;
    kx_model *model;
    kx_graph *graph; /**< immutable once loaded */
    kx_arena arena;  /**< for the arrays of `choice` */
    bool selects;    /**< the scores are those of `selection` */
    kx_selection selection;
    kx_detector detector; /**< of rows that are selected */
    kx_frontier frontier; /**< where the graph ends if the file then chooses among rows */
    kx_inputs inputs;     /**< what the graph was built from; its arrays are in the arena, too */
    int64_t pictures;     /**< of a batch that stays as the file has it; 0: there is none */
    bool item_selected;   /**< nothing selects scores but the number of the picture */
    kx_choice choice;
    kx_taps taps;            /**< what a head takes */
    bool head;               /**< only what lies behind the layer is planned */
    kx_plan_options options; /**< of the plan */
    size_t held;             /**< bytes from the context, once it is loaded */
    kx_plan *plan;
    int32_t batch;         /**< inputs at once, at least 1 */
    kx_plan *many_plan;    /**< for them, with one thread each; NULL where there is one input */
    kldve_card *card;      /**< of kldve_onnx_explainer(); NULL: none */
    kldve_labels *labels;  /**< the same */
    kldve_onnx **handover; /**< set by kx_onnx_hand_over(), else NULL */
    /* To build the graph again, with other parameters. */
    kx_graph_options built;   /**< of the graph */
    kldve_onnx_options asked; /**< what is asked of a graph; no inputs, dims, shapes or pictures */
    const kldve_onnx *base;   /**< the network that this one has other parameters than, whose model
                                   it reads; else NULL */
};

/** The scores that the network hands out: those of the selection, or all of the logits. */
static inline int32_t kx_score_count(const kldve_onnx *net)
{
    return net->selects ? net->selection.count : (int32_t)net->choice.logits->count;
}

/** How many numbers a forward pass takes. */
static inline size_t kx_taken_count(const kldve_onnx *net)
{
    return net->head ? net->taps.numbers : net->choice.input->count;
}

/** Where a network comes from: a file, or bytes where `path` is NULL. */
typedef struct kx_source {
    const char *path;
    const void *bytes;
    size_t nbytes;
    bool measure; /**< only to know its sizes: kx_plan_options.measure, no explainer opens */
} kx_source;

/** kldve_onnx_load() from either. */
kldve_status kx_onnx_load(kldve_ctx *ctx, const kx_source *from, const kldve_onnx_options *options,
                          kldve_onnx **out);

/** Copy the caller's options into those of this release; NULL: all zero.  The names stay the
 *  caller's.
 *  @return KLDVE_OK; KLDVE_E_ARG (no struct_size, a value out of range); KLDVE_E_UNSUPPORTED (a
 *          newer option is set). */
kldve_status kx_options_load(kldve_ctx *ctx, const kldve_onnx_options *from,
                             kldve_onnx_options *to);

/** Settle the inputs of net->model and build net->graph: from the tensors that a selection names,
 *  or from all outputs of the file.
 *  @param o  loaded; `select` is set where all pictures of a fixed batch are the same.
 *  @return KLDVE_OK, or what settling the inputs or building the graph returns. */
kldve_status kx_load_graph(kldve_onnx *net, kldve_onnx_options *o);

/** Choose and plan in net->graph what is asked of it.
 *  @return KLDVE_OK, or what choosing or planning returns. */
kldve_status kx_onnx_plan(kldve_onnx *net, const kldve_onnx_options *o);

/** Let the backend state that is next opened on *net own it: open() then sets *net to NULL, and
 *  close() frees the network.  Where open() fails, *net stays with the caller. */
void kx_onnx_hand_over(kldve_onnx **net);

/** Tell the log of the network's context what was chosen. */
void kx_log_loaded(const kldve_onnx *net);

#endif
