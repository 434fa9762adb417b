/* picture.h - a picture becomes the input of another engine, as the network's card says. */
#ifndef HOSTS_ORT_PICTURE_H
#define HOSTS_ORT_PICTURE_H

#include <kldve/kldve.h>

/* Resize, cut, scale: the steps of kldve_input_spec, in three channels.
 * shape         whose in_height and in_width the input has.
 * channel_axis  1: input [1][3][height][width], 3: [1][height][width][3]. */
kldve_status picture_to_input(kldve_ctx *ctx, const kldve_image *photo,
                              const kldve_input_spec *spec, const kldve_shape *shape,
                              int32_t channel_axis, float *input);

#endif
