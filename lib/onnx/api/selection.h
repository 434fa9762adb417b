/* selection.h - class scores that are a part of a tensor.
 *
 *     score[i] = sum over places m of weight[m] T[index(i, m)],     weights that sum to 1
 *
 * T is the tensor that the plan hands out as its logits.  The places are one, or every row and
 * column of a map, or every row of a detector's output: of these each explanation picks some. */
#ifndef KLDVE_ONNX_SELECTION_H
#define KLDVE_ONNX_SELECTION_H

#include "graph/graph.h"
#include "notes.h"
#include "select_text.h"

enum { KX_SELECT_TEXT = KX_SELECT_NAME + 64 };

/** Which places an explanation may pick. */
typedef enum kx_open {
    KX_OPEN_NOTHING = KLDVE_PICKS_NOTHING, /**< there is one place */
    KX_OPEN_MAP = KLDVE_PICKS_PLACE,       /**< rows and columns */
    KX_OPEN_ROWS = KLDVE_PICKS_ROW         /**< rows of a detector */
} kx_open;

typedef struct kx_selection {
    const kx_value *tensor; /**< whose elements were selected, as the file has it */
    kx_value *whole;        /**< T: the tensor before a Sigmoid or Softmax */
    int32_t scores;         /**< a kldve_scores */
    int32_t count;          /**< class scores */
    int32_t axes;           /**< axes of the tensor along which they are several */
    kx_open open;
    int32_t height, width; /**< places: height * width; 1 and 1 where nothing is open */
    /** index(i, place): table[place * count + i], or without a table base[i] plus that of the place
     */
    const int32_t *table, *base;
    int32_t row_step, column_step;
} kx_selection;

/** Resolve what selects the scores.  May add nodes to the graph: before kx_choose().
 *  @param arena  for the arrays of *out.
 *  @param text   "NAME[0, 4:84, 1234]", see select_text.c.
 *  @return KLDVE_OK; KLDVE_E_ARG (no such tensor, not of that form, out of range, probabilities of
 *          which only some are selected); KLDVE_E_UNSUPPORTED; KLDVE_E_NOMEM. */
kldve_status kx_select(kx_graph *g, kx_arena *arena, const char *text, kx_selection *out);

/** The elements of a selection where they are, without following them back. */
kldve_status kx_select_as_is(const kx_graph *g, kx_arena *arena, const char *text,
                             kx_selection *out);

/** What selects the scores where the options do not: of every place of the map that the output is,
 *  or of the tensor `logits`.
 *  @param pictures, item  how many a batch that stays has, 1 without one, and which is explained.
 *  @param notes  where the choice among several outputs is said.
 *  @param text   [KX_SELECT_TEXT] */
kldve_status kx_select_map(const kx_graph *g, const char *logits, int64_t pictures, int32_t item,
                           kx_notes *notes, char *text);

/** Where score i of a place is in T. */
static inline int32_t kx_selected(const kx_selection *s, int32_t place, int32_t i)
{
    if (s->table)
        return s->table[(size_t)place * (size_t)s->count + (size_t)i];
    return s->base[i] + place / s->width * s->row_step + place % s->width * s->column_step;
}

#endif
