/* tool.h - what the files of the kldve command share.  They use the public headers only. */
#ifndef KLDVE_TOOLS_TOOL_H
#define KLDVE_TOOLS_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <kldve/method.h>
#include <kldve/onnx.h>

#include "args.h"
#include "base/whole_file.h"
#include "pace.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };
enum { MESSAGE_SIZE = 1024, LABEL_SIZE = 256 };

/* ---- message.c ---------------------------------------------------------------------------- */

/** "kldve: ..." as one line on standard error, through clean_text(). */
void complain(const char *format, ...) KLDVE_PRINTF(1, 2);

/** From now on keep the first complaint of this thread in `line`, of `size` bytes, and print none:
 *  somebody else will say it.  NULL: print them again. */
void complain_into(char *line, size_t size);

/** Whether the terminal shows a line of progress, which a complaint then clears first. */
void complain_over_line(bool drawn);

/** Say why the last call on `ctx` failed, as "kldve: FILE: why".  `file` is what the call was
 *  about; a message that already begins with its name is printed unchanged. */
void complain_ctx(const kldve_ctx *ctx, const char *file, kldve_status status);

/** kldve_printable(), for all that people read: a terminal, a sheet, a page. */
void clean_text(const char *text, char *out, size_t size);

/** Write clean_text() of any length to a stream. */
void print_text(FILE *to, const char *text);

/** "wrote FILE", as a line. */
void print_wrote(FILE *to, const char *path);

/** Copy `text` as it is, but for bytes that are not UTF-8, each of which becomes U+FFFD: for
 *  programs.  At most `size` bytes with its NUL; 3 * strlen(text) + 1 are enough. */
void valid_text(const char *text, char *out, size_t size);

/** Add a name to a list for people, "a, b, c"; `list` begins as "" and has room for `size` bytes,
 *  which cut it. */
void list_name(char *list, size_t size, const char *name);

/** The name of a file without its folders, within `path`. */
const char *base_name(const char *path);

/** Milliseconds of a clock that only goes forward. */
double now_ms(void);

/* ---- progress.c --------------------------------------------------------------------------- */

/** One line on a terminal that shows how far long work has come: what is being done, how much of it
 *  is done, and how long the rest will take. */
typedef struct progress {
    bool shown;             /**< standard error is a terminal and nobody asked for quiet */
    bool drawn;             /**< the line is not empty */
    double begin, painted;  /**< when the work began, and when the line was last drawn, ms */
    char step[LABEL_SIZE];  /**< the part of the work in progress, "" if it has no parts */
    char stage[LABEL_SIZE]; /**< what the library is doing, "" if it has not said */
    int64_t done, of;       /**< of progress_count(); of = 0: the work is one piece */
    double part;            /**< of the piece in progress, 0 to 1 */
    bool has_part;          /**< the library says how far it is */
    pace pace;              /**< of all pieces, or of the stage */
} progress;

/** Show the progress of `ctx` if standard error is a terminal and not `quiet`. */
void progress_begin(progress *p, kldve_ctx *ctx, bool quiet);
/** What comes now, for people: "explaining cat.jpg with rise"; copied as clean text. */
void progress_step(progress *p, const char *format, ...) KLDVE_PRINTF(2, 3);
/** So many of equal pieces of the work are done; the time that is left is that of all of them.
 *  of = 0: from now on the work is one piece again. */
void progress_count(progress *p, int64_t done, int64_t of);
/** What the line says of that in words, for a log: "412/1000, 41 %, 18 s left". */
void progress_figures(const progress *p, char *out, size_t size);
/** Clear the line, also before anything is printed; complain() does it by itself.  The next piece
 *  of news draws it again. */
void progress_end(progress *p);

/* ---- choices.c: names that options choose from -------------------------------------------- */

/** Names for arg_option.choice, NULL past the last: "RGB" ..., the library's methods, the readings
 *  (from 1), the colour maps (from 1), the signs (from 1). */
const char *channels_choice(int32_t index);
const char *fit_choice(int32_t index);
const char *interpolation_choice(int32_t index);
const char *method_choice(int32_t index);
const char *reading_choice(int32_t index);
const char *colormap_choice(int32_t index);
const char *sign_choice(int32_t index);
const char *scores_choice(int32_t index); /* "softmax" ..., in the order of kldve_scores */

/** What a reading of reading_choice() shows, in ten words; "" past the last. */
const char *reading_words(int32_t index);

/** The kldve_reading where none is given, with and without --truth. */
int32_t reading_default(bool with_truth);

