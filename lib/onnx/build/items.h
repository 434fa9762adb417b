/* items.h - the pictures of a batch that a network makes of one: which run backwards, which are cut
 * out of it. */
#ifndef KLDVE_ONNX_BUILD_ITEMS_H
#define KLDVE_ONNX_BUILD_ITEMS_H

#include "meaning.h"

/** Whether a tensor has rows, columns, frames or tokens. */
bool kx_has_places(const kx_meaning *m);

/** How a tensor sees the picture: by its parts of rows and columns, or by its tokens. */
kx_item kx_item_of(const kx_meaning *m);
/** What is made of picture `outer` of a batch by the parts of a tensor. */
kx_item kx_item_within(kx_item outer, kx_item inner);
bool kx_item_equals(const kx_item *a, const kx_item *b);

/** Append to *all the pictures of an operand of a Concat along the batch, `count` of them; NULL: of
 *  a constant.  False: there are more than KX_ITEMS. */
bool kx_items_append(kx_items *all, const kx_meaning *operand, int64_t count);
/** A batch of `all`, whose parts were copied from `first`. */
void kx_items_set(kx_meaning *m, const kx_items *all, const kx_meaning *first);
/** A part of the batch of `from`: pictures begin, begin + step, ...; one has no axis of its own. */
void kx_items_take(kx_meaning *m, const kx_meaning *from, int64_t begin, int64_t step,
                   int64_t size);
/** Whether both see the same pictures; where not, or where the batch of `from` is gone, rows and
 *  columns of *m are mixed. */
void kx_items_settle(kx_meaning *m, const kx_meaning *from);

#endif
