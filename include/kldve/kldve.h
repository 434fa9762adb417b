/* kldve.h - why did the network say that?  A picture goes in, a heat map of the pixels that made
 * the network decide comes out.  A whole program, for the network built into libkldve-onnx:
 *
 *     #include <kldve/onnx.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         kldve_ctx *ctx = NULL;
 *         kldve_explainer *net = NULL;
 *         kldve_image *photo = NULL, *drawn = NULL;
 *         kldve_heatmap *map = NULL;
 *         int failed;
 *
 *         if (argc != 3 || kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
 *             return 2;
 *         failed = kldve_onnx_explainer(ctx, NULL, NULL, &net) ||
 *                  kldve_image_load(ctx, argv[1], &photo) ||
 *                  kldve_explain(net, photo, NULL, &map) ||
 *                  kldve_heatmap_render(ctx, map, photo, NULL, &drawn) ||
 *                  kldve_image_save(ctx, drawn, argv[2], 0);
 *         if (failed)
 *             fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
 *         kldve_image_free(drawn);
 *         kldve_heatmap_free(map);
 *         kldve_image_free(photo);
 *         kldve_explainer_free(net);
 *         kldve_ctx_free(ctx);
 *         return failed;
 *     }
 *
 * For your own network name its .onnx file instead of the first NULL.  Without libkldve-onnx, open
 * a network of any other engine with kldve_explainer_new() (backend.h), or explain arrays that an
 * inference left in memory with kldve_explain_arrays().
 *
 * The method is KL-DVE (H. K. Bashier Babiker and R. Goebel, "Using KL-divergence to focus Deep
 * Visual Explanation", arXiv:1711.06431).  docs/method.md says what each reading computes. */
#ifndef KLDVE_KLDVE_H
#define KLDVE_KLDVE_H

#include <kldve/common.h>
#include <kldve/backend.h>
#include <kldve/divergence.h>
#include <kldve/image.h>
#include <kldve/labels.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How Eq. (3) of the paper pairs class weights with feature maps. */
typedef enum kldve_reading {
    KLDVE_READING_DEFAULT = 0,  /**< neighbours; contrast where kldve_options.truth is given */
    KLDVE_READING_PAPER = 1,    /**< Algorithm 1 to the letter: the same map for every class */
    KLDVE_READING_CHANNEL = 2,  /**< |standardised channel mean of the VJP of alpha| */
    KLDVE_READING_CONTRAST = 3, /**< why this class: the class term of the KL gradient */
    KLDVE_READING_RIVALS = 4,   /**< the class against others of a similar score: most at a distance
                                     of 0.6, little at a tie */
    KLDVE_READING_NEIGHBOURS = 5 /**< why this class and not its nearest rivals, as many as
                                      kldve_options.neighbour_perplexity says */
} kldve_reading;

/** What is explained. */
typedef enum kldve_target_kind {
    KLDVE_TARGET_RANK = 0,  /**< the class ranked `target` by its logit: 0 the first, 1 the second;
                               of a number (kldve_scores) 0 means "why so high", whatever its
                               sign */
    KLDVE_TARGET_INDEX = 1, /**< the class with the index `target` */
    KLDVE_TARGET_SET = 2,   /**< the classes `targets` together: why one of these? */
    KLDVE_TARGET_VERSUS = 3 /**< the class `target` against the class `rival`: why not that one? */
} kldve_target_kind;

/** Which values of a map count. */
typedef enum kldve_sign {
    KLDVE_SIGN_DEFAULT = 0,  /**< what the method's authors show */
    KLDVE_SIGN_POSITIVE = 1, /**< what speaks for the target; the rest is 0 */
    KLDVE_SIGN_SIGNED = 2,   /**< for and against: 0.5 is zero, 1 and 0 are the largest magnitude */
    KLDVE_SIGN_ABSOLUTE = 3  /**< what matters, for or against */
} kldve_sign;

enum {
    KLDVE_FLAG_CHECK = 1 /**< also measure class sensitivity, by explaining the best other class as
                              well (one more VJP), and a quick figure of faithfulness
                              (check_passes); see kldve_record */
};

/** Which scores of a network are explained that has some for every place of the picture or for
 * every row of a detector's output (kldve_shape.picks).  Such a network needs one of these, and no
 * other takes one. */
typedef enum kldve_pick_kind {
    KLDVE_PICK_NONE = 0,
    KLDVE_PICK_AT = 1,    /**< those of the place under pixel pick_x, pick_y of the picture */
    KLDVE_PICK_OVER = 2,  /**< their mean over the pixels of `region` that the network sees */
    KLDVE_PICK_ROW = 3,   /**< those of row pick_row */
    KLDVE_PICK_BEST = 4,  /**< those of the row with the highest score of a class (times that of an
                               object where there is one) */
    KLDVE_PICK_BOX_AT = 5 /**< the same among the rows whose box contains pixel pick_x, pick_y */
} kldve_pick_kind;

