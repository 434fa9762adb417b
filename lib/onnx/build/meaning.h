/* meaning.h - what the axes of a tensor stand for: which hold channels, rows and columns of the
 * picture, or tokens.
 *
 * Each axis is a list of parts, the slowest first.  A Reshape cuts parts and puts others together:
 * [1][8 rows][8 columns][channels] as windows of 4 x 4 is [1][2 rows][4 rows][2 columns]..., where
 * the first part of the rows has the stride 4.  So the picture is found again behind windows,
 * heads of attention, patches and transposed layouts. */
#ifndef KLDVE_ONNX_BUILD_MEANING_H
#define KLDVE_ONNX_BUILD_MEANING_H

#include "graph/graph.h"

typedef enum kx_label {
    KX_OTHER = 0, /**< not followed */
    KX_BATCH,     /**< pictures beside each other */
    KX_CHANNELS,
    KX_FRAMES,
    KX_ROWS,
    KX_COLUMNS,
    KX_TOKENS, /**< rows and columns of a grid, with other tokens before or behind them */
    KX_LABELS
} kx_label;

/** How a tensor sees the picture along rows or columns. */
typedef enum kx_sense {
    KX_AS_IS = 0,
    KX_MIRRORED,
    KX_MIXED /**< made from both, or of pieces in another order */
} kx_sense;

/** A part of an axis. */
typedef struct kx_part {
    uint8_t label;       /**< kx_label */
    uint8_t sense;       /**< kx_sense: of rows and columns */
    uint8_t axis;        /**< of the tensor */
    int64_t size;        /**< at least 2: axes of length 1 have no parts */
    int64_t stride;      /**< of rows, columns and frames: in cells */
    float before, after; /**< of rows and columns: what a Slice cut off at the ends, in parts of the
                              picture; below 0: what a Pad added there */
    uint8_t slack[2];    /**< elements at the ends that a Pad added for the window behind it */
    bool piece;          /**< cut out of an axis that was rolled */
    float rolled; /**< of rows and columns: the axis begins this far behind its first cell, in
                       parts of the picture, and ends with what lies before that */
} kx_part;

/** Whether its cells follow each other as in the picture, or backwards. */
static inline bool kx_in_order(const kx_part *part)
{
    return part->sense != KX_MIXED && part->rolled == 0 && !part->piece;
}

/** It lies somewhere along the picture. */
static inline bool kx_is_spatial(const kx_part *part)
{
    return part->label == KX_ROWS || part->label == KX_COLUMNS || part->label == KX_FRAMES;
}

enum { KX_PARTS = 16 };

/** Tokens of a grid among others. */
typedef struct kx_tokens {
    int64_t leading, trailing; /**< class and register tokens */
    int64_t height, width;
    uint8_t sense[2]; /**< of rows and columns */
} kx_tokens;

/** Where one picture of a batch lies in the picture that is explained, along rows and columns. */
typedef struct kx_item {
    uint8_t sense[2];          /**< kx_sense, on top of that of the parts */
    float before[2], after[2]; /**< cut off, as in kx_part */
} kx_item;

enum { KX_ITEMS = 16 };

/** The pictures of a batch that the network makes of one. */
typedef struct kx_items {
    int32_t count; /**< 0: all alike */
    kx_item item[KX_ITEMS];
} kx_items;

typedef struct kx_meaning {
    int32_t parts;
    kx_part part[KX_PARTS]; /**< in the order of memory */
    kx_tokens tokens;       /**< of parts of KX_TOKENS */
    kx_items items;         /**< of a part of KX_BATCH */
} kx_meaning;

/** Append a part; one of size 1 is left out. */
void kx_meaning_add(kx_meaning *m, int32_t axis, kx_part part);
/** Append an axis of unknown meaning. */
void kx_meaning_add_other(kx_meaning *m, int32_t axis, int64_t size);
/** Append the parts of axis `from_axis` of `from` as axis `axis`, and its tokens or pictures. */
void kx_meaning_add_axis(kx_meaning *m, int32_t axis, const kx_meaning *from, int32_t from_axis);
/** Append axis `from_axis` of `from`, whose length `before` has become `size`: rows stay rows,
 * channels channels. */
void kx_meaning_add_resized(kx_meaning *m, int32_t axis, const kx_meaning *from, int32_t from_axis,
                            int64_t before, int64_t size);
/** Where operands see the picture in different senses, the result is mixed. */
void kx_meaning_mix(kx_meaning *m, const kx_meaning *other);
/** Every axis of `shape` is unknown. */
void kx_meaning_lose(kx_meaning *m, const kx_shape *shape);
/** The same elements in the same order with another shape. */
void kx_meaning_regroup(const kx_meaning *from, const kx_shape *out, kx_meaning *to);

/** After parts of `from` were left out: what is left of the rows (columns, frames) is the picture
 *  again where the fastest part went, as when patches are averaged, and unknown where the slowest
 *  did. */
void kx_meaning_settle(kx_meaning *m, const kx_meaning *from);

/** The first part of an axis, NULL where it has none; *count: how many. */
const kx_part *kx_meaning_axis(const kx_meaning *m, int32_t axis, int32_t *count);
/** The label of an axis of one part, or of parts that all have it; KX_OTHER for any other,
 * KX_LABELS for an axis without parts. */
kx_label kx_meaning_label(const kx_meaning *m, int32_t axis);

/** A grid of cells in an axis: rows, then columns, or tokens.  False: the axis is something else.
 */
bool kx_meaning_grid(const kx_meaning *m, int32_t axis, kx_tokens *out);

#endif
