/* onnx.h - the network engine, libkldve-onnx: a plain .onnx file goes in, forward pass and gradient
 * come out.
 *
 * kldve_onnx_explainer() is the shortest way to an explainer.  To choose the layer, to list
 * tensors, or to share one network between threads, take the steps yourself: kldve_onnx_load(),
 * then kldve_explainer_new() with kldve_onnx_backend() and the network as config. */
#ifndef KLDVE_ONNX_H
#define KLDVE_ONNX_H

#include <kldve/kldve.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A loaded and planned network.  It never changes, so any number of threads may open explainers on
 *  it, each from a context of its own.  Free it with kldve_onnx_free(). */
typedef struct kldve_onnx kldve_onnx;

/** KLDVE_VERSION_NUMBER of the loaded engine.  It works with a core of the same MAJOR and MINOR
 * only: with any other, each call of this header that takes a context and can fail returns
 * KLDVE_E_UNSUPPORTED, and the message has both versions.  Safe from any thread.  @since 0.1 */
KLDVE_API int32_t kldve_onnx_version_number(void);

/** What the loaded engine has; bits of kldve_onnx_features(). */
enum {
    KLDVE_ONNX_FEATURE_DEMO = 1,    /**< the demonstration network is built in: kldve_onnx_demo() */
    KLDVE_ONNX_FEATURE_ONEDNN3 = 2, /**< oneDNN 3 or later computes; without it oneDNN 2 */
    KLDVE_ONNX_FEATURE_AVX2 = 4,    /**< networks run AVX2 on this processor */
    KLDVE_ONNX_FEATURE_AVX512 = 8,  /**< and AVX-512 (F, BW, VL, DQ) */
    KLDVE_ONNX_FEATURE_VNNI = 16    /**< and its dot products of bytes, for quantised networks */
};

/** KLDVE_ONNX_FEATURE_* of the loaded engine on this processor; later releases may have more bits.
 *  A processor with AVX-512 has the bit of AVX2, too.  The environment variable DNNL_MAX_CPU_ISA
 *  and dnnl_set_max_cpu_isa() take instructions away; the latter works before this call and before
 *  the first network only.  Safe from any thread.  @since 0.1 */
KLDVE_API uint64_t kldve_onnx_features(void);

enum {
    KLDVE_ONNX_FLAG_VJP_INPUT = 1, /**< also plan the VJP down to the pixels; this allows relevance
                                   propagation, gradients at biases and attentions, see below */
    KLDVE_ONNX_FLAG_NO_VJP = 2,    /**< plan the forward pass only */
    KLDVE_ONNX_FLAG_PLAIN = 4,  /**< run every operator with the reference kernels, for checking */
    KLDVE_ONNX_FLAG_DIRECT = 8, /**< compute convolutions by their sums only.  Without it Winograd's
                                transforms compute 3 x 3 convolutions where that is faster: half
                                the time of a VGG-16, some digits of rounding, up to 4 times the
                                memory of these weights */
    KLDVE_ONNX_FLAG_PICK_PLACE = 16, /**< the scores are a map, [1][classes][height][width] or with
                                     classes last, of which each explanation picks a place
                                     (kldve_options.pick).  The same as selecting "[0, :, y, x]" of
                                     the output, or of `logits` */
    KLDVE_ONNX_FLAG_PICK_ROW = 32,   /**< the scores are rows of a detector's output, of which each
                                     explanation picks one.  Sets select, boxes and objects by the
                                     shapes of the outputs: boxes [1][rows][4] with scores
                                     [1][rows][classes]; [1][rows][4 + 1 + classes], as YOLO v5;
                                     [1][4 + classes][rows], as YOLO v8; or [1][rows][4 + 1 + 1]
                                     whose last number is no score, as YOLO v10 */
    KLDVE_ONNX_FLAG_NAMED = 64, /**< the caller has labels for the classes: a single score without a
                                sigmoid in the file is the score of "yes" against "no", of
                                which they name the first or both, and not a number */
    KLDVE_ONNX_FLAG_LIST = 128, /**< only to list the tensors: nothing is planned, and no explainer
                                opens.  An output that is no vector of scores is taken whole,
                                and a note says how to pick the scores */
    KLDVE_ONNX_FLAG_COPY = 512, /**< read the network's files into memory (of the context) instead
                                     of mapping them: whatever then happens to the files changes
                                     nothing.  Without it nobody may write to them or cut them
                                     as long as the network lives: reading what a mapped file has
                                     lost is SIGBUS, which ends the process.  A new file that
                                     takes the name of the old one does no harm */
    KLDVE_ONNX_FLAG_HEAD = 256, /**< plan only the head, what lies between layer and logits, for
                                kldve_explain_features(): another program has computed what comes
                                before.  Weights in front of the layer are neither read nor packed.
                                kldve_onnx_tap_at() lists the tensors that it takes.  Not with
                                VJP_INPUT, LIST or a batch */
    /** The same bits with any number of threads, any batch and any instruction set of oneDNN: the
     *  reference kernels, as PLAIN.  Slower, and without relevance propagation, gradients at biases and
     *  attentions; docs/determinism.md says how much, and what it holds for. */
    KLDVE_ONNX_FLAG_DETERMINISTIC = 1024
};