/** Options of one explanation; all zero = defaults: KL-DVE, reading neighbours, top class. */
typedef struct kldve_options {
    size_t struct_size;
    const char *method;   /**< a name from kldve_method_name(), or that of a method registered with
                               the context (method.h); NULL means "kl-dve" */
    int32_t reading;      /**< a kldve_reading, for kl-dve and guided-kl-dve; 0 for others */
    int32_t target_kind;  /**< a kldve_target_kind */
    int32_t target;       /**< rank or index; unused for KLDVE_TARGET_SET */
    float temperature;    /**< logits are divided by it, > 0; 0 means 1 */
    double perplexity;    /**< of the truth's affinities, > 1; 0 means 30 */
    uint64_t flags;       /**< KLDVE_FLAG_*; unknown bits are an error */
    int32_t rival;        /**< index of the other class, for KLDVE_TARGET_VERSUS */
    int32_t target_count; /**< for KLDVE_TARGET_SET: length of `targets`, 1 or more */
    const int32_t *targets; /**< for KLDVE_TARGET_SET: indices, each once; borrowed for the call */
    /** [classes], borrowed for the call: the truth of the divergence, for example the scores of
     *  another network; NULL means one-hot at the target.  It changes z, and with it the reading
     *  `channel`.  A row that cannot have the wanted perplexity takes the nearest that it can. */
    const double *truth;
    int32_t sign;    /**< a kldve_sign */
    int32_t samples; /**< passes or draws of a method that repeats them; 0: the method's default */
    int32_t window;  /**< pixels, side of what a method slides over the input; 0: its default */
    int32_t stride;  /**< pixels from one place of the window to the next; 0: its default */
    double noise;    /**< standard deviation of added noise as a part of the input's range, 0..1; 0
                          means the method's default */
    uint64_t seed;   /**< for methods that draw random numbers: the same seed gives the same map */
    int32_t smooth;  /**< 1: the mean map of six changed inputs, mirrored or not and times 0.9, 1
                          and 1.1; it costs six explanations and needs a network, not arrays.
                          Not with a pick, whose place it would mirror away */
    /** With KLDVE_FLAG_CHECK: at most so many further forward passes for `faithfulness`, 5 or more;
     *  0 means 32, a negative number none.  Not of arrays and of a network that is open behind its
     *  layer only, which cannot run again: there 0 means none. */
    int32_t check_passes;
    int32_t pick;     /**< a kldve_pick_kind */
    int32_t pick_row; /**< from 0 */
    /** Pixels of the picture from its upper left corner; of the input, for kldve_explain_input().
     */
    int32_t pick_x, pick_y;
    /** For KLDVE_PICK_OVER: [region_height][region_width] of the size of the picture (of the input,
     *  for kldve_explain_input()); what is not 0 counts.  Borrowed for the call. */
    const uint8_t *region;
    int32_t region_width, region_height; /**< pixels of `region` */
    /** Milliseconds from the start of the call until it gives up with KLDVE_E_DEADLINE, as soon
     *  after them as kldve_ctx_cancel() says; 0: none but that of kldve_ctx_set_deadline(). */
    double deadline_ms;
    /** Of the reading `neighbours`: how many rivals count, > 1; 0 means
     *  kldve_divergence_neighbour_perplexity(classes).  Any other reading refuses it, and so does a
     *  class against a rival.  One that cannot be had takes the nearest that can: n - 1 of n
     *  classes, or as many as are tied for the nearest. */
    double neighbour_perplexity;
} kldve_options;
#define KLDVE_OPTIONS_INIT KLDVE_INIT(kldve_options)

/** Channel orders of a network's input. */
typedef enum kldve_channels {
    KLDVE_CHANNELS_RGB = 0,
    KLDVE_CHANNELS_BGR = 1,
    KLDVE_CHANNELS_GRAY = 2, /**< ITU-R 601 luma, as Pillow's mode L */
    /* With the alpha channel of the picture behind the colours, 255 where it has none. */
    KLDVE_CHANNELS_GRAY_ALPHA = 3,
    KLDVE_CHANNELS_RGB_ALPHA = 4,
    KLDVE_CHANNELS_BGR_ALPHA = 5
} kldve_channels;

enum { KLDVE_PICTURE_CHANNELS = 4 /**< that a picture can have; networks with more take arrays */ };

/** How a picture of another shape fits into the network's input. */
typedef enum kldve_fit {
    KLDVE_FIT_CROP = 0,   /**< the centre; the rest is not seen */
    KLDVE_FIT_SQUASH = 1, /**< all of it, each side by itself: shapes are distorted */
    KLDVE_FIT_PAD = 2,    /**< all of it in its shape, in the middle; the rest is padding */
    KLDVE_FIT_PAD_END = 3 /**< the same at the upper left; the padding is at the right or below */
} kldve_fit;

/** "crop", "squash", "pad", "pad-end".
 *  @return Static storage; NULL: there is no such kldve_fit, so that names can be listed from 0 on.
 *          Safe from any thread.  @since 0.1 */
KLDVE_API const char *kldve_fit_name(int32_t fit);

/** How a picture becomes the network's input; all zero = pixel values 0..255 at the network's size.
 *
 *   1. Resize the picture so that its shorter side has `resize_shorter_side` pixels.
 *   2. Cut out the centre square of `center_crop` pixels, and resize it if the network's input has
 *      another size.
 *   3. value = (pixel * scale - mean) / std.
 *
 *  With KLDVE_FIT_SQUASH step 1 gives both sides the shape of the network's input, the shorter one
 *  `resize_shorter_side` pixels.  With KLDVE_FIT_PAD and _PAD_END the picture is made as large as
 * it fits into the input, and no step cuts anything.
 *
 *  The longer side and the place of the crop are rounded as torchvision rounds them; of a padded
 *  picture the shorter side to the nearest number, and an odd pixel of padding goes to the right or
 *  below.  A picture that already has the network's size skips steps 1 and 2. */
typedef struct kldve_input_spec {
    size_t struct_size;
    int32_t channels;            /**< a kldve_channels */
    int32_t resize_shorter_side; /**< pixels; 0 means the network's shorter side; 0 to pad */
    int32_t center_crop;         /**< pixels; 0 means the network's size; 0 to pad */
    float scale;                 /**< 0 means 1 */
    float mean[3];               /**< per channel, in the order of `channels` */
    float std[3];                /**< per channel; 0 means 1 */
    float alpha_mean;            /**< of the alpha channel */
    float alpha_std;             /**< 0 means 1 */
    int32_t fit;                 /**< a kldve_fit */
    int32_t interpolation;       /**< a kldve_interpolation, of every step that resizes */
    int32_t pad_by_colour;       /**< 0: padding is the network's zero, the mean; 1: it is `pad` */
    int32_t reserved;            /**< 0 */
    float pad[3];                /**< pixel values 0..255, in the order of `channels` */
    float alpha_pad;             /**< the same of the alpha channel */
} kldve_input_spec;
#define KLDVE_INPUT_SPEC_INIT KLDVE_INIT(kldve_input_spec)

/** A network ready to be explained: the backend's state, the preprocessing, every working buffer.
 *  Use it from one thread at a time; two explainers made from two contexts may run in parallel. */
typedef struct kldve_explainer kldve_explainer;

/** A heat map with everything that was computed on the way.  It never changes: any number of
 * threads may read it.  Its memory comes from the context of the explainer, which is freed after
 * it. */
typedef struct kldve_heatmap kldve_heatmap;

