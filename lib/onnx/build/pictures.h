/* pictures.h - the pictures of a batch on one grid: those that run backwards are turned, those that
 * are cut out of the picture get back to their place. */
#ifndef KLDVE_ONNX_BUILD_PICTURES_H
#define KLDVE_ONNX_BUILD_PICTURES_H

#include "view.h"

/** Set the grid and the places of a view, of a batch of `items` or of one picture that lies as
 *  `own` says, whose batch, rows, columns and sense are set.  False:
 *  there are more different pictures than can be followed. */
bool kx_pictures_fit(const kx_items *items, const kx_item *own, kx_view *view);

/** [1][places x maps][rows][columns] -> [1][places x maps][height][width], and back.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_pictures_there(kx_surgery *s, const kx_view *view, kx_value *in,
                               kx_view_aside *aside, kx_value **out);
kldve_status kx_pictures_back(kx_surgery *s, const kx_view *view, kx_value *in,
                              kx_view_aside *aside, kx_value **out);

#endif