enum {
    KLDVE_ONNX_BATCH_AUTO = -1 /**< as many inputs as there are threads and at least 4, of a network
                                    whose weights are mostly those of dense layers at least 8, but
                                    no more than fit KLDVE_LIMIT_WORKING_MEMORY.  With one thread
                                    other networks gain nothing: 1 */
};

/* Relevance propagation (the LRP rules of kldve_backend.vjp_input), gradients at biases
 * (vjp_biases) and attentions are planned when an explainer first needs them.
 *
 *   - That takes as long as loading and as much working memory as another explainer, and each
 *     explanation repeats the forward pass there.
 *   - Packed weights of convolutions are shared with the network where it has them: all for the
 *     biases, most for LRP-epsilon.  LRP-z+ and the composite pack as much again, alpha-beta twice
 * as much, more where a convolution sees values of both signs.  Dense layers are never copied.
 *   - An operator that is not an activation, a linear operator, a maximum, a move of elements or a
 *     gated product is refused with KLDVE_E_UNSUPPORTED; the message names the node. */

/** What the four numbers of a box are. */
typedef enum kldve_onnx_boxes {
    KLDVE_ONNX_BOXES_AUTO = 0,      /**< CORNERS where in 19 of 20 rows the third and fourth are not
                                         below the first and second, else CENTRE */
    KLDVE_ONNX_BOXES_CORNERS = 1,   /**< x0, y0, x1, y1 */
    KLDVE_ONNX_BOXES_CORNER = 2,    /**< x0, y0, width, height */
    KLDVE_ONNX_BOXES_CENTRE = 3,    /**< x and y of the centre, width, height */
    KLDVE_ONNX_BOXES_ROWS_FIRST = 4 /**< y0, x0, y1, x1, as TensorFlow has them */
} kldve_onnx_boxes;

/** In what they are measured. */
typedef enum kldve_onnx_box_units {
    KLDVE_ONNX_BOX_UNITS_AUTO = 0,  /**< PARTS where all numbers of all rows lie within -1 and 2 */
    KLDVE_ONNX_BOX_UNITS_PARTS = 1, /**< parts of the input's width and height */
    KLDVE_ONNX_BOX_UNITS_PIXELS = 2 /**< pixels of the input */
} kldve_onnx_box_units;

/** Types of elements, as ONNX numbers them. */
typedef enum kldve_onnx_type {
    KLDVE_ONNX_TYPE_FLOAT32 = 1,
    KLDVE_ONNX_TYPE_UINT8 = 2,
    KLDVE_ONNX_TYPE_INT32 = 6,
    KLDVE_ONNX_TYPE_INT64 = 7,
    KLDVE_ONNX_TYPE_BOOL = 9, /**< uint8_t, 0 or 1 */
    KLDVE_ONNX_TYPE_FLOAT64 = 11
} kldve_onnx_type;

/** The value of an input other than the picture: it becomes a constant of the network. */
typedef struct kldve_onnx_input {
    size_t struct_size;
    const char *name;    /**< of the input */
    int32_t type;        /**< a kldve_onnx_type: of `data`, which is converted to the input's */
    int32_t rank;        /**< 0: one number for all elements; up to 8 */
    const int64_t *dims; /**< [rank] */
    const void *data;    /**< row-major; copied */
} kldve_onnx_input;
#define KLDVE_ONNX_INPUT_INIT KLDVE_INIT(kldve_onnx_input)