/** Open a network through a backend.  Free the explainer with kldve_explainer_free().
 *  @param backend  Copied; its name is borrowed and must outlive the explainer.
 *  @param config   Handed to backend->open().
 *  @return KLDVE_OK; KLDVE_E_ARG (a required call is missing, a size below 1, several scores that
 *          are said to be one number); KLDVE_E_UNSUPPORTED (the backend sets a member that this
 *          library does not have); KLDVE_E_NOMEM; or what open() returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_new(kldve_ctx *ctx,
                                                            const kldve_backend *backend,
                                                            const void *config,
                                                            kldve_explainer **out);

/** Close the network and free the explainer.  Heat maps made with it stay valid.  Accepts NULL.
 *  @since 0.1 */
KLDVE_API void kldve_explainer_free(kldve_explainer *explainer);

/** The state that `backend` opened, for functions that a backend offers beside its table.
 *  @param backend  Which one is asked for, by its calls.
 *  @return Borrowed: it lives as long as the explainer.  NULL: the explainer is NULL, or one of
 *          another backend.
 *  @since 0.1 */
KLDVE_API const void *kldve_explainer_state(const kldve_explainer *explainer,
                                            const kldve_backend *backend);

/** Say how pictures become inputs.  Without this call pictures are RGB, or grey if the network's
 *  input has one channel, with alpha if it has two or four, and pixel values are 0..255.
 *  @param spec  Copied.
 *  @return KLDVE_OK; KLDVE_E_ARG (channels that do not fit the network, a negative size, a crop
 *          larger than the resized picture, a number that is not finite); KLDVE_E_UNSUPPORTED (a
 *          member that this library does not have).  After a failure the old specification holds.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_set_input(kldve_explainer *explainer,
                                                                  const kldve_input_spec *spec);

/** Fill in the sizes of the network.  A network with one score has two classes here, and `single`
 *  is 1.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_shape(const kldve_explainer *explainer,
                                                              kldve_shape *out);

/** What was chosen for the caller when the network was opened, and what everyone who sees its maps
 *  should know, for example that the layer does not carry the whole score: sentences without a full
 *  stop.
 *  @param index  From 0.
 *  @param note   Borrowed from the explainer.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (past the last), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_explainer_note(const kldve_explainer *explainer, int32_t index,
                                            const char **note);

/** The layers of a network that have parameters, from the logits to the input: layer 0 is the one
 *  nearest the logits.  A layer is a convolution, a matrix or a recurrent cell with the biases,
 *  normalisations and factors that follow it.  Parameters that several layers share belong to the
 *  one nearest the logits.
 *  @param index  From 0.
 *  @param name   What the network calls it, for the engine a tensor; borrowed from the explainer.
 *  @return KLDVE_OK; KLDVE_E_NOT_FOUND (past the last); KLDVE_E_ARG (NULL, a negative index);
 *          KLDVE_E_UNSUPPORTED (the backend does not know its parameters); or what it returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_parameters(kldve_explainer *explainer,
                                                                   int32_t index,
                                                                   const char **name);

/** Give the network random parameters, to see whether an explanation depends on them: one that
 * stays the same does not explain what the network has learned (the model parameter randomisation
 * test of Adebayo et al. 2018, arXiv:1810.03292).  Each call starts from the true network.
 *
 *  The engine shuffles the elements of each tensor of parameters among each other: weights, biases,
 *  and the factors, means and deviations of normalisations.  So every tensor keeps its own
 *  distribution, no variance becomes negative, quantised weights stay levels, and the same seed
 * gives the same network on every machine, because no number is computed.  docs/metrics.md says
 * more.
 *  @param kind   a kldve_randomise.
 *  @param layer  Which, as kldve_explainer_parameters() counts; 0 for KLDVE_RANDOMISE_NONE.
 *  @param seed   Same seed, same network; 0 for KLDVE_RANDOMISE_NONE.  A tensor is shuffled in the
 *                same way in a cascade and by itself.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, an unknown kind, no such layer, a layer or seed with NONE);
 *          KLDVE_E_UNSUPPORTED (the backend cannot, the network has no parameters, or is only a
 *          head); KLDVE_E_NOMEM; KLDVE_E_LIMIT; KLDVE_E_CANCELLED; KLDVE_E_DEADLINE; or what the
 *          backend returned.  After a failure the network is as before.
 *  Cost: for the engine that of loading the network once more, in time and memory.  Notes of the
 *  explainer say that its parameters are random.  Others that share the network keep theirs.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_randomise(kldve_explainer *explainer,
                                                                  int32_t kind, int32_t layer,
                                                                  uint64_t seed);

/** Would an explanation with these options work?  kldve_explain() and its kin ask the same first,
 *  before any pass of the network.
 *
 *  Nothing runs.  Only where the network itself has to say - relevance propagation, gradients at
 *  biases, attentions - its plan for them is made, once, which takes as long as loading does and is
 *  then there for the explanation.  What depends on the picture is not looked at: a pixel or row
 *  that is picked, numbers that are not finite, and for the method `cam` whether its gradient is
 * that of a linear layer.
 *  @param options  NULL means defaults.
 *  @return KLDVE_OK, or what kldve_explain_input() would return, with its message.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_check(kldve_explainer *explainer,
                                                              const kldve_options *options);

/** Explain one picture.
 *  @param options  NULL means defaults.
 *  @param out      On KLDVE_OK a new heat map; free it with kldve_heatmap_free().
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, target or option out of range, an option that the method
 *          does not read, see kldve_method.options); KLDVE_E_UNSUPPORTED (no such method);
 *          KLDVE_E_NO_VJP (the reading needs a gradient that the backend cannot give);
 *          KLDVE_E_NUMERIC (NaN or infinite input, logits, features or gradients); KLDVE_E_NOMEM;
 *          KLDVE_E_CANCELLED; KLDVE_E_DEADLINE; or what the backend returned.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explain(kldve_explainer *explainer,
                                                      const kldve_image *picture,
                                                      const kldve_options *options,
                                                      kldve_heatmap **out);

/** kldve_explain() of a film, from a picture for each frame.
 *  @param count     As many as kldve_shape.in_frames.
 *  @param pictures  [count], in the order of time, all of one size; borrowed for the call.
 *  @return As kldve_explain(); KLDVE_E_ARG also where count or sizes do not fit.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explain_film(kldve_explainer *explainer,
                                                           const kldve_image *const *pictures,
                                                           int32_t count,
                                                           const kldve_options *options,
                                                           kldve_heatmap **out);

/** kldve_explain() from an input that is already preprocessed.
 *  @param input  [in_channels][in_height][in_width] of kldve_shape; borrowed for the call.
 *  @return As kldve_explain().
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explain_input(kldve_explainer *explainer,
                                                            const float *input,
                                                            const kldve_options *options,
                                                            kldve_heatmap **out);

/** Picture -> what the network is given of it, as kldve_explain() prepares it.
 *  @param input  [in_channels][in_height][in_width] of kldve_shape; the caller's.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL; the network takes films); KLDVE_E_NOMEM; KLDVE_E_CANCELLED;
 *          KLDVE_E_DEADLINE.  After a failure `input` may hold anything.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_input(kldve_explainer *explainer,
                                                              const kldve_image *picture,
                                                              float *input);

/** Run the network without explaining anything.
 *
 *  In batches of kldve_shape.batch where that is more than 1, what is left over one by one.
 *  @param inputs   [count][in_channels][in_height][in_width].
 *  @param options  NULL means none.  Only what they pick counts, of which the first input decides
 *                  which row it is; places are pixels of the input.
 *  @param logits   [count][classes] of kldve_shape, where one score is two classes.
 *  @return KLDVE_OK; KLDVE_E_ARG (NULL, count below 1, an option out of range); KLDVE_E_UNSUPPORTED
 *          (only the part behind the layer is open); KLDVE_E_NUMERIC (input or logit not finite);
 *          KLDVE_E_NOMEM; KLDVE_E_CANCELLED; KLDVE_E_DEADLINE; or what the backend returned.  After
 * a failure `logits` may hold anything.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explainer_forward(kldve_explainer *explainer,
                                                                const float *inputs, int32_t count,
                                                                const kldve_options *options,
                                                                float *logits);

/** Explain several inputs with the same options.
 *
 *  They run in batches of kldve_shape.batch where the backend can do that and the method needs
 *  nothing but features and the gradient at the layer.  Otherwise, and for those that are left
 *  over, they run one after the other.  Each map is the one that kldve_explain_input() would make,
 *  up to rounding.  Its timings are its share of those of the batch.  The explainer keeps the
 *  memory that the first batch takes.  The progress callback is told about "inputs" before each
 *  batch, and about the stages within it as for one input.
 *  @param inputs   [count][in_channels][in_height][in_width].
 *  @param options  NULL means defaults; KLDVE_TARGET_RANK is about each input's own ranking.
 *  @param out      [count].  On KLDVE_OK new heat maps; free each with kldve_heatmap_free().  After
 *                  a failure none is written.
 *  @return As kldve_explain_input(); KLDVE_E_ARG (count below 1).  Where one input is to blame, the
 *          message begins with its number, from 0.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explain_inputs(kldve_explainer *explainer,
                                                             const float *inputs, int32_t count,
                                                             const kldve_options *options,
                                                             kldve_heatmap **out);

/** kldve_explain_inputs() of pictures, which may differ in size.
 *  @param pictures  [count], borrowed for the call.
 *  @return As kldve_explain_inputs().
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explain_many(kldve_explainer *explainer,
                                                           const kldve_image *const *pictures,
                                                           int32_t count,
                                                           const kldve_options *options,
                                                           kldve_heatmap **out);

/** What another program computed in front of a network's layer, for an explainer that has only the
 *  part behind it, the head: kldve_shape.head.  Borrowed for the call. */