/** Add the readings of a kldve_method.readings to a list, see list_name(). */
void list_readings(uint64_t readings, char *list, size_t size);

/* ---- unread.c: options that would change nothing ------------------------------------------- */

/** One method that is asked for. */
typedef struct method_use {
    const kldve_method *method;
    int32_t reading; /**< a kldve_reading; 0: it has none */
} method_use;

/** Refuse the first option of `given` (KLDVE_OPTION_*) that changes the map of no method of the
 *  list, saying which methods or readings it is for.  EXIT_DONE, or EXIT_USAGE after a message. */
int unread_options(const char *command, uint64_t given, const method_use *use, int32_t uses);
/** Whether the map of a method depends on an option (KLDVE_OPTION_*). */
bool read_option(const method_use *use, uint64_t option);
/** Refuse --OPTION, which is about the layer, where no method of the list looks at one. */
int unread_layer(const char *command, const char *option, const method_use *use, int32_t uses);
/** Refuse --rival with a method, or a reading, whose map does not depend on the other class. */
int unread_rival(const char *command, const method_use *use);

/** Add the names of options (KLDVE_OPTION_*) to a list, see list_name(). */
void list_options(uint64_t read, char *list, size_t size);

/** Refuse --reading, because `methods` (names, for the message) have none.  EXIT_USAGE. */
int unread_reading(const char *command, const char *methods);

/* ---- npy_read.c: arrays that come from outside ------------------------------------------------
 */

enum { NPY_RANK = 8 };

typedef struct npy_array {
    int32_t rank;
    int64_t dim[NPY_RANK];
    size_t count;  /**< product of the dimensions */
    bool whole;    /**< the file holds integers */
    double *value; /**< [count], row-major, whatever the order in the file */
} npy_array;

/** Read an array of floating-point numbers, integers or bools; it may hold NaN.  False after a
 *  message; else free it with npy_free(). */
bool npy_read(const char *path, npy_array *out);
/** Its elements as float32; free them with free().  NULL after a message. */
float *npy_floats(const npy_array *array);
/** Accepts an empty one. */
void npy_free(npy_array *array);

/* ---- networks.c: a network with its card and labels --------------------------------------- */

/** What the command line says about the network; 0 and NULL: nothing. */
typedef struct network_args {
    const char *model; /**< NULL: the built-in one */
    const char *title; /**< what to call it beside others; NULL: after its file */
    const char *card, *layer, *logits, *select, *labels;
    int32_t scores;   /**< 1 + a kldve_scores */
    int32_t channels; /**< 1 + a kldve_channels */
    double scale;
    arg_numbers mean, std;
    int32_t resize, crop;
    int32_t fit, interpolation; /**< 1 + a kldve_fit, 1 + a kldve_interpolation */
    arg_numbers pad;            /**< the colour of the padding */
    arg_size grid;              /**< HxW, cells of a layer of tokens: `width` has H */
    arg_size size;              /**< of an input that the network leaves open */
    int32_t threads;
    bool deterministic;
    uint64_t flags; /**< KLDVE_ONNX_* */
    int32_t batch;  /**< of kldve_onnx_options */
    bool as_it_is;  /**< the input is an array: nothing is prepared */
    const char *picture_input, *layout;
    int32_t item;           /**< of `array`, which is a batch, 1 + the picture; 0: not given */
    int32_t frames;         /**< pictures given, of a film; 0: not known */
    arg_list input, dim;    /**< "NAME=FILE.npy" or "NAME=NUMBER"; "NAME=N" */
    const npy_array *array; /**< that will be explained; NULL: a picture */
    bool quiet;
    bool copy; /**< the files are read, not mapped */
} network_args;

typedef struct network {
    kldve_ctx *ctx;   /**< borrowed */
    const char *name; /**< the model's path, or a name for the built-in one */
    kldve_onnx *net;
    kldve_explainer *explainer;
    kldve_card *card;     /**< NULL: none */
    kldve_labels *labels; /**< NULL: none */
    kldve_shape shape;
    const char *layer, *logits; /**< names of tensors, borrowed from `net` */
    const char *select;         /**< part of a tensor that has the scores, as given; or NULL */
} network;