/** A dimension that the network leaves open. */
typedef struct kldve_onnx_dim {
    size_t struct_size;
    const char *name; /**< its symbol in the file, or "INPUT.AXIS", AXIS from 0 */
    int64_t size;     /**< 1 or more */
} kldve_onnx_dim;
#define KLDVE_ONNX_DIM_INIT KLDVE_INIT(kldve_onnx_dim)

/** What to load; all zero = defaults. */
typedef struct kldve_onnx_options {
    size_t struct_size;
    const char *layer;  /**< tensor or node name; NULL: as kldve_onnx_layer says */
    const char *logits; /**< tensor or node name; NULL: the output, before a trailing Softmax */
    int32_t threads;    /**< of one run; 0: as many as OpenMP would use */
    int32_t in_height; /**< replaces a symbolic height of the input; 0 means 224.  A height that the
                            file fixes may not be another.  Of an input that is one row of numbers,
                            [1][n]: it is a picture of n / (in_height * in_width) channels, one
                            after the other */
    int32_t in_width;  /**< the same for the width */
    int32_t batch;     /**< inputs that kldve_explain_many() and methods of repeated passes run at
                            once, up to 1024 or KLDVE_ONNX_BATCH_AUTO; 0 or 1: one by one.  From
                            its first batch on an explainer takes as much working memory again for
                            each input; weights are shared where one form serves both */
    uint64_t flags;    /**< KLDVE_ONNX_* */
    /** The class scores as a part of an output or of another tensor, in numpy's notation:
     *  "output0[0, 4:84, 1234]".  The name may be left out where the network has one output.  The
     *  elements in C order are the scores; where they stand behind a Sigmoid or Softmax, the same
     *  elements before it.  An axis given as y and one given as x are the rows and columns of a
     *  map, of which each explanation picks a place: "out[0, :, y, x]"; one given as n the rows of
     *  a detector's output: "scores[0, n, :]".  NULL: all of `logits`. */
    const char *select;
    /** 0: as the file says, see kldve_onnx_choice.scores; else 1 + the kldve_scores that the scores
     *  are to be read as, whatever the file says.  One score cannot be SOFTMAX, several no NUMBER.
     */
    int32_t scores;
    int32_t reserved; /**< 0 */
    /** With a selection of rows: the four numbers of each row's box, "boxes[0, n, :]", and the
     * score of an object of whatever class, "out[0, n, 4]", by which those of the classes count.
     * NULL: there are none.  Without boxes a row is picked by its number only. */
    const char *boxes, *objects;
    int32_t box_format; /**< a kldve_onnx_boxes */
    int32_t box_units;  /**< a kldve_onnx_box_units */
    /** The input that is the picture.  NULL: the only one that can be: floating-point numbers or
     *  integers of up to 32 bits with at least three dimensions, or the only input. */
    const char *picture_input;
    const kldve_onnx_input
        *inputs;                /**< [input_count], all with the struct_size of the first: the
                                     other inputs.  One that is missing is zero where the
                                     network has an output of its type and shape, as recurrent
                                     networks have for their state; else the network is refused */
    const kldve_onnx_dim *dims; /**< [dim_count], all with the struct_size of the first.  Open
                                     dimensions without a size: 1 for the first, 224 for height
                                     and width, as many channels as the first weights take, else
                                     3, 16 frames, 16000 in a row */
    const int64_t *shape;       /**< [shape_rank]: of the array that will be explained, as the
                                     file's input has it, with or without a leading 1: sizes of
                                     open dimensions.  NULL: not known */
    int32_t input_count, dim_count, shape_rank; /**< lengths of these three */
    int32_t item; /**< of a batch that the file fixes: the picture that is explained, from 0 */
    /** Cells of a layer of tokens, [1][tokens][channels] or [1][channels][tokens], row by row; what
     *  comes before them on that axis has no place in the map.  Both 0: found in the graph. */
    int32_t grid_height, grid_width;
    /** What the axes of the picture's input are, a letter for each: N pictures, C channels, T
     * frames of a film, H rows, W columns: "NTCHW".  NULL: as shape and weights tell. */
    const char *layout;
    /** The elements of the array of `shape`, float32, row-major, borrowed for the call: where a
     * file fixes a batch, the pictures beside `item`.  NULL: all are the same picture. */
    const float *pictures;
    int32_t in_frames;       /**< replaces a symbolic number of frames of a film; 0 means 16 */
    int32_t frames_reserved; /**< 0 */
    double deadline_ms;      /**< milliseconds from the start of loading until it gives up with
                                  KLDVE_E_DEADLINE; 0: none but that of kldve_ctx_set_deadline() */
} kldve_onnx_options;
#define KLDVE_ONNX_OPTIONS_INIT KLDVE_INIT(kldve_onnx_options)