typedef struct kldve_feature_maps {
    size_t struct_size;
    /** [count], the tensors that the head takes one behind the other, each as the file has it
     *  (kldve_onnx_tap_at()): an inference engine can write its outputs there. */
    const float *values;
    int64_t count; /**< kldve_shape.head */
    /** [classes], or the one score of a network that has one: what the other program computed
     * behind the layer, with a pick those of what is picked.  The head computes its own; if they
     * are farther from these than rounding explains, a twentieth of the largest, the call fails.
     * NULL: not compared. */
    const float *logits;
    /** Pixels of the picture that the other program resized and cropped as
     *  kldve_explainer_set_input() says: the heat lies where it belongs, and a pick counts pixels
     * of it.  Both 0: the picture is the network's input. */
    int32_t picture_width, picture_height;
} kldve_feature_maps;
#define KLDVE_FEATURE_MAPS_INIT KLDVE_INIT(kldve_feature_maps)

/** Explain by the head of a network: what comes in front of it has run elsewhere.  The map is that
 *  of kldve_explain() with the same features.
 *  @param features  Borrowed for the call.
 *  @param options  NULL means defaults.
 *  @param out      On KLDVE_OK a new heat map; free it with kldve_heatmap_free().
 *  @return As kldve_explain().  KLDVE_E_ARG also for a network that is open as a whole, another
 *          count, other logits; KLDVE_E_UNSUPPORTED also for methods that look at pixels or run the
 *          whole network.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explain_features(kldve_explainer *explainer,
                                                               const kldve_feature_maps *features,
                                                               const kldve_options *options,
                                                               kldve_heatmap **out);

/** How feature maps lie in memory where there are no gaps. */
typedef enum kldve_layout {
    KLDVE_LAYOUT_MAPS_FIRST = 0, /**< [maps][height][width], as in torch */
    KLDVE_LAYOUT_MAPS_LAST = 1   /**< [height][width][maps], as in TensorFlow; tokens, too:
                                      [cells][channels] */
} kldve_layout;

/** The numbers of an array. */
typedef enum kldve_array_type {
    KLDVE_ARRAY_FLOAT32 = 0,
    KLDVE_ARRAY_FLOAT16 = 1 /**< IEEE 754's binary16 */
} kldve_array_type;

/** What an inference that ran elsewhere left behind.  All arrays are borrowed for the call.  kl-dve
 *  and grad-cam read features and gradient where they are; other methods have the library copy
 *  them where they are not float32 in KLDVE_LAYOUT_MAPS_FIRST. */
