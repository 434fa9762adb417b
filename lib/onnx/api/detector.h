/* detector.h - rows of a detector's output: their boxes, their scores, and which is the best. */
#ifndef KLDVE_ONNX_DETECTOR_H
#define KLDVE_ONNX_DETECTOR_H

#include <kldve/onnx.h>

#include "build/frontier.h"
#include "selection.h"

/** Numbers of every row: the first is at begin, the next of the row each[] further. */
typedef struct kx_row_part {
    const kx_value *tensor; /**< NULL: there are none */
    int32_t begin;          /**< of the tensor in the finder's output */
    const int32_t *at;      /**< [count], of row 0 in the tensor */
    int32_t count, step;    /**< step: from row to row */
} kx_row_part;

/** How the file chooses among the rows. */
typedef struct kx_choosing {
    bool used;            /**< it does; else all members are 0 */
    bool centre;          /**< boxes are centre and size */
    bool best_only;       /**< of the classes of a row only the best counts, and `most` is of all */
    bool together;        /**< boxes of different classes exclude each other, too */
    bool sorted;          /**< by falling score; else class by class */
    float overlap, least; /**< as in graph/suppress.h */
    int64_t most;         /**< of each class */
    const kx_value *boxes; /**< tensors that it compares; NULL: boxes and scores of the rows */
    const kx_value *scores;
} kx_choosing;

typedef struct kx_detector {
    kx_value *found; /**< what the finder computes: boxes, scores and objects; NULL: no detector */
    kx_row_part box, score, object;
    int32_t rows;
    int32_t format;     /**< a kldve_onnx_boxes */
    int32_t units;      /**< a kldve_onnx_box_units */
    int32_t background; /**< class that is no object; -1: none */
    kx_choosing choosing;
    kx_row_part chosen_box, chosen_score; /**< the numbers that it compares */
} kx_detector;

/** A row that was found. */
typedef struct kx_row {
    int32_t row;
    float score;  /**< of its best class, times that of an object, as the file has it */
    float box[4]; /**< x0, y0, x1, y1 in parts of the input */
} kx_row;

/** A row that the file keeps, and its score there. */
typedef struct kx_kept_row {
    int32_t row, class;
    float score;
} kx_kept_row;

/** In the order in which the file has them. */
typedef struct kx_kept {
    kx_kept_row *row; /**< [count] */
    int32_t count;
} kx_kept;

/** What selects the scores of a row where the options do not: by the shapes and names of the
 *  outputs.  *o becomes what the caller could have said himself; its texts are kept in `arena`.
 *  @return KLDVE_OK; KLDVE_E_ARG (no output looks like rows of a detector). */
kldve_status kx_select_rows(const kx_graph *g, kx_arena *arena, kx_notes *notes,
                            kldve_onnx_options *o);

/** The same of a graph that ends where the file begins to choose among the rows.
 *  @param choosing  becomes how it chooses. */
kldve_status kx_select_kept(kx_graph *g, kx_arena *arena, kx_notes *notes, const kx_frontier *f,
                            kldve_onnx_options *o, kx_choosing *choosing);

/** Resolve boxes, scores and objects of a selection with rows.  May add nodes to the graph: before
 *  kx_choose(). */
kldve_status kx_detector_new(kx_graph *g, kx_arena *arena, kx_notes *notes,
                             const kldve_onnx_options *o, const kx_selection *s,
                             const kx_choosing *choosing, kx_detector *out);

/** The box and score of a row. */
kx_row kx_row_at(const kx_detector *d, const float *found, int32_t row, const int64_t input[2]);
/** The row with the highest score; among those whose box contains x, y, where these are not
 *  negative.  In parts of the input.  False: there is none.
 *  @param input  height and width of the network's input. */
bool kx_best_row(const kx_detector *d, const float *found, const int64_t input[2], float x, float y,
                 kx_row *out);

/** The rows that the file keeps.
 *  @param out  free out->row with kldve_ctx_release().
 *  @return KLDVE_OK; KLDVE_E_UNSUPPORTED (too many boxes to compare); KLDVE_E_NOMEM. */
kldve_status kx_kept_rows(kldve_ctx *ctx, const kx_detector *d, const float *found, kx_kept *out);
/** As kx_best_row(), among those. */
bool kx_best_kept(const kx_detector *d, const float *found, const kx_kept *kept,
                  const int64_t input[2], float x, float y, kx_row *out);

#endif