/** Read and plan a network.  Its input may be [1][channels][height][width] or, as in TensorFlow,
 *  [1][height][width][channels].  The graph tells which, for the input and for every layer.  The
 *  arrays of the backend always have channels or maps first.  An input may also
 *
 *    - lack the first dimension, or have a batch there: it becomes 1 where the file allows that,
 *      else every picture of the batch is the same, or as kldve_onnx_options.pictures says, and
 *      picture kldve_onnx_options.item is explained;
 *    - be a film, [1][channels][frames][height][width] or another order of these: in_height is that
 *      of all frames below each other;
 *    - be a row, [1][channels][length], [1][n] or [n]: in_height is 1;
 *    - take integers: values are rounded to them, and gradients pass as they are.
 *  @param options  NULL means defaults.  Its names are borrowed for the call.
 *  @param out      On KLDVE_OK a new network; free it with kldve_onnx_free().
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_FORMAT (not a valid ONNX file); KLDVE_E_UNSUPPORTED (an
 *          operator or attribute that the engine lacks: the message names node and attribute; or an
 *          option that this library does not have); KLDVE_E_LIMIT (more bytes, nodes, constants,
 *          weights or working memory than a kldve_limit of the context); KLDVE_E_ARG (no such layer
 * or logits, a selection that does not fit, an option out of range); KLDVE_E_NOMEM;
 *          KLDVE_E_CANCELLED; KLDVE_E_DEADLINE.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_load(kldve_ctx *ctx, const char *path,
                                                        const kldve_onnx_options *options,
                                                        kldve_onnx **out);

/** kldve_onnx_load() from memory.
 *  @param bytes  [nbytes], borrowed: they must stay unchanged until kldve_onnx_free().
 *  @return As kldve_onnx_load(), but never KLDVE_E_IO.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_load_memory(kldve_ctx *ctx, const void *bytes,
                                                               size_t nbytes,
                                                               const kldve_onnx_options *options,
                                                               kldve_onnx **out);

/** How much memory a network takes.  All sizes in bytes; all but `files` are what is asked of the
 *  context's allocator (docs/memory.md says what oneDNN takes besides). */
typedef struct kldve_onnx_needs {
    size_t struct_size;
    size_t files;     /**< mapped: the pages in use share memory with all who map the files, and the
                           system can take them back */
    size_t network;   /**< held by the network: its graph and its plans */
    size_t weights;   /**< held by the network: weights that were packed for this processor */
    size_t explainer; /**< held by each explainer on it, from its first explanation on, with a
                         method that needs the layer only.  Relevance, gradients at biases and
                         attentions take as much again from their first use on */
    size_t batch; /**< and, from its first batch on, for all inputs of the batch: each takes about
                       as much; 0 where inputs run one by one (kldve_onnx_options.batch) */
    size_t peak;  /**< at most at a time until the first explanation, all in all */
} kldve_onnx_needs;
#define KLDVE_ONNX_NEEDS_INIT KLDVE_INIT(kldve_onnx_needs)