typedef struct kldve_arrays {
    size_t struct_size;
    const float *logits;  /**< [classes]; one score makes two classes, as in kldve_scores */
    const void *features; /**< maps x height x width numbers, see layout, stride and type */
    /** The same for the gradient of sum(cotangent * logits) at the layer, with the
     *  cotangent from kldve_arrays_cotangent().  NULL for the reading `paper` and for methods that
     * need no gradient. */
    const void *gradient;
    int32_t classes, maps, height, width; /**< sizes of the arrays */
    int32_t scores;                       /**< a kldve_scores */
    int32_t layout;                       /**< a kldve_layout; 0 where `stride` is set */
    /** BYTES from one map, one row and one column to the next, of features and gradient; any
     *  alignment will do.  For cells of a larger array, or another order.  All 0: as `layout`
     *  says, without gaps. */
    ptrdiff_t stride[3];
    int32_t type;   /**< a kldve_array_type, of features and gradient */
    int32_t frames; /**< of a film: those of the layer, below each other in `height`; 0: none */
    /** Pixels of the picture (of a film, of one frame, and how many frames).  The map drawn alone
     *  has this size.  0: 16 times the cells, as many frames as the layer has. */
    int32_t picture_width, picture_height, picture_frames;
    int32_t reserved; /**< 0 */
    /** Which part of the picture the network saw, in parts of its width and height: the heat is
     * drawn there, see kldve_record.  More than the picture where it was padded.  All 0: the whole
     * picture. */
    float seen_x, seen_y, seen_width, seen_height;
} kldve_arrays;
#define KLDVE_ARRAYS_INIT KLDVE_INIT(kldve_arrays)

/** The cotangent at the logits that a reading or method back-propagates: start your own autograd
 *  with it, then call kldve_explain_arrays().
 *  @param classes    Their number, 1 or more.
 *  @param logits     [classes].  With one score the class 0 is "yes", 1 is "no" (kldve_scores).
 *  @param options    NULL means defaults.
 *  @param cotangent  [classes], the caller's.  Zeros where nothing is back-propagated (the reading
 *                    paper).
 *  @return KLDVE_OK, KLDVE_E_ARG, KLDVE_E_UNSUPPORTED (no such method), KLDVE_E_NUMERIC,
 *          KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_arrays_cotangent(kldve_ctx *ctx, const float *logits,
                                                               int32_t classes,
                                                               const kldve_options *options,
                                                               float *cotangent);

/** kldve_explainer_check() of kldve_explain_arrays(), without a look at the numbers.
 *  @return KLDVE_OK, or what kldve_explain_arrays() would return, with its message.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_arrays_check(kldve_ctx *ctx,
                                                           const kldve_arrays *arrays,
                                                           const kldve_options *options);

/** Explain without any backend, from arrays in memory.
 *  @param options  NULL means defaults.  Use the same as for kldve_arrays_cotangent().
 *  @param out      On KLDVE_OK a new heat map; free it with kldve_heatmap_free().
 *  @return As kldve_explain().  KLDVE_E_NO_VJP also where the method needs a gradient and `arrays`
 *          has none, or where KLDVE_FLAG_CHECK would need a second one; KLDVE_E_UNSUPPORTED also
 *          where the method needs the network itself.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_explain_arrays(kldve_ctx *ctx,
                                                             const kldve_arrays *arrays,
                                                             const kldve_options *options,
                                                             kldve_heatmap **out);

/** What everyone who sees a result should know, kldve_record.flags.  Found with every explanation,
 *  at no cost that counts; docs/results.md says how often each is set, and what to do about it.
 *  A mean of several maps (kldve_heatmap_fuse()) has the flags that any of them has, except
 *  KLDVE_RESULT_FLAT, which is about the mean, and KLDVE_RESULT_CLASS_INDIFFERENT, which all must
 *  have.  Below, p is the probability of the target.  The values are part of the ABI; later
 * releases may add some. */
enum {
    /** The map is constant: there is nothing to see in it.  Its range is at most 1e-6 of its
     * largest magnitude, which is what rounding makes of a constant.  kldve_heatmap_remark() says
     * why, where that is known. */
    KLDVE_RESULT_FLAT = 1,
    /** A number on the way to the map is NaN or infinite.  No map has this flag: the call fails
     * with KLDVE_E_NUMERIC.  It is for lists of results, in which the place of that map stays
     * empty. */
    KLDVE_RESULT_NON_FINITE = 2,
    /** Another target would have given the same map: the method says so
     * (kldve_method.result_flags), or KLDVE_FLAG_CHECK found a class_sensitivity below
     * KLDVE_INDIFFERENT. */
    KLDVE_RESULT_CLASS_INDIFFERENT = 4,
    /** p is so near 0 or 1 that float32 cannot tell: p or 1 - p is at most 2^-24.  Figures made of
     *  it, such as deletion and insertion, hardly move.  Of scores that look like probabilities
     *  (kldve_heatmap_remark()) the score itself counts; the gradient at the layer vanishes, too.
     */
    KLDVE_RESULT_SATURATED = 8,
    /** Of three classes or more, where the map depends on a perplexity that they cannot have.
     *  Of the reading `channel`: kldve_options.perplexity is n - 1 or more, with n classes, so that P
     *  is uniform and z, alpha and the map are the same for every class; or a row of
     *  kldve_options.truth could not have it and took the nearest that it can.  Of `neighbours`:
     *  kldve_record.neighbour_perplexity is n - 1 or more, so that all rivals count alike.  (z, alpha
     *  and KL of other readings are those of a uniform P, too; their maps do not read them.) */
    KLDVE_RESULT_PERPLEXITY_LIMITED = 16,
    /** kldve_shape.all_paths is -1 and the method looks at the layer: a part of what the scores
     *  depend on does not pass it, and the map does not show that part. */
    KLDVE_RESULT_NOT_ALL_PATHS = 32,
    /** The network itself is unsure.  Of classes that exclude each other, also of one score that
     *  means yes or no: the most probable class has less than 1/2, or less than twice what the
     *  second has.  Of independent classes (KLDVE_SCORES_SIGMOID): no class has 1/2, or p lies
     *  between 1/3 and 2/3.  Of a detector's row with a box: box_score is below 1/2, if it lies in
     *  0..1.  Never of a number. */
    KLDVE_RESULT_LOW_CONFIDENCE = 64,
    /** What the sign rule cut off, because it speaks against the target, adds up to more than what
     *  it kept.  Not of KLDVE_SIGN_SIGNED and KLDVE_SIGN_ABSOLUTE, which cut nothing.  About the
     *  sum over all cells before the map is scaled; a smoothed map has that of the input itself.
     *  A fixed scale of kldve_render_options is the caller's choice and no flag: values are clamped
     *  where kldve_record.high is above its `high`. */
    KLDVE_RESULT_CLIPPED = 128
};

