/* grid.h - every picture x network x method x target, explained: what `kldve compare` and
 * `kldve report` show.  Begin with grid_read_args(), then grid_run(), then walk with
 * grid_prediction_at() and grid_cell_at(). */
#ifndef KLDVE_TOOLS_GRID_H
#define KLDVE_TOOLS_GRID_H

#include <kldve/method.h>
#include <kldve/metrics.h>

#include "cli/drawing.h"
#include "cli/pick.h"
#include "cli/tool.h"

typedef struct grid_method grid_method;

/* ---- the command line --------------------------------------------------------------------- */

/** What the command line says.  It must be the FIRST member of the struct that a command's table
 *  fills, so that grid_next_network() finds it. */
typedef struct grid_args {
    /** The network that is being read: the last --model, or before the first --model what all
     * networks share. */
    network_args reading_network;
    network_args *network; /**< in the order given; without any, [0] is the built-in one */
    int32_t networks;
    arg_list method;   /**< NAME or NAME:READING; none: kl-dve */
    arg_list target;   /**< as for explain; none: top1 */
    int32_t reading;   /**< 1 + number, for methods that name none; 0: not given */
    int32_t sign;      /**< a kldve_sign */
    pick pick;         /**< --at, --over, --box: the same for all networks */
    const char *truth; /**< "model:FILE"; NULL: one-hot */
    double temperature, perplexity, neighbour_perplexity; /**< 0: not given */
    arg_list limit;
    bool quiet;
    arg_list picture;
    network_args shared; /**< what was given before the first --model */
} grid_args;

/** Options of every command that explains with several networks and methods.  `member` is the
 *  grid_args in the struct `type`.  In the command's arg_command: .next = grid_next_network. */
#define GRID_METHOD_OPTIONS(type, member)                                                          \
    OPTION_GROUP("What to explain:"), OPTION_REST(offsetof(type, member.picture)),                 \
        OPTION_NEXT("model", offsetof(type, member.reading_network.model), "FILE",                 \
                    "a network, .onnx; repeat for more; default: the built-in one"),               \
        OPTION_LIST("method", offsetof(type, member.method), "NAME",                               \
                    "repeat for more; NAME:READING for one reading; default kl-dve"),              \
        OPTION_CHOICE("reading", offsetof(type, member.reading), "NAME",                           \
                      "for methods that have readings and name none; default neighbours",          \
                      reading_choice),                                                             \
        OPTION_LIST("target", offsetof(type, member.target), "CLASS",                              \
                    "top1 (default), top2 ..., an index or a label; repeat for more"),             \
        OPTION_CHOICE("sign", offsetof(type, member.sign), "WHICH",                                \
                      "values that count; default: what the method's authors show", sign_choice),  \
        PICK_OPTIONS(type, member.pick),                                                           \
        OPTION_NUMBER("temperature", offsetof(type, member.temperature), "T",                      \
                      "divide the logits by T; default 1", 1e-6, 1e6),                             \
        OPTION_NUMBER("perplexity", offsetof(type, member.perplexity), "P",                        \
                      "perplexity of the truth's affinities; default 30", 1.001, 1e9),             \
        OPTION_NUMBER("neighbour-perplexity", offsetof(type, member.neighbour_perplexity), "P",    \
                      "how many rivals count in the reading neighbours", 1.001, 1e9)

/** The options of the networks, and what holds for all. */
#define GRID_NETWORK_OPTIONS(type, member)                                                         \
    OPTION_GROUP("For the network before it (before the first network: for all of them):"),        \
        OPTION_STRING("name", offsetof(type, member.reading_network.title), "TEXT",                \
                      "what to call the network; default: as its card or its file"),               \
        NETWORK_OPTIONS(type, member.reading_network),                                             \
        OPTION_STRING("labels", offsetof(type, member.reading_network.labels), "FILE",             \
                      "names of the classes, one on each line"),                                   \
        NETWORK_INPUT_OPTIONS(type, member.reading_network), OPTION_GROUP("General:"),             \
        OPTION_INT("threads", offsetof(type, member.reading_network.threads), "N",                 \
                   "default: one for each core", 1, 1024),                                         \
        LIMIT_OPTION(offsetof(type, member.limit)),                                                \
        OPTION_FLAG("quiet", offsetof(type, member.quiet), "print failures only")