/** Say how much memory a network will take, before it is loaded: it is read and planned, but no
 *  weights are packed, nothing is compiled and no working memory is taken.  That takes a fraction
 *  of the time of loading.  Within a tenth of what kldve_ctx_memory() then tells.
 *  @param options  Those that it will be loaded with; NULL means defaults.
 *  @param out      The caller's; set its struct_size first.
 *  @return As kldve_onnx_load(); KLDVE_E_LIMIT also where it would need more working memory or
 *          weights than the limits of the context allow.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_memory(kldve_ctx *ctx, const char *path,
                                                          const kldve_onnx_options *options,
                                                          kldve_onnx_needs *out);

/** kldve_onnx_memory() of a network in memory.
 *  @param bytes  [nbytes], borrowed for the call.
 *  @return As kldve_onnx_memory(), but never KLDVE_E_IO.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_memory_bytes(kldve_ctx *ctx, const void *bytes,
                                                                size_t nbytes,
                                                                const kldve_onnx_options *options,
                                                                kldve_onnx_needs *out);

/** The same of a loaded network.  Safe from any thread.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then, and
 *          there is no message: threads may share the network).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_memory_held(const kldve_onnx *net,
                                                               kldve_onnx_needs *out);

/** Called for one file after the other.  Anything but KLDVE_OK ends the call and is returned.
 *  @param path  Borrowed for the call. */
typedef kldve_status (*kldve_onnx_file_fn)(void *opaque, const char *path);

/** Name the files beside a network's own in which it keeps weights (external data), for hosts that
 *  must not write over them.  The network is read, not planned.
 *  @param visit  `path` is borrowed for the call; symbolic links are resolved.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL); as kldve_onnx_load() where the file cannot be read; what
 *          `visit` returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_weight_files(kldve_ctx *ctx, const char *path,
                                                                kldve_onnx_file_fn visit,
                                                                void *opaque);

/** What to append to an .onnx file so that tensors inside of it are outputs, too: another engine
 *  then hands them out beside its own.  The file itself stays as it is, and so do its results.
 *
 *      kldve_onnx_tap(ctx, model, nbytes, &t.name, 1, &more, &nmore);   t of kldve_onnx_tap_at()
 *      the engine loads  model [nbytes] + more [nmore]
 *
 *  An output that is added has the type that the file gives for the tensor.  Where it gives none,
 *  the output has none either, and engines derive it from the graph.
 *  @param bytes  [nbytes], a model; borrowed for the call.
 *  @param names  [count], tensors that nodes of the main graph make; those that are outputs already
 *                stay that.  An engine lists added outputs behind the file's own, in this order.
 *  @param more   On KLDVE_OK new bytes, none if all are outputs already; free them with
 *                kldve_ctx_release().
 *  @param nmore  Becomes their number.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL; no such tensor, a weight or an input, or one inside of a
 *          function or branch, which cannot be an output); KLDVE_E_FORMAT; KLDVE_E_LIMIT;
 *          KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_tap(kldve_ctx *ctx, const void *bytes,
                                                       size_t nbytes, const char *const *names,
                                                       int32_t count, void **more, size_t *nmore);

/** kldve_onnx_tap() from file to file.
 *  @param names   As for kldve_onnx_tap().
 *  @param path    With weights in other files (kldve_onnx_weight_files()) `tapped` has to lie in
 * the same folder, because they are looked for beside the file.
 *  @param tapped  The new file; one that exists is written over, `path` itself is refused.
 *  @return As kldve_onnx_tap(); KLDVE_E_IO; what kldve_onnx_load() returns where the file cannot be
 *          read.  After a failure there is no new file.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_tap_file(kldve_ctx *ctx, const char *path,
                                                            const char *const *names, int32_t count,
                                                            const char *tapped);

/** One picture in the order of the file's input, as kldve_onnx_tensor_at() shows its dimensions ->
 *  the order of the backend, [in_channels][in_height][in_width], for kldve_explain_input().  Safe
 *  from any thread.
 *  @param array  As many elements as the input; row-major.
 *  @param input  As many; not overlapping.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL; nothing is written then, and there is no message: threads
 *          may share the network).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_arrange(const kldve_onnx *net,
                                                           const float *array, float *input);

/** Free a network.  Free every explainer on it first.  Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_onnx_free(kldve_onnx *net);

/** The engine as a backend for kldve_explainer_new(); its config is a `const kldve_onnx *`.  Static
 *  storage.  Safe from any thread.  @since 0.1 */
KLDVE_API const kldve_backend *kldve_onnx_backend(void);