/** Below this a class_sensitivity counts as none: a correlation above 0.999. */
#define KLDVE_INDIFFERENT 1e-3

/** The name of one flag, "class-indifferent", and what it means, a sentence without a full stop for
 *  people who know nothing of the method.  The flags are 1, 2, 4 ... without gaps:
 *
 *      for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1)
 *          if (record.flags & flag)
 *              printf("%s\n", kldve_result_flag_sentence(flag));
 *  @param flag  A KLDVE_RESULT_*.
 *  @return Static storage; NULL if `flag` is not exactly one KLDVE_RESULT_*.
 *  @since 0.1 */
KLDVE_API const char *kldve_result_flag_name(uint64_t flag);
KLDVE_API const char *kldve_result_flag_sentence(uint64_t flag);

/** The record of one explanation: what was explained, and how sure the network was. */
typedef struct kldve_record {
    size_t struct_size;
    const char *method;       /**< its name, static or the host's */
    int32_t target;           /**< index of the class that was explained, of a set the best */
    int32_t reading;          /**< a kldve_reading */
    int32_t classes;          /**< of the network */
    int32_t maps;             /**< feature maps of the layer; 0 without one */
    int32_t height, width;    /**< of the map, cells */
    float logit;              /**< of the target, as the network gave it; the number itself where
                                   `scores` is KLDVE_SCORES_NUMBER */
    float probability;        /**< of the target, by `scores`; NaN for a number */
    double kl;                /**< KL(P || Q) for the truth of kldve_heatmap_z() */
    double class_sensitivity; /**< 1 - Pearson correlation with the map of the best other class;
                                   NaN without KLDVE_FLAG_CHECK.  0: the map does not depend on the
                                   class.  Two constant maps count as correlation 1, a constant
                                   map and another one as 0. */
    int32_t check_passes;     /**< forward passes that `faithfulness` took; 0 without it */
    int32_t sign; /**< KLDVE_SIGN_SIGNED: 0.5 is zero, draw it with KLDVE_COLORMAP_DIVERGING */
    /** Where the network looked, in parts of the picture's width and height: 0, 0, 1, 1 is the
     *  whole picture.  Where padding was added it is more than that: x or y below 0, or an end
     *  above 1. */
    float seen_x, seen_y, seen_width, seen_height;
    int32_t scores;    /**< a kldve_scores: what kind of number `logit` is */
    int32_t all_paths; /**< kldve_shape.all_paths of the layer */
    int32_t single;    /**< 1: the network has one score; the classes are "yes" and "no" */
    float sigmoid;     /**< of that score, also where it is a number; NaN with several scores */
    int32_t pick;      /**< kldve_options.pick */
    int32_t row;       /**< of a detector's output; -1 where none was picked */
    float box[4];    /**< of that row: x0, y0, x1, y1 in pixels of the picture; NaN without a box */
    float box_score; /**< of its best class, as the file has it; NaN without a box */
    int32_t frames;  /**< of a film: the map is [frames][height / frames][width]; else 1 */
    /** What 0 and 1 stood for before the map was scaled: the value v was low + v (high - low), in
     *  the unit of the method, the same for every picture of a network.  Both are the same for a
     *  flat map; of a signed map low is -high.  NaN for a mean of several maps, of which each has a
     *  scale of its own (kldve_heatmap_fuse(), kldve_options.smooth). */
    double low, high;
    /** kldve_options.neighbour_perplexity with its default filled in; 0 where the map does not
     *  depend on it. */
    double neighbour_perplexity;
    uint64_t flags; /**< KLDVE_RESULT_*: what everyone who sees this map should know */
    /** A quick figure, with KLDVE_FLAG_CHECK: the area under the score while the pixels that the
     * map ranks highest come first into an input of zeros, less the area while they go first, of
     * few steps.  In -1..1 for a probability, of a number in its unit; the higher, the more the
     * score depends on what the map marks.  The control is the same for a blob in the middle of the
     *  picture: a map that is not above it says no more than where photographers point.  Both NaN
     *  without the check, of a flat map, and where the network cannot run again. */
    double faithfulness, faithfulness_control;
} kldve_record;
#define KLDVE_RECORD_INIT KLDVE_INIT(kldve_record)

/** Fill in the record.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then, and
 *          there is no message: threads may share the map).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_record(const kldve_heatmap *map,
                                                             kldve_record *out);

/** Milliseconds of each stage, wall clock; 0 for a stage that did not run.  Those of the check
 *  (KLDVE_FLAG_CHECK) are not in them. */
typedef struct kldve_timings {
    size_t struct_size;
    double preprocess; /**< picture -> input */
    double forward;    /**< input -> logits and feature maps */
    double divergence; /**< logits -> z, alpha, cotangent */
    double backward;   /**< cotangent -> gradient at the layer */
    double reduce;     /**< gradient, feature maps -> weights -> map in 0..1 */
} kldve_timings;
#define KLDVE_TIMINGS_INIT KLDVE_INIT(kldve_timings)

/** Fill in the timings.
 *  @param out  The caller's; set its struct_size first.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, or struct_size is not set; nothing is written then, and
 *          there is no message: threads may share the map).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_timings(const kldve_heatmap *map,
                                                              kldve_timings *out);

/** The map before upsampling, [height][width], in 0..1; of a film [frames][height / frames][width],
 *  on one scale over all frames.
 *  @param values  Borrowed: it lives as long as the map.
 *  @param count   Becomes height * width; may be NULL.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_values(const kldve_heatmap *map, const float **values,
                                            int32_t *count);

/** The map of one frame of a film, to be drawn over its picture.  A layer of fewer frames than the
 *  film is interpolated over time as over space, linearly between the centres of its frames.
 *  @param frame  Of the film, from 0; of a picture only 0.
 *  @param out    On KLDVE_OK a new heat map of one frame, on the scale of all; free it with
 *                kldve_heatmap_free().  It has the record and the arrays of the film's.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, no such frame), KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_frame(kldve_ctx *ctx,
                                                            const kldve_heatmap *map, int32_t frame,
                                                            kldve_heatmap **out);

/** What everyone who sees this one map should know: why it is flat, or that scores of the kind
 *  KLDVE_SCORES_RAW lie between 0 and 1 (three or more) or add up to 1, as probabilities do.
 *  Clauses without a full stop, joined by "; " and cut at 767 bytes.  Borrowed: it lives as long as
 *  the map; NULL: nothing, also of NULL.  @since 0.1 */