/** Options of every command that explains a grid, to be followed by the command's own. */
#define GRID_OPTIONS(type, member)                                                                 \
    GRID_METHOD_OPTIONS(type, member),                                                             \
        OPTION_STRING("truth", offsetof(type, member.truth), "model:FILE",                         \
                      "another network's scores as the truth of kl-dve"),                          \
        GRID_NETWORK_OPTIONS(type, member)

/** For arg_command.next: store what was read for the network before. */
bool grid_next_network(void *values);

/** Parse a command line into `values`, whose first member is a grid_args and which the caller has
 *  set to its defaults.
 *  @return EXIT_DONE or the exit status; *go says whether there is something to run. */
int grid_read_args(const arg_command *command, int argc, char **argv, void *values, bool *go);

/** What follows args_parse() in a command whose positional arguments are its own: the networks are
 *  complete, and all that shows before any file is read is checked.  EXIT_DONE, or the exit status
 *  after a message. */
int grid_finish_args(const arg_command *command, grid_args *args);

/** Free what the arguments hold, after grid_read_args() or args_parse() in any case. */
void grid_free_args(const arg_command *command, grid_args *args);

/** Refuse colours that suit the maps of none of the methods, after grid_read_args().  EXIT_DONE, or
 *  EXIT_USAGE after a message. */
int grid_check_colours(const arg_command *command, const grid_args *args, const drawing *d);

/** Refuse to write over a file that the command reads, see guard.c.  EXIT_DONE, or EXIT_USAGE after
 *  a message. */
int grid_guard(const arg_command *command, const grid_args *args, const guard_output *outputs,
               int32_t count);

typedef enum grid_method_error {
    GRID_METHOD_OK,
    GRID_NO_METHOD,        /**< no method of that name */
    GRID_TAKES_NO_READING, /**< the method has no readings */
    GRID_NO_READING        /**< no reading of that name */
} grid_method_error;

/** The reading of methods that name none. */
int32_t grid_reading(const grid_args *args);

/** NAME or NAME:READING -> *out; `reading` for a method with readings that names none, 0 for the
 *  default.  Title and id are there on success only. */
grid_method_error grid_read_method(const char *text, int32_t reading, grid_method *out);

/* ---- the grid ----------------------------------------------------------------------------- */

typedef struct grid_picture {
    const char *path;      /**< to open it */
    const char *shown;     /**< in figures: as given, or without folders of this machine */
    char name[LABEL_SIZE]; /**< without folder and ending, clean */
    int32_t width, height; /**< of the file, pixels */
    kldve_image *image;    /**< scaled down to the side given to grid_run() */
    bool shrunk;           /**< whether it was scaled down */
    kldve_image *whole;    /**< as it was before; NULL: the same, or to be read again */
} grid_picture;

typedef struct grid_network {
    const network_args *args;
    network net;           /**< net.labels, net.layer, net.shape ... */
    const char *shown;     /**< in figures: its file as given, or without folders */
    char file[LABEL_SIZE]; /**< `name` before it was made unique */
    char name[LABEL_SIZE]; /**< from --name, or the card's, or the file's without folder and .onnx;
                                clean, and made unique with the layer or a number */
} grid_network;

struct grid_method {
    const kldve_method *method;
    int32_t reading;        /**< a kldve_reading, 0 for methods without */
    char title[LABEL_SIZE]; /**< for people: "KL-DVE neighbours", "Grad-CAM++" */
    char id[LABEL_SIZE];    /**< for programs: "kl-dve:neighbours", "grad-cam++" */
};

typedef struct grid_class {
    int32_t index;
    float logit;
    double probability; /**< NaN: `logit` is a number, of no class */
} grid_class;

/** What one network says of one picture. */
typedef struct grid_prediction {
    grid_class top[TOP];            /**< by falling logit; of a number it alone */
    int32_t tops;                   /**< how many of them there are */
    int32_t against[TOP], againsts; /**< with a truth: classes on whose probability the two differ
                                         most, and how many */
    double own[TOP];                /**< the network's probability of each */
} grid_prediction;

/** One map. */
typedef struct grid_cell {
    int32_t picture, network, method, target; /**< places in the grid */
    /** kldve_heatmap_values(): the map; kldve_heatmap_upsample(): any size;
     *  kldve_heatmap_render(map, picture.image, ...): drawn.  NULL: the network does not allow this
     *  method, or numbers are not finite, which was said; then only the places, `why` and
     *  record.flags hold. */
    kldve_heatmap *map;
    kldve_record record;  /**< record.target: the class; record.seen_*: where the map lies */
    grid_class explained; /**< the class of record.target */
    bool is_signed;       /**< 0.5 of the map is zero: draw it with the diverging colours */
    double ms;            /**< wall clock of this explanation */
    double likeness;      /**< correlation with the first network's map of the same picture,
                               method and target; NaN without both, or where one is flat */
    double *metric;       /**< [metrics]; NaN where the map has no such number, as a flat one */
    char why[LABEL_SIZE]; /**< why there is no map, clean; "" if there is one */
} grid_cell;