/** One tensor between input and logits, in the order of computation. */
typedef struct kldve_onnx_tensor {
    size_t struct_size;
    const char *name;     /**< borrowed from the network */
    const char *op;       /**< the operator that makes it, "" for the input */
    int32_t rank;         /**< dimensions, up to 8 */
    int32_t explainable;  /**< 1: can be the layer: between input and logits, and its axes are the
                               cells and the channels of one picture */
    int32_t is_layer;     /**< 1: is the layer */
    int32_t is_logits;    /**< 1: are the logits */
    int64_t dim[8];       /**< as in the file */
    int32_t channel_axis; /**< of the input and of explainable tensors: 1 for [1][maps][h][w], 3 for
                               [1][h][w][maps], 2 for [1][tokens][channels]; else 0 */
    int32_t leading;      /**< class and register tokens before the cells */
    int32_t grid_height;  /**< cells of the input and of explainable tensors, else 0 */
    int32_t grid_width;   /**< the same along a row */
} kldve_onnx_tensor;
#define KLDVE_ONNX_TENSOR_INIT KLDVE_INIT(kldve_onnx_tensor)

/** Fill in what is known about a tensor.  Safe from any thread.
 *  @param index  From 0 in the order of computation; the first is the input.
 *  @param out    The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (past the last), KLDVE_E_ARG (NULL, or struct_size is not
 *          set).  There is no message: threads may share the network.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_tensor_at(const kldve_onnx *net, int32_t index,
                                                             kldve_onnx_tensor *out);

/** The tensors that a head of this network takes (KLDVE_ONNX_FLAG_HEAD), also of one that is loaded
 * as a whole: the layer as the file has it, or the tensors that are joined to it, and then what
 * else the scores read that the layer does not carry.  kldve_onnx_tap() makes them outputs of the
 * file. Safe from any thread.
 *  @param index  From 0.
 *  @param out    The caller's; set its struct_size first.
 *  @return KLDVE_OK; KLDVE_E_NOT_FOUND (past the last); KLDVE_E_ARG (NULL, or struct_size is not
 *          set); KLDVE_E_UNSUPPORTED (there is no head; loading with KLDVE_ONNX_FLAG_HEAD says
 * why). There is no message: threads may share the network.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_tap_at(const kldve_onnx *net, int32_t index,
                                                          kldve_onnx_tensor *out);

/** How the layer of a network was chosen. */
typedef enum kldve_onnx_layer {
    KLDVE_ONNX_LAYER_GIVEN = 0,  /**< by its name */
    KLDVE_ONNX_LAYER_LAST = 1,   /**< the last tensor that every way from the input to the scores
                                      passes, with more than 5 maps of cells (rows and columns,
                                      where the picture has both) that the scores read, those of
                                      one place along a quarter of a side; where none has so many
                                      maps, the one with the most; of a normalised tensor that
                                      before the normalisation */
    KLDVE_ONNX_LAYER_JOINED = 2, /**< several tensors, joined along their maps, which together cut
                                      all ways: no single one does */
    KLDVE_ONNX_LAYER_BEST = 3    /**< one tensor that some ways avoid, because no layer carries
                                      everything; a note names others */
} kldve_onnx_layer;

/** What the engine explains in a network. */
typedef struct kldve_onnx_choice {
    size_t struct_size;
    const char *layer;  /**< the tensor; of joined ones "FIRST + SECOND".  Borrowed, as all names;
                             NULL: the network has none with cells */
    const char *logits; /**< the tensor of the scores */
    int32_t how;        /**< a kldve_onnx_layer */
    int32_t all_paths;  /**< kldve_shape.all_paths */
    /** A kldve_scores, of the tensor `logits`.  Several scores: by the end of the file.  One score:
     *  SIGMOID if the file ends in one, else NUMBER or, with KLDVE_ONNX_FLAG_NAMED, RAW.  A note
     * says which, and how to get the other. */
    int32_t scores;
    int32_t grid_height; /**< cells of the layer */
    int32_t grid_width;  /**< the same along a row */
    int32_t leading;     /**< class and register tokens that stand before the cells of the layer and
                              have no place in its maps; 0 where there are none */
    int32_t straight_through; /**< 1: the network is quantised, and its gradient takes rounding for
                                   the identity, and for 0 where a value was clipped; else 0 */
    int32_t frames;           /**< of the layer of a film: grid_height is that of all of them, below
                                   each other.  1: none */
    int32_t size_open; /**< 1: kldve_onnx_options.in_height and in_width have an effect; 0: the file
                            fixes the size of its input */
    int32_t reserved;  /**< 0 */
} kldve_onnx_choice;
#define KLDVE_ONNX_CHOICE_INIT KLDVE_INIT(kldve_onnx_choice)