KLDVE_API const char *kldve_heatmap_remark(const kldve_heatmap *map);

/* The arrays behind the map. */

/** The standard error of each value of the map, [height][width], in its units, for methods that
 * draw random numbers; none for a mean of several maps.
 *  @param values  Becomes the array, borrowed: it lives as long as the map.
 *  @param count   Becomes its length; may be NULL.
 *  @return KLDVE_OK; KLDVE_E_NOT_FOUND (the reading or method has no such array); KLDVE_E_ARG
 *          (NULL).  Nothing is written after a failure.
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_error(const kldve_heatmap *map, const float **values,
                                           int32_t *count);

/** The logits, [classes], as the network gave them.
 *  @return As kldve_heatmap_error().
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_logits(const kldve_heatmap *map, const float **values,
                                            int32_t *count);
/** The probabilities, [classes], by kldve_record.scores: those of independent classes (SIGMOID) do
 * not sum to 1.  None for a number.
 *  @return As kldve_heatmap_error().
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_probabilities(const kldve_heatmap *map, const double **values,
                                                   int32_t *count);
/** z, the gradient of the KL divergence, [classes], for the truth that kldve_options gives:
 * `truth`, equal labels at `targets`, else one-hot at the target.
 *  @return As kldve_heatmap_error().
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_z(const kldve_heatmap *map, const double **values,
                                       int32_t *count);
/** (z - mean) / deviation, [classes], Eq. (2).
 *  @return As kldve_heatmap_error().
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_alpha(const kldve_heatmap *map, const double **values,
                                           int32_t *count);
/** The cotangent that was back-propagated, [classes]; none for the reading `paper`.
 *  @return As kldve_heatmap_error().
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_cotangent(const kldve_heatmap *map, const double **values,
                                               int32_t *count);
/** One weight for each feature map, [maps].  For the reading `channel` it has its sign, which the
 * map does not use.  None for methods that do not weigh whole maps.
 *  @return As kldve_heatmap_error().
 *  @since 0.1 */
KLDVE_API kldve_status kldve_heatmap_weights(const kldve_heatmap *map, const double **values,
                                             int32_t *count);

/** Make one map from several of one picture, for example of several layers of a network.  Each map
 *  is upsampled to the size of the largest; their mean is normalised again, to 0..1, or around 0.5
 *  for signed maps.
 *  @param maps   [count], 1 or more, all signed or none; borrowed for the call.  The new map has
 *                the record, the timings, the logits and the arrays of the first.
 *  @param out    On KLDVE_OK a new heat map; free it with kldve_heatmap_free().
 *  @return KLDVE_OK, KLDVE_E_ARG, KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_fuse(kldve_ctx *ctx,
                                                           const kldve_heatmap *const *maps,
                                                           int32_t count, kldve_heatmap **out);

/** Free a heat map and the arrays behind it.  Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_heatmap_free(kldve_heatmap *map);

/** Upsample the map to width x height pixels, bilinear with half-pixel centres.  It covers what the
 *  network saw of the picture, see kldve_record.  Of a film `height` is that of all its frames
 *  below each other, and the map is interpolated over time, too.
 *  @param width,height  In pixels, 1 or more.
 *  @param ctx     Of the caller, for the message of a failure; nothing is allocated.
 *  @param stride  BYTES from one row of `out` to the next, a multiple of 4; negative: the rows
 *                 below lie before the first; 0: rows without gaps.
 *  @param out     [height][width], the caller's; the upper row begins here.
 *  @return KLDVE_OK, KLDVE_E_ARG (NULL, a side below 1, a stride that is shorter than a row, of a
 *          film a height that its frames do not divide).  Nothing is written after a failure.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_upsample(kldve_ctx *ctx,
                                                               const kldve_heatmap *map,
                                                               int32_t width, int32_t height,
                                                               ptrdiff_t stride, float *out);

/** What is drawn over the picture. */
typedef enum kldve_map_view {
    KLDVE_VIEW_DEFAULT = 0, /**< overlay */
    KLDVE_VIEW_OVERLAY = 1, /**< heat, the stronger the less transparent; none where the map is 0 */
    KLDVE_VIEW_MASKED = 2,  /**< the picture where the map is hot, dark grey elsewhere */
    KLDVE_VIEW_CONTOURS = 3, /**< lines of equal heat at 0.2, 0.4, 0.6 and 0.8 of the scale */
    KLDVE_VIEW_OUTLINE = 4   /**< around the smallest area that holds half of the map's sum */
} kldve_map_view;

/** The kldve_map_view of a name: "overlay", "masked", "contours", "outline".
 *  @param view  On KLDVE_OK a kldve_map_view.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (another name), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_map_view_from_name(const char *name, int32_t *view);

/** How the map becomes as large as the picture.  None leaves the range of the map.  Values are
 *  those of Pillow's Image.resize() of the same name, then clamped. */
typedef enum kldve_upsampling {
    KLDVE_UPSAMPLING_DEFAULT = 0,  /**< bicubic */
    KLDVE_UPSAMPLING_BILINEAR = 1, /**< shows the cells as ridges; as kldve_heatmap_upsample() */
    KLDVE_UPSAMPLING_BICUBIC = 2,
    KLDVE_UPSAMPLING_LANCZOS = 3
} kldve_upsampling;

/** The kldve_upsampling of a name: "bilinear", "bicubic", "lanczos".
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (another name), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_upsampling_from_name(const char *name, int32_t *upsampling);

/** How a map is drawn; all zero = defaults, of which kldve_heatmap_render_defaults() says what they
 *  are for a map.  docs/drawing.md has the formulas. */
