/* select_text.h - what selects class scores, in numpy's notation. */
#ifndef KLDVE_ONNX_SELECT_TEXT_H
#define KLDVE_ONNX_SELECT_TEXT_H

#include "graph/graph.h"

/** What stands for an axis. */
typedef enum kx_axis_kind {
    KX_AXIS_INDEX,  /**< start */
    KX_AXIS_SLICE,  /**< start, start + step, ... : `count` elements */
    KX_AXIS_ROW,    /**< y: any, said for each explanation */
    KX_AXIS_COLUMN, /**< x: the same */
    KX_AXIS_NUMBER  /**< n: the same, of a detector's rows */
} kx_axis_kind;

typedef struct kx_axis_pick {
    kx_axis_kind kind;
    int64_t start, step, count; /**< within the axis; count is 1 of an index, else at least 1 */
} kx_axis_pick;

enum { KX_SELECT_NAME = 256 }; /**< bytes of a name, with its NUL */

/** The tensor's name in NAME[...], "" where there is none; *items: what follows it.
 *  @return KLDVE_OK; KLDVE_E_ARG (not of that form, a name that is too long). */
kldve_status kx_select_name(kldve_ctx *ctx, const char *text, char name[KX_SELECT_NAME],
                            const char **items);

/** The items, "[0, 4:84, ...]", for a tensor of that shape: one pick for each axis.
 *  @param text  the whole, for messages.
 *  @return KLDVE_OK; KLDVE_E_ARG (not of that form, out of range, nothing selected). */
kldve_status kx_select_axes(kldve_ctx *ctx, const char *text, const char *items,
                            const kx_shape *shape, kx_axis_pick pick[KX_MAX_RANK]);

#endif