/** The target that stands for what a picture should have been called, where somebody knows it. */
#define GRID_EXPECTED "expected"

/** What the truth says of one picture. */
typedef struct grid_truth {
    double *probability; /**< [classes] */
    int32_t best;        /**< the class with the largest */
} grid_truth;

typedef struct grid {
    kldve_ctx *ctx; /**< borrowed */
    bool has_truth;
    truth truth;            /**< its network */
    grid_truth *truth_says; /**< [pictures] */
    pick pick;              /**< which scores are explained */
    pick_mask mask;         /**< of --over */
    grid_picture *picture;
    grid_network *network;
    grid_method *method;
    const char *const *target; /**< as given, "top1" */
    const int32_t *expected;   /**< [networks]: the class of GRID_EXPECTED, -1: nobody knows;
                                    NULL: that is a label as any other */
    int32_t before, of;        /**< pictures of a series before this one, and all of them */
    bool told;                 /**< what holds for the whole series was said */
    int32_t pictures, networks, methods, targets;
    int32_t metrics;             /**< map_metric(0) .. map_metric(metrics - 1) */
    double *values;              /**< what cell.metric points to */
    grid_prediction *prediction; /**< [pictures][networks] */
    grid_cell *cell;             /**< [pictures][networks][methods][targets] */
} grid;

/** Explain everything; shows progress on `p` (which the caller begins and ends).
 *  @param side  keep pictures at most this many pixels wide and high; 0: as they are.
 *  @return false after a message; free the grid in either case. */
bool grid_run(grid *g, kldve_ctx *ctx, const grid_args *args, int32_t side, progress *p);

/** A series: one picture after another in a grid of one, for more of them than memory has room for.
 *  Begin with grid_begin_series(); after each grid_take() its picture is in place 0.
 *  @param of        How many pictures there will be.
 *  @param expected  [networks], of the next picture whenever one is taken, see grid.expected.
 *  @return false after a message; free the grid in either case. */
bool grid_begin_series(grid *g, kldve_ctx *ctx, const grid_args *args, int32_t of,
                       const int32_t *expected, progress *p);
/** The next picture.  False after a message about this picture: it is skipped, and others can
 *  follow.
 *  @param shown  What figures call it; outlives the next call, as `path` does. */
bool grid_take(grid *g, const grid_args *args, const char *path, const char *shown, int32_t side,
               progress *p);
/** Say what was assumed, what the maps of the last picture say of themselves, and what was left
 * out; what holds for all pictures once.  It belongs to a picture that grid_take() took. */
void grid_tell(grid *g, const grid_args *args, progress *p);

void grid_free(grid *g);

/** folder/cat.jpg -> cat, clean. */
void grid_stem(const char *path, char out[LABEL_SIZE]);

/** What the command line and a method ask of one explanation: all but the target. */
void grid_set_options(const grid_args *args, const grid_method *method, kldve_options *o);

/** What a command does with a grid. */
typedef struct grid_task {
    size_t values_nbytes; /**< of the struct that its table fills, some 10 kB */
    /** As grid_read_args(), which it calls; also sets the defaults. */
    int (*read)(const arg_command *command, int argc, char **argv, void *values, bool *go);
    /** Explain and write.  False after a message. */
    bool (*run)(grid *g, kldve_ctx *ctx, const void *values);
} grid_task;

/** The command from its arguments to its exit status. */
int grid_command(const grid_task *task, const arg_command *command, int argc, char **argv);

const grid_prediction *grid_prediction_at(const grid *g, int32_t picture, int32_t net);
const grid_cell *grid_cell_at(const grid *g, int32_t picture, int32_t net, int32_t method,
                              int32_t target);

/** The name of a class of a network as clean text, "class 12" where it has no labels. */
const char *grid_label(const grid *g, int32_t net, int32_t index, char out[LABEL_SIZE]);

/** The same, the first of its names only: "tench" of "tench, Tinca tinca". */
const char *grid_short_label(const grid *g, int32_t net, int32_t index, char out[LABEL_SIZE]);

#endif