/** Options of every command with a network.  `member` is the network_args in the struct `type`. */
#define NETWORK_OPTIONS(type, member)                                                              \
    OPTION_STRING(                                                                                 \
        "card", offsetof(type, member.card), "FILE.json",                                          \
        "model card, or the name of a ready one; default: NAME.card.json beside NAME.onnx"),       \
        OPTION_STRING("layer", offsetof(type, member.layer), "NAME",                               \
                      "tensor to explain; default: the card's, or the last with cells"),           \
        OPTION_STRING("logits", offsetof(type, member.logits), "NAME",                             \
                      "tensor with the class scores; default: the card's or the output"),          \
        OPTION_STRING("select", offsetof(type, member.select), "PART",                             \
                      "class scores as a part of a tensor, 'NAME[0, 4:84, 1234]'"),                \
        OPTION_CHOICE("scores", offsetof(type, member.scores), "KIND",                             \
                      "what the scores are; default: the card's, or what the file says",           \
                      scores_choice),                                                              \
        OPTION_SIZE("grid", offsetof(type, member.grid), "N|HxW",                                  \
                    "rows and columns of the layer's tokens", 1, 65535),                           \
        OPTION_SIZE("size", offsetof(type, member.size), "N|WxH",                                  \
                    "size of an input that the network leaves open or takes as a row", 1, 65535),  \
        OPTION_LIST("dim", offsetof(type, member.dim), "NAME=N",                                   \
                    "another dimension that it leaves open; repeat for more"),                     \
        OPTION_STRING("picture-input", offsetof(type, member.picture_input), "NAME",               \
                      "which of several inputs is the picture"),                                   \
        OPTION_STRING("layout", offsetof(type, member.layout), "LETTERS",                          \
                      "axes of its input: N batch, C channels, T frames, H rows, W columns"),      \
        OPTION_LIST("input", offsetof(type, member.input), "NAME=FILE.npy",                        \
                    "value of another input, or NAME=NUMBER; repeat for more"),                    \
        OPTION_FLAG("deterministic", offsetof(type, member.deterministic),                         \
                    "same bits with any threads, whatever oneDNN would choose; slower"),           \
        OPTION_FLAG("copy", offsetof(type, member.copy),                                           \
                    "read its files instead of mapping them: they may change meanwhile")

/** How pictures become the network's input; these options win over the card. */
#define NETWORK_INPUT_OPTIONS(type, member)                                                        \
    OPTION_CHOICE("channels", offsetof(type, member.channels), "ORDER",                            \
                  "order of the channels of the network's input", channels_choice),                \
        OPTION_NUMBER("scale", offsetof(type, member.scale), "X",                                  \
                      "value = (pixel * scale - mean) / std", 1e-30, 1e30),                        \
        OPTION_NUMBERS("mean", offsetof(type, member.mean), "A,B,C",                               \
                       "one for each channel, or one for all", -1e30, 1e30),                       \
        OPTION_NUMBERS("std", offsetof(type, member.std), "A,B,C",                                 \
                       "one for each channel, or one for all", 1e-30, 1e30),                       \
        OPTION_INT("resize", offsetof(type, member.resize), "N",                                   \
                   "resize the shorter side to N pixels", 1, 65535),                               \
        OPTION_INT("crop", offsetof(type, member.crop), "N",                                       \
                   "then cut out the centre square of N pixels", 1, 65535),                        \
        OPTION_CHOICE("fit", offsetof(type, member.fit), "HOW",                                    \
                      "a picture of another shape; default: the card's, or crop", fit_choice),     \
        OPTION_CHOICE("interpolation", offsetof(type, member.interpolation), "NAME",               \
                      "of resizing; default: the card's, or bilinear", interpolation_choice),      \
        OPTION_NUMBERS("pad", offsetof(type, member.pad), "A,B,C",                                 \
                       "colour around a padded picture, 0 to 255; default: the mean", 0, 255)

/** Limits of the library, of every command that runs networks: given_limits.c. */
#define LIMIT_OPTION(at)                                                                           \
    OPTION_LIST("limit", at, "NAME=N",                                                             \
                "a limit of the library, as messages name it; repeat for more")

/** Refuse what --limit does not take.  EXIT_DONE, or EXIT_USAGE after a message. */
int limits_check(const char *command, const arg_list *given);
/** Set the limits that were given and checked; false after a message. */
bool limits_set(kldve_ctx *ctx, const arg_list *given);

/** Have the engine plan what methods with these needs (KLDVE_NEED_*) require, and no more, because
 *  planning takes time and memory. */
