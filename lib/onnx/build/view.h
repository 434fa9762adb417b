/* view.h - a layer as [1][maps][height][width], whatever form it has in the file. */
#ifndef KLDVE_ONNX_BUILD_VIEW_H
#define KLDVE_ONNX_BUILD_VIEW_H

#include "items.h"
#include "surgery.h"

/** How a tensor is seen as maps of cells. */
typedef struct kx_view {
    bool plain;                  /**< it is [1][maps][height][width] in the file */
    int32_t channels;            /**< the axis of the maps */
    int32_t cells;               /**< the first axis of the cells; -1: none, one cell */
    int32_t order[KX_MAX_RANK];  /**< permutation to [1]...[batch][maps][cells]... */
    int64_t leading, trailing;   /**< tokens along `cells` that are not cells */
    int64_t maps, height, width; /**< of the layer: maps of all its pictures, a grid on which each
                                      has its place */
    uint8_t sense[2];            /**< kx_sense of rows and columns, of all pictures */
    int64_t rolled[2];           /**< rows and columns that stand at the end and belong in front */
    /* A batch of pictures becomes maps of one layer, as if each were a stream of its own; or one of
     * them is the layer. */
    int64_t batch;         /**< pictures in the tensor */
    int32_t pictures;      /**< the axis of the batch; -1: none */
    int32_t picked;        /**< the picture that is the layer; -1: all */
    int64_t each;          /**< maps of one */
    int64_t rows, columns; /**< cells of one */
    int64_t frames;        /**< that lie below each other in `rows` and `height`; 1: none */
    int32_t places;        /**< 1: all alike, or `batch` */
    bool scattered;        /**< the pictures show parts of different size: none has its place */
    uint8_t turned[KX_ITEMS][2]; /**< of each place: run rows and columns backwards */
    int64_t place[KX_ITEMS][2];  /**< row and column where it begins */
} kx_view;

/** See a tensor so.  False: its axes are not those of one picture's cells and channels, or it has
 *  neither three axes nor cells. */
bool kx_view_of(const kx_meaning *m, const kx_shape *shape, kx_view *out);

/** The same for a grid that the user gives: [1][tokens][channels] or [1][channels][tokens] with the
 *  tokens of the grid at the end of that axis.  False: no axis has as many. */
bool kx_view_on_grid(const kx_meaning *m, const kx_shape *shape, int64_t height, int64_t width,
                     kx_view *out);

/** The same of one picture of the batch. */
void kx_view_pick(kx_view *view, int32_t picture);

/** What the way back needs of the way there. */
typedef struct kx_view_aside {
    kx_value *before, *after;  /**< tokens that are not cells; NULL: none */
    kx_value *earlier, *later; /**< pictures that are not the layer; NULL: none */
    kx_value *margin[4];       /**< cells around the picture: rows, then columns; NULL: none */
    kx_shape reached;          /**< before the last Reshape */
} kx_view_aside;

/** From the file's tensor to [1][maps][height][width], as the picture lies, and back.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_view_there(kx_surgery *s, const kx_view *view, kx_value *in, kx_value **out,
                           kx_view_aside *aside);
kldve_status kx_view_back(kx_surgery *s, const kx_view *view, kx_view_aside *aside, kx_value *in,
                          kx_value **out);

/** Lead *value through the view and back: *value becomes [1][maps][height][width], and what read
 *  the file's tensor reads what comes back.  Tokens that are not cells go around it.
 *  @return KLDVE_OK, KLDVE_E_NOMEM. */
kldve_status kx_view_insert(kx_graph *g, const kx_view *view, kx_value **value);

#endif