typedef struct kldve_render_options {
    size_t struct_size;
    int32_t colormap; /**< a kldve_colormap; 0: diverging for a signed map, else plasma */
    /** Of the strongest heat over the picture, 0..1; 0 means 0.75, a negative number means no heat.
     *  The weaker the heat, the more transparent it is; where the map is zero the picture stays as
     *  it is. */
    float opacity;
    /** A fixed scale, for pictures that are compared or follow each other: the values of the map
     *  (kldve_record.low, high) at the two ends of the colours; what lies beyond is clamped.  low
     *  0 and high f is usual; of a signed map low is then -f.  Both 0: the map's own smallest and
     *  largest. */
    float low, high;
    int32_t view;       /**< a kldve_map_view; without a picture there is only the heat */
    int32_t upsampling; /**< a kldve_upsampling */
    /** The scale ends where this part of the cells lies above it, in percent of those that are not
     *  zero, below 100; they are drawn as the strongest heat.  0 means 2 for a map with a cell for
     *  each pixel of the network's input, of which a few extreme ones hide the rest, and no
     *  clipping for any other; negative: none.  Not together with a fixed scale. */
    float clip;
    /** Blur the map first by a Gaussian of this standard deviation, in pixels of the network's
     *  input, at most 1000; its largest value is the end of the scale again.  0 means none; for a
     *  map with a cell for each pixel in all views but the overlay, 1/40 of the input's shorter
     *  side. Negative: none. */
    float blur;
    /** Thickness in pixels of the frame around what the network saw of the picture and of the box
     *  of a picked row, and half of that of contours and outlines; at most 1000.  0 means 1 and one
     *  more for each 800 pixels of the shorter side; negative: the same, but no frame. */
    int32_t line;
    /** kldve_heatmap_render(): a picture whose longer side is below half of this is enlarged by the
     *  smallest whole factor that brings it to this size, up to 16384.  0 means 256; negative: the
     *  result always has the picture's size. */
    int32_t side;
    /** Of a film, 1 and up: draw this frame alone; `picture` is that frame.  Its scale is that of
     *  the whole film.  0: all frames below each other. */
    int32_t frame;
    /** KLDVE_VIEW_MASKED and _OUTLINE: the share of the map's sum that is shown or lies inside of
     *  the line, above 0, below 1; 0 means 0.5.  Of a signed map the sum is that of magnitudes. */
    float part;
} kldve_render_options;
#define KLDVE_RENDER_OPTIONS_INIT KLDVE_INIT(kldve_render_options)

/** What kldve_heatmap_render() makes of options: every 0 that is a default replaced by what it
 *  stands for with this map and picture.  The same picture is drawn with the result.
 *  @param ctx      Of the caller, for the message of a failure.
 *  @param width,height  Pixels of the picture, for `line` and `side`; 0: the map alone.
 *  @param options  NULL means defaults.
 *  @param out      The caller's; set its struct_size first.
 *  @return As kldve_heatmap_render(), but never KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_render_defaults(
    kldve_ctx *ctx, const kldve_heatmap *map, int32_t width, int32_t height,
    const kldve_render_options *options, kldve_render_options *out);

/** Draw the map.
 *  @param ctx      Of the caller, for memory and for the message of a failure.
 *  @param picture  The picture that was explained, of a film all frames below each other, or one
 *                  with options->frame.  The result has its size, or a multiple of it where it is
 *                  small (options->side), each pixel a square.  The heat lies where the network
 *                  looked; a thin line, light and dark, surrounds that part where it did not see
 *                  all, and the box of a row that was picked is outlined.  NULL: the map alone, in
 *                  the size of the network's input (16 times that of a map that
 *                  kldve_explain_arrays() made) or a multiple of it.
 *  @param options  NULL means defaults.
 *  @param out      On KLDVE_OK a new picture; free it with kldve_image_free().
 *  @return KLDVE_OK, KLDVE_E_ARG (an option out of its range), KLDVE_E_UNSUPPORTED (an option that
 *          this library does not have), KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_render(kldve_ctx *ctx,
                                                             const kldve_heatmap *map,
                                                             const kldve_image *picture,
                                                             const kldve_render_options *options,
                                                             kldve_image **out);

/** kldve_heatmap_render() and kldve_image_save() in one: each row is drawn when it is written, so
 *  that nothing of the size of the drawing is held but the bytes of the file.
 *  @param picture  As for kldve_heatmap_render(); NULL: the map alone.
 *  @param options  Borrowed for the call; NULL means defaults.
 *  @param path     As for kldve_image_save().
 *  @param quality  As for kldve_image_save().
 *  @return What the two return.  After a failure an existing file is unchanged.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_heatmap_save(kldve_ctx *ctx, const kldve_heatmap *map,
                                                           const kldve_image *picture,
                                                           const kldve_render_options *options,
                                                           const char *path, int32_t quality);

/** kldve_heatmap_render() into the caller's memory; nothing of the size of the picture is
 * allocated.
 *  @param picture  May be the caller's own memory (kldve_image_borrow()), and even that of `dest`
 *                  in the same format: then it is drawn upon in place.  Other overlaps are not
 *                  allowed.  NULL: the map alone, in the size of `dest`.
 *  @param dest     Described by the caller; what it points to is written, in any format but YUV. Of
 *                  the size of the picture, or a whole multiple of it.  Alpha is that of the
 * picture, 255 where it has none.
 *  @return As kldve_heatmap_render(); KLDVE_E_ARG also where `dest` is not valid pixels
 *          (kldve_image_from_pixels()) or not of the picture's size; KLDVE_E_UNSUPPORTED also for
 *          YUV.  Nothing is written after a failure.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status
kldve_heatmap_render_into(kldve_ctx *ctx, const kldve_heatmap *map, const kldve_image *picture,
                          const kldve_render_options *options, const kldve_pixels *dest);

/** The names of the library's methods, by number from 0.  What each needs and where it comes from:
 *  kldve_method_at() in method.h.
 *  @param name  Static storage.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (past the last), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_method_name(int32_t index, const char **name);

/** The kldve_reading of a name: "paper", "channel", "contrast", "rivals", "neighbours".
 *  @param name     In lower case.
 *  @param reading  On KLDVE_OK a kldve_reading.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (another name), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_reading_from_name(const char *name, int32_t *reading);

/** The name of a kldve_reading, or NULL if there is no such reading.  Static storage.
 *  @param reading  A kldve_reading.
 *  @since 0.1 */
KLDVE_API const char *kldve_reading_name(int32_t reading);

#ifdef __cplusplus
}
#endif
#endif
