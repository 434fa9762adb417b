/* choose.h - what the engine explains in a graph: its input, one layer, and the logits. */
#ifndef KLDVE_ONNX_CHOOSE_H
#define KLDVE_ONNX_CHOOSE_H

#include <kldve/onnx.h>

#include "build/channels.h"
#include "build/tokens.h"
#include "build/unite.h"
#include "cut.h"
#include "notes.h"
#include "read_pictures.h"
#include "selection.h"
#include "ways.h"

/** The tensors that were chosen, and what is known about those between them. */
typedef struct kx_choice {
    kx_value *input, *layer;           /**< channels first, as the backend hands them over */
    kx_value *file_input, *file_layer; /**< as the file has them, perhaps with channels last */
    kx_value *logits;
    int32_t scores;    /**< a kldve_scores */
    int32_t how;       /**< a kldve_onnx_layer: how the layer was chosen */
    int32_t all_paths; /**< 1: every way from the input to the logits passes the layer; -1: no */
    bool straight_through; /**< a quantiser lies on a way: see choose_quantised.c */
    bool listing;          /**< nothing will be explained: KLDVE_ONNX_FLAG_LIST */
    kx_notes notes;
    int32_t ntensor;
    kx_value **tensor;        /**< [ntensor]: the input and what nodes make of it, in order */
    kx_ways ways;             /**< by value id of the file */
    kx_followed followed;     /**< what the axes of the file's tensors stand for */
    const bool *cells;        /**< by value id of the file: the logits depend on its cells */
    const uint64_t *pictures; /**< by value id of the file: see read_pictures.h */
    bool channels_last;       /**< of the file's input */
    const char *letters;      /**< kx_inputs.layout */
    int64_t grid_height, grid_width; /**< of the layer, given by the user; 0: found */
    kx_view view;                    /**< of the layer */
    int32_t members;                 /**< tensors that are joined to the layer; 0: it is one */
    const char *joined_name;         /**< of that layer */
    kx_value *member[KX_CUT_MOST];
    kx_view member_view[KX_CUT_MOST];
} kx_choice;

/** Choose by name, or by default: the scores before a trailing Softmax, for which the graph gets
 *  nodes where the file does not have them, and the last layer on
 *  every way that has more than one cell.  `input` and `layer` are the file's: kx_choice_shape()
 *  comes next.
 *  @param arena  for the arrays of *out.
 *  @param layer, logits  name of a tensor or node; NULL: the default.
 *  @param selection  what is selected in place of the logits; NULL: nothing.
 *  @param out  what its notes say already stays; a grid that the user gives, the letters and
 *              `listing` are set.
 *  @return KLDVE_OK; KLDVE_E_ARG (no such tensor, or one that cannot be the layer);
 *          KLDVE_E_UNSUPPORTED; KLDVE_E_FORMAT; KLDVE_E_NOMEM. */
kldve_status kx_choose(kx_graph *g, kx_arena *arena, const char *layer, const char *logits,
                       const kx_selection *selection, kx_choice *out);

/** Decide what kind of scores the logits are: as asked, else as the file says.
 *  @param asked  0, or 1 + a kldve_scores.
 *  @param named  the caller has labels for the classes.
 *  @param count  scores: those of the logits, or of a selection.
 *  @return KLDVE_OK; KLDVE_E_ARG (asked for what the number of scores does not allow);
 *          KLDVE_E_NOMEM. */
kldve_status kx_choose_scores(kldve_ctx *ctx, int32_t asked, bool named, int32_t count,
                              kx_choice *c);

/** Whether a tensor of the file can be the layer, and how it is seen then; view may be NULL. */
bool kx_explainable(const kx_choice *c, const kx_value *v, kx_view *view);

/** The last stage of building, after which the graph is immutable: the input and the layer become
 *  [1][channels][height][width], and new nodes lead to the file's and back.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_choice_shape(kx_graph *g, kx_choice *c);

#endif