/** Fill in what was chosen when the network was loaded.  Safe from any thread.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then, and
 *          there is no message: threads may share the network).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_chosen(const kldve_onnx *net,
                                                          kldve_onnx_choice *out);

/** What was chosen when the network was loaded, and what everyone who sees its maps should know:
 *  sentences without a full stop, those of kldve_explainer_note().  Safe from any thread.
 *  @param index  From 0.
 *  @param note   Borrowed from the network.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (past the last), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_onnx_note(const kldve_onnx *net, int32_t index, const char **note);

/** What a model card says about a network (docs/model-cards.md).  Free it with kldve_card_free().
 */
typedef struct kldve_card kldve_card;

/** Read a card.  Unknown keys are ignored.
 *  @param out  On KLDVE_OK a new card; free it with kldve_card_free().
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_FORMAT (not JSON, or the message names the key that is
 *          wrong); KLDVE_E_LIMIT (above KLDVE_LIMIT_CARD); KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_load(kldve_ctx *ctx, const char *path,
                                                        kldve_card **out);

/** kldve_card_load() from memory.
 *  @param text    [nbytes], borrowed for the call.
 *  @param folder  The folder that the path of the labels starts from; NULL: the working folder.
 *  @return As kldve_card_load(), but never KLDVE_E_IO.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_parse(kldve_ctx *ctx, const char *text,
                                                         size_t nbytes, const char *folder,
                                                         kldve_card **out);

/** Read the card beside a network, NAME.card.json for NAME.onnx.
 *  @param model_path  The path of the network, NAME.onnx.
 *  @return As kldve_card_load(); KLDVE_OK with NULL in *out if there is no such file.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_beside(kldve_ctx *ctx, const char *model_path,
                                                          kldve_card **out);

/** Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_card_free(kldve_card *card);

/* Of NULL each of these is as of a card that says nothing: NULL or 0. */

/** What kldve_onnx_options.scores says, 0 where the card does not say.  @since 0.1 */
KLDVE_API int32_t kldve_card_scores(const kldve_card *card);

/** What kldve_onnx_options.select says, NULL where the card does not say.  Borrowed.  @since 0.1 */
KLDVE_API const char *kldve_card_select(const kldve_card *card);

/** What the card says of a detector, for the members of kldve_onnx_options of the same names; NULL
 *  or 0 where it does not say.  Borrowed.  Its scores are kldve_card_select().  @since 0.1 */
KLDVE_API const char *kldve_card_boxes(const kldve_card *card);
KLDVE_API const char *kldve_card_objects(const kldve_card *card);
KLDVE_API int32_t kldve_card_box_format(const kldve_card *card);
KLDVE_API int32_t kldve_card_box_units(const kldve_card *card);

/** What the card calls the network, for titles; NULL where it does not say.  Borrowed: it lives as
 *  long as the card.  @since 0.1 */
KLDVE_API const char *kldve_card_name(const kldve_card *card);

/** Names of the tensors and the path of the labels, which starts from the working folder and lies
 * in the card's folder or in labels/ beside it (other places are KLDVE_E_FORMAT); NULL where
 * the card does not say.  Borrowed: they live as long as the card.  @since 0.1 */
KLDVE_API const char *kldve_card_layer(const kldve_card *card);
KLDVE_API const char *kldve_card_logits(const kldve_card *card);
KLDVE_API const char *kldve_card_labels(const kldve_card *card);

/** Fill in the preprocessing, for kldve_explainer_set_input().
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_input(const kldve_card *card,
                                                         kldve_input_spec *out);

/** The height and width that the card's input.shape gives, in pixels, for networks that leave them
 *  open; 0 where the card does not say.
 *  @param height,width  Become the size.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_card_size(const kldve_card *card, int32_t *height, int32_t *width);

/** What kldve_onnx_options.layout, picture_input and in_frames say; NULL or 0 where the card does
 * not say.  Borrowed.  @since 0.1 */
KLDVE_API const char *kldve_card_layout(const kldve_card *card);
KLDVE_API const char *kldve_card_picture_input(const kldve_card *card);
KLDVE_API int32_t kldve_card_frames(const kldve_card *card);