void network_plan_for(network_args *args, uint64_t needs);
/** given_inputs.c: what --dim, --input and a card say, for the engine. */
typedef struct given_inputs {
    kldve_onnx_dim *dim;      /**< [dims], by options and by the card */
    kldve_onnx_input *input;  /**< [inputs], the same */
    npy_array *array;         /**< [inputs] */
    double *number;           /**< [inputs] */
    char (*name)[LABEL_SIZE]; /**< [inputs + dims], of those by options */
    int32_t dims, inputs;
    float *pictures; /**< of a batch; NULL without one */
} given_inputs;

/** Check their form.  EXIT_DONE, or EXIT_USAGE after a message. */
int given_check_args(const char *command, const network_args *args);
/** Read them into options; false after a message.  Free what was given in either case. */
bool given_read(given_inputs *given, const network_args *args, const kldve_card *card,
                kldve_onnx_options *options);
void given_free(given_inputs *given);
/** The file of an --input, NULL if it is a number. */
const char *given_file(const char *text);

/** What to call a network before it is loaded: its path, or words for the built-in one. */
const char *network_called(const network_args *args);

/** tensor_hint.c: after a failure to load a network because of a --layer, --logits or --select that
 *  it does not have, say which of its names are like it.  False: nothing was said. */
bool tensor_hint_say(const network *n, const network_args *args, const kldve_onnx_options *options,
                     const kldve_onnx_files *demo);

/** Find mistakes that show before any file is read.  EXIT_DONE, or EXIT_USAGE after a message. */
int network_check_args(const char *command, const network_args *args);

/** Load network and card.  False after a message. */
bool network_load(network *n, kldve_ctx *ctx, const network_args *args);

/** Make the explainer, set how it prepares pictures, read the labels.  False after a message. */
bool network_prepare(network *n, const network_args *args);

/** A second explainer of a prepared network, for another thread: its context is `ctx`, its weights,
 *  card and labels are those of `of`, which outlives it.  False after a message; free
 *  out->explainer alone. */
bool network_twin(const network *of, const network_args *args, kldve_ctx *ctx, network *out);

/** Say on standard error what the engine chose (kldve_onnx_note()), and what was assumed where
 *  neither the card nor the options say it.  It belongs to a result: a failure is one line. */
void network_say_assumptions(const network *n, const network_args *args);

/** Say that --threads is far more than the machine has processors, where it is. */
void threads_say(int32_t threads, bool quiet);

void network_free(network *n);

/** network_labels.c: read the labels that options or card name.  False after a message. */
bool network_load_labels(network *n, const network_args *args);
/** The label of a class as clean text; NULL if the network has no labels.  A network with one score
 *  always has: its labels, "yes" and "no", or "the number". */
const char *network_label(const network *n, int32_t index, char out[LABEL_SIZE]);

/* ---- classes.c: classes by their scores, and by their names on the command line ----------- */

enum { TOP = 5 };

/** The classes with the largest logits, in falling order; among equals the lower index first.
 *  Returns how many: TOP, or `count` if that is less. */
int32_t classes_top(const float *logits, size_t count, int32_t top[TOP]);

/** The probability of a class; NaN where the network gives a number. */
double classes_probability(const kldve_heatmap *map, int32_t index);

/** How the scores of a network become probabilities, as a clause for people; NULL where nothing
 *  needs to be said: the network itself ends in the softmax, or the sigmoid of one score. */
const char *scores_meaning(const kldve_shape *shape);
/** Whether each of several classes has a probability by itself. */
bool scores_are_independent(const kldve_shape *shape);
/** What is asked of a number: "why so high" of index 0, "why not higher" of index 1. */
const char *number_question(int32_t index);

/** Options of an explanation that is made for its scores only. */
void classes_ask(const network *n, kldve_options *o);

/** "top2", an index, a label, given by --`option` -> the target in *o.  False after a message. */
bool classes_target(const network *n, const char *option, const char *text, kldve_options *o);

/* ---- guard.c: no output takes the place of an input or of another output ------------------ */

typedef struct guard_output {
    const char *option; /**< "-o", for the message */
    const char *path;   /**< NULL: not wanted; "-" is standard output */
} guard_output;

/** Refuse outputs that are `input` (NULL: none), by whatever name or link, or each other.
 * EXIT_DONE, or EXIT_USAGE after a message. */
int guard_input(const char *command, const char *input, const guard_output *outputs, int32_t count);
int guard_outputs(const char *command, const guard_output *outputs, int32_t count);
/** Find those that cannot be written before the work, see output_can_write().  EXIT_DONE, or
 *  EXIT_FAILED after a message. */
int guard_writable(const guard_output *outputs, int32_t count);

/** guard_input() of every file of a network that is known before it is loaded: model, card, labels.
 */
