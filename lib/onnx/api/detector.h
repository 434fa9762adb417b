/* detector.h - rows of a detector's output: their boxes, their scores, and which is the best. */
#ifndef KLDVE_ONNX_DETECTOR_H
#define KLDVE_ONNX_DETECTOR_H

#include <kldve/onnx.h>

#include "selection.h"

/** Numbers of every row: the first is at begin, the next of the row each[] further. */
typedef struct kx_row_part {
    const kx_value *tensor; /**< NULL: there are none */
    int32_t begin;          /**< of the tensor in the finder's output */
    const int32_t *at;      /**< [count], of row 0 in the tensor */
    int32_t count, step;    /**< step: from row to row */
} kx_row_part;

typedef struct kx_detector {
    kx_value *found; /**< what the finder computes: boxes, scores and objects; NULL: no detector */
    kx_row_part box, score, object;
    int32_t rows;
    int32_t format;     /**< a kldve_onnx_boxes */
    int32_t units;      /**< a kldve_onnx_box_units */
    int32_t background; /**< class that is no object; -1: none */
} kx_detector;

/** A row that was found. */
typedef struct kx_row {
    int32_t row;
    float score;  /**< of its best class, times that of an object, as the file has it */
    float box[4]; /**< x0, y0, x1, y1 in parts of the input */
} kx_row;

/** What selects the scores of a row where the options do not: by the shapes and names of the
 *  outputs.  *o becomes what the caller could have said himself; its texts are kept in `arena`.
 *  @return KLDVE_OK; KLDVE_E_ARG (no output looks like rows of a detector). */
kldve_status kx_select_rows(const kx_graph *g, kx_arena *arena, kx_notes *notes,
                            kldve_onnx_options *o);

/** Resolve boxes, scores and objects of a selection with rows.  May add nodes to the graph: before
 *  kx_choose(). */
kldve_status kx_detector_new(kx_graph *g, kx_arena *arena, kx_notes *notes,
                             const kldve_onnx_options *o, const kx_selection *s, kx_detector *out);

/** The box and score of a row. */
kx_row kx_row_at(const kx_detector *d, const float *found, int32_t row, const int64_t input[2]);
/** The row with the highest score; among those whose box contains x, y, where these are not
 *  negative.  In parts of the input.  False: there is none.
 *  @param input  height and width of the network's input. */
bool kx_best_row(const kx_detector *d, const float *found, const int64_t input[2], float x, float y,
                 kx_row *out);

#endif