/** Sizes of open dimensions, for kldve_onnx_options.dims.  A name that the network does not have is
 *  refused when it is loaded.
 *  @param dims   [*count], borrowed; NULL where the card has none.  To be handed on as it is: each
 *                is as long as its struct_size says, which may be another than the caller's.
 *  @param count  Becomes their number.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_card_dims(const kldve_card *card, const kldve_onnx_dim **dims,
                                       int32_t *count);

/** The value of an input other than the picture, for kldve_onnx_options.inputs. */
typedef struct kldve_card_value {
    size_t struct_size;
    const char *name;    /**< of the input */
    const char *file;    /**< a .npy file that has it, from the working folder; NULL: `data` */
    const int64_t *dims; /**< [rank] */
    const double *data;  /**< row-major; one number where rank is 0 */
    int32_t rank;        /**< dimensions, 0 for one number */
    int32_t reserved;    /**< 0 */
} kldve_card_value;
#define KLDVE_CARD_VALUE_INIT KLDVE_INIT(kldve_card_value)

/** Fill in value number `index`, from 0; all it points to is borrowed from the card.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (past the last), KLDVE_E_ARG (NULL, or struct_size is not
 *          set).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_card_value_at(const kldve_card *card, int32_t index,
                                                            kldve_card_value *out);

/** The card's grid, for kldve_onnx_options.grid_height and grid_width; 0 where it does not say.
 *  @param height,width  Become the cells of the grid.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_card_grid(const kldve_card *card, int32_t *height, int32_t *width);

/** A network, its card and its labels as the contents of their files. */
typedef struct kldve_onnx_files {
    size_t struct_size;
    const void *model;    /**< .onnx */
    size_t model_nbytes;  /**< bytes of it */
    const char *card;     /**< .card.json; NULL: none */
    size_t card_nbytes;   /**< bytes of it */
    const char *labels;   /**< one a line; NULL: none, whatever file the card names */
    size_t labels_nbytes; /**< bytes of them */
} kldve_onnx_files;
#define KLDVE_ONNX_FILES_INIT KLDVE_INIT(kldve_onnx_files)

/** Fill in where the files of the built-in demonstration network are.  Static storage.  Safe from
 * any thread.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then);
 *          KLDVE_E_UNSUPPORTED (this build has no demonstration network).  There is no message.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_demo(kldve_onnx_files *out);

/** The shortest way from a file to an explainer: load the network and, if there is one, the card
 *  beside it (NAME.card.json for NAME.onnx) with the labels that it names.
 *  @param path     NULL means the built-in demonstration network.
 *  @param options  NULL means defaults.  What it sets takes precedence over the card.
 *  @param out      On KLDVE_OK a new explainer that owns the network, the card and the labels; free
 *                  it with kldve_explainer_free().
 *  @return As kldve_card_load(), kldve_labels_load(), kldve_onnx_load() and kldve_explainer_new().
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_onnx_explainer(kldve_ctx *ctx, const char *path,
                                                             const kldve_onnx_options *options,
                                                             kldve_explainer **out);

/** kldve_onnx_explainer() from memory, for programs that carry their network with them.
 *  @param files  The struct, the card and the labels are borrowed for the call; the bytes of the
 *                model must stay unchanged until kldve_explainer_free().  Weights in other files
 *                (external data) are refused.
 *  @return As kldve_onnx_explainer(), KLDVE_E_ARG (no model).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status
kldve_onnx_explainer_memory(kldve_ctx *ctx, const kldve_onnx_files *files,
                            const kldve_onnx_options *options, kldve_explainer **out);

/** What an explainer was opened on: the network, of one from kldve_onnx_explainer() or its kin also
 *  the card and the labels.  Safe from any thread.
 *  @return Borrowed: it lives as long as the explainer.  NULL: there is none, or the explainer is
 *          one of another backend.
 *  @since 0.1 */
KLDVE_API const kldve_onnx *kldve_onnx_explainer_net(const kldve_explainer *explainer);
KLDVE_API const kldve_card *kldve_onnx_explainer_card(const kldve_explainer *explainer);
KLDVE_API const kldve_labels *kldve_onnx_explainer_labels(const kldve_explainer *explainer);

#ifdef __cplusplus
}
#endif
#endif
