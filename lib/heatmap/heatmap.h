/* heatmap.h - the private side of the heat map. */
#ifndef KLDVE_LIB_HEATMAP_H
#define KLDVE_LIB_HEATMAP_H

#include <stdbool.h>

#include <kldve/kldve.h>

#include "image/upsample.h"

enum { KLDVE_REMARK = 768 }; /* bytes of a remark with its NUL, which cut it */

/* One allocation; the arrays follow the struct. */
struct kldve_heatmap {
    kldve_ctx *ctx;
    kldve_heatmap *before; /**< while several are made: the one made before it */
    kldve_record record;
    kldve_timings timings;
    int32_t view_width, view_height;       /**< pixels of the map drawn alone */
    int32_t view_frames;                   /**< of the film, in view_height; 1: none */
    int32_t picture_width, picture_height; /**< pixels; of the input where there was no picture */
    float box[4];                          /**< record.box in parts of the picture */
    char remark[KLDVE_REMARK];             /**< "": none */
    bool has_probabilities, has_cotangent, has_weights, has_error;
    float *values;         /**< [record.height][record.width] */
    float *error;          /**< the same */
    float *logits;         /**< [record.classes] */
    double *probabilities; /**< [record.classes] */
    double *z;             /**< [record.classes] */
    double *alpha;         /**< [record.classes] */
    double *cotangent;     /**< [record.classes] */
    double *weights;       /**< [record.maps] */
};

/** A heat map whose arrays are not set yet; its record has the sizes, says that the whole picture
 * is seen, and has class_sensitivity NaN. */
kldve_status kldve_heatmap_new(kldve_ctx *ctx, int32_t classes, int32_t maps, int32_t height,
                               int32_t width, kldve_heatmap **out);

/** Everything of `from` except its values and their sizes, which `out` has already.  Both have as
 *  many classes and maps. */
void kldve_heatmap_copy_rest(const kldve_heatmap *from, kldve_heatmap *out);

/** Set or clear KLDVE_RESULT_FLAT of a mean of several maps. */
void kldve_heatmap_set_flat(kldve_heatmap *map, bool flat);

/** The values of a map with their sizes. */
kldve_film kldve_heatmap_film(const kldve_heatmap *map);

#endif