int guard_network(const char *command, const network_args *args, const guard_output *outputs,
                  int32_t count);
/** NAME.card.json beside NAME.onnx; free it with free().  NULL: out of memory. */
char *card_beside(const char *model);

/* ---- given_truth.c: another network's scores as the truth of the divergence --------------- */

typedef struct truth {
    network net;
    double *score;       /**< [classes], for kldve_options.truth: of the last picture */
    double *probability; /**< [classes], of the same */
} truth;

/** Check --truth, which may be NULL: its form is "model:FILE", and the reading (a kldve_reading, or
 *  0) must be about the truth.  EXIT_DONE, or EXIT_USAGE after a message. */
int truth_check_args(const char *command, const char *text, int32_t reading);
/** guard_network() of that network.  `text` passed truth_check_args(). */
int truth_guard(const char *command, const char *text, const guard_output *outputs, int32_t count);
/** Load that network.  False after a message; free the truth in either case. */
bool truth_load(truth *t, kldve_ctx *ctx, const char *text, int32_t threads);
/** network_say_assumptions() of that network. */
void truth_say_assumptions(const truth *t, bool quiet);
/** Whether it and `n` have equally many classes.  False after a message. */
bool truth_fits(const truth *t, const network *n);
/** Run it on a picture, or on `input`, an input of its, where that is not NULL.  False after a
 *  message. */
bool truth_score(truth *t, const kldve_image *picture, const float *input);
void truth_free(truth *t);

/* ---- input.c ------------------------------------------------------------------------------ */

/** Open a file to read it; a pipe only where it is open already (base/open_input.h).  -1, or NULL,
 *  after a message. */
int input_open(const char *path);
FILE *input_file(const char *path);

/** Whether a path names a pipe that the process has open, as <(...) of a shell does. */
bool input_is_pipe(const char *path);
/** Call it before the library reads what a path names.  False after a message: it is a pipe, and
 *  was read before. */
bool input_take(const char *path);

/* ---- output.c, npy.c: every file appears whole or not at all ------------------------------- */

typedef struct output_part {
    const void *bytes;
    size_t nbytes;
} output_part;

/** Write a file from its parts, under another name first.  A path that exists and is not a regular
 *  file, such as a pipe, is written to directly; "-" is standard output.  False after a message. */
bool output_write(const char *path, const output_part *part, size_t parts);

/** Whether a file can be written as far as that shows before it is: its folder is there, and may be
 *  written to.  False after a message. */
bool output_can_write(const char *path);
/** The same of a folder that exists or will be made. */
bool output_can_make_folder(const char *path);

/** A file that is written piece by piece and appears whole or not at all. */
typedef struct output_stream {
    FILE *file;             /**< write to it; errors show in output_end() */
    char *target;           /**< NULL: it is written to directly */
    kldve_whole_file whole; /**< of the target */
    int mode;               /**< of the file that is replaced; -1: there is none */
} output_stream;

/** Begin.  "-" and what is no regular file are treated as by
 *  output_write().  False after a message. */
bool output_begin(output_stream *o, const char *path);
/** Have a file that is not written directly appear under another name, on the same file system.
 *  False after a message. */
bool output_rename(output_stream *o, const char *path);
/** End; with `keep` the file appears, else nothing is left.  False after a message. */
bool output_end(output_stream *o, bool keep);

/** Whether a path ends in one of a list, ".png", ".jpg", NULL, in any case, and is not only that.
 */
bool path_has_ending(const char *path, const char *const *endings);

/** Whether everything printed so far reached standard output.  False after a message. */
bool output_flush(void);

/** Make a folder unless it exists; *made says whether this call did.  False after a message. */
bool output_folder(const char *path, bool *made);

typedef enum npy_type { NPY_FLOAT32, NPY_FLOAT64 } npy_type;

/** Write an array of `rank` 1 to 3, C order, as a .npy file.  False after a message. */
bool npy_write(const char *path, npy_type type, int32_t rank, const size_t *dim, const void *data);

/* ---- methods.c, metrics.c: all about one name, for kldve help ---------------------------------
 */

/** Print it.  False: there is none of this name. */
bool method_help(const char *name);
bool reading_help(const char *name);
bool metric_help(const char *name);

/* ---- the commands ------------------------------------------------------------------------- */

extern const arg_command explain_command, compare_command, report_command, diff_command,
    methods_command, metrics_command, layers_command, cards_command, evaluate_command,
    results_command, merge_command;

#endif
