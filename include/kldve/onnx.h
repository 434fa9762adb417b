/* onnx.h - the network engine, libkldve-onnx: a plain .onnx file in, forward pass and VJP out. */
#ifndef KLDVE_ONNX_H
#define KLDVE_ONNX_H

#include <kldve/kldve.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A loaded and planned network.  Immutable: any number of threads may open explainers on it, each
 *  from a context of its own. */
typedef struct kldve_onnx kldve_onnx;

enum {
    KLDVE_ONNX_VJP_INPUT = 1, /**< also plan the VJP down to the pixels, and allow relevance
                                   propagation and gradients at biases: see below */
    KLDVE_ONNX_NO_VJP = 2,    /**< plan the forward pass only */
    KLDVE_ONNX_PLAIN = 4,     /**< run every operator with the reference kernels, for checking */
    KLDVE_ONNX_DIRECT = 8     /**< convolutions by their sums only.  Else 3 x 3 ones are computed by
                                   Winograd's transforms where that is faster: half the time of a
                                   VGG-16, some digits of rounding, up to 4 times the memory of
                                   these weights */
};

enum {
    KLDVE_ONNX_BATCH_AUTO = -1 /**< as many inputs as there are threads, and at least 4, as far as
                                    1 GiB of working memory goes */
};

/* A state plans relevance propagation (the LRP rules of kldve_backend.vjp_input) and the gradients
 * at biases (vjp_biases) when it is first asked for each, which takes as long as loading and as much
 * working memory as another state, and repeats the forward pass there.  Packed weights of
 * convolutions are those of the network where it has them: all for the biases, most with epsilon.
 * With z+ and the composite as much again is packed in other ranges, with alpha-beta twice as much,
 * where a convolution sees values of both signs more.  Dense layers are read where they are.  What
 * is not an activation, a linear operator, a maximum, a move of elements or a gated product is then
 * refused with KLDVE_E_UNSUPPORTED, naming the node. */

/** What to load; all zero = defaults. */
typedef struct kldve_onnx_options {
    size_t struct_size;
    const char *layer;  /**< tensor or node name; NULL: the last one with more than one cell */
    const char *logits; /**< tensor or node name; NULL: the output, before a trailing Softmax */
    int32_t threads;    /**< of one run; 0: what OpenMP would use */
    int32_t in_height;  /**< replaces a symbolic height of the input; 0 means 224 */
    int32_t in_width;   /**< replaces a symbolic width; 0 means 224 */
    int32_t batch;      /**< inputs to be run at once by kldve_explain_many() and by methods of
                             repeated passes, up to 1024; 0 or 1: one by one; or
                             KLDVE_ONNX_BATCH_AUTO.  A state takes as much working memory again
                             for each of them, with its first batch; weights are not copied where
                             one form of them serves both */
    uint64_t flags;     /**< KLDVE_ONNX_* */
} kldve_onnx_options;

/** Read and plan a network.  The input may be [1][channels][height][width] or, as TensorFlow has it,
 *  [1][height][width][channels]: the graph tells, and so it does for every layer.  The backend's
 *  arrays have channels or maps first in any case.
 *  @param options  NULL means defaults.
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_FORMAT (not a valid ONNX file); KLDVE_E_UNSUPPORTED (an
 *          operator or attribute that the engine lacks: the message names node and attribute);
 *          KLDVE_E_ARG (no such layer or logits); KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_load(kldve_ctx *ctx, const char *path,
                                                        const kldve_onnx_options *options,
                                                        kldve_onnx **out);

/** The same from memory, which must stay unchanged until kldve_onnx_free().  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_load_memory(kldve_ctx *ctx, const void *bytes,
                                                               size_t nbytes,
                                                               const kldve_onnx_options *options,
                                                               kldve_onnx **out);

/** Free a network; every explainer on it must be gone.  @since 0.1 */
KLDVE_API void kldve_onnx_free(kldve_onnx *net);

/** The backend; its config is a `const kldve_onnx *`.  Static storage.  @since 0.1 */
KLDVE_API const kldve_backend *kldve_onnx_backend(void);

/** One tensor between input and logits, in the order of computation. */
typedef struct kldve_onnx_tensor {
    size_t struct_size;
    const char *name; /**< borrowed from the network */
    const char *op;   /**< operator that makes it, "" for the input */
    int32_t rank;
    int32_t explainable; /**< 1: can be the layer (rank 4, between input and logits) */
    int32_t is_layer;    /**< 1: is the layer */
    int32_t is_logits;   /**< 1: are the logits */
    int64_t dim[8];       /**< as in the file */
    int32_t channel_axis; /**< of rank 4: 1 or 3, [1][maps][h][w] or [1][h][w][maps]; 0: rows and
                               columns are not in that order, or another rank */
    int32_t reserved;     /**< 0 */
} kldve_onnx_tensor;

/** @return KLDVE_OK, KLDVE_E_ARG (index past the last).  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_tensor_at(const kldve_onnx *net, int32_t index,
                                                             kldve_onnx_tensor *out);

/** What a model card says (docs/model-cards.md). */
typedef struct kldve_card kldve_card;

/** Read a card.  Keys that it does not know are passed over.
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_FORMAT (not JSON, or the message names the key that is
 *          wrong); KLDVE_E_LIMIT (more than 1 MiB); KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_load(kldve_ctx *ctx, const char *path,
                                                        kldve_card **out);
/** The same from memory.
 *  @param folder  What the path of the labels is relative to; NULL: the working folder.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_parse(kldve_ctx *ctx, const char *text,
                                                         size_t nbytes, const char *folder,
                                                         kldve_card **out);
/** Read the card beside a network, NAME.onnx -> NAME.card.json.
 *  @return as kldve_card_load(); KLDVE_OK with NULL in *out where there is no such file.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_beside(kldve_ctx *ctx, const char *model_path,
                                                          kldve_card **out);
KLDVE_API void kldve_card_free(kldve_card *card);
/** Names of the tensors and the path of the labels (already relative to the working folder); NULL
 *  where the card has none.  Borrowed.  @since 0.1 */
KLDVE_API const char *kldve_card_layer(const kldve_card *card);
KLDVE_API const char *kldve_card_logits(const kldve_card *card);
KLDVE_API const char *kldve_card_labels(const kldve_card *card);
/** The preprocessing; set out->struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_input(const kldve_card *card,
                                                         kldve_input_spec *out);
/** The height and width that input.shape gives, for networks that leave them open; 0 where the card
 *  does not say.  @since 0.1 */
KLDVE_API void kldve_card_size(const kldve_card *card, int32_t *height, int32_t *width);

/** The built-in demonstration network as the files that it was made from.  Static storage. */
typedef struct kldve_onnx_demo_files {
    size_t struct_size;
    const void *model; /**< .onnx */
    size_t model_nbytes;
    const char *card; /**< .card.json */
    size_t card_nbytes;
    const char *labels; /**< one a line */
    size_t labels_nbytes;
} kldve_onnx_demo_files;

/** Fill in *out, whose struct_size is set.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL or no struct_size).  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_demo(kldve_onnx_demo_files *out);

/** The shortest way: load the network, its card (NAME.onnx -> NAME.card.json) if there is one, and
 *  make an explainer that owns both.
 *  @param path     NULL: the built-in demonstration network.
 *  @param options  NULL means defaults; what it sets wins over the card.
 *  @return as kldve_card_load(), kldve_onnx_load() and kldve_explainer_new().
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_explainer(kldve_ctx *ctx, const char *path,
                                                             const kldve_onnx_options *options,
                                                             kldve_explainer **out);

#ifdef __cplusplus
}
#endif
#endif
