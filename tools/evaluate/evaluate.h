/* evaluate.h - kldve evaluate: the maps of networks and methods, measured over a data set. */
#ifndef KLDVE_TOOLS_EVALUATE_H
#define KLDVE_TOOLS_EVALUATE_H

#include "cli/tool.h"
#include "grid/grid.h"

#include "dataset.h"
#include "measure.h"
#include "results.h"
#include "store.h"

/** The run ended before everything was measured; the same command goes on. */
enum { EXIT_UNFINISHED = 3 };

/** Which class is explained. */
typedef enum evaluate_ask {
    ASK_TARGET = 1, /**< that of --target */
    ASK_LABEL = 2,  /**< the data set's label of the question */
    ASK_ALONE = 3   /**< of a mosaic: the network's first class for the tile's photograph alone */
} evaluate_ask;

/** What the command line says. */
typedef struct evaluate_args {
    grid_args grid; /**< first, for grid_next_network() */
    dataset_args data;
    arg_list metric;
    results_args results;
    int32_t ask; /**< an evaluate_ask; 0: not given */
    const char *db, *shard;
    const char *randomise; /**< as given; NULL: KLDVE_RANDOMISE_CASCADE of layer 0 */
    int32_t kind, layer;   /**< of it, a kldve_randomise */
    int32_t randomise_seed;
    int32_t part, parts; /**< of --shard I/N: I - 1 and N; 0 and 1 without */
} evaluate_args;

extern const arg_option evaluate_options[];

/** Parse a command line.  EXIT_DONE or the exit status; *go says whether there is something to run.
 *  Free the arguments in either case. */
int evaluate_read_args(const arg_command *command, int argc, char **argv, evaluate_args *args,
                       bool *go);
void evaluate_free_args(const arg_command *command, evaluate_args *args);
/** Refuse results that would take the place of a picture or a mask of the data set.  False after a
 *  message. */
bool evaluate_spares(const evaluate_args *args, const dataset *d);
/** Threads that measure, of one process. */
int32_t evaluate_threads(const evaluate_args *args, int32_t processes);

typedef struct evaluate_network {
    network net;
    char name[LABEL_SIZE]; /**< unique in the run */
    dataset_targets targets;
    dataset_view view;
} evaluate_network;

/** What is measured.  Once prepared it never changes: all threads look at one. */
typedef struct evaluation {
    kldve_ctx *ctx; /**< borrowed */
    const evaluate_args *args;
    int32_t ask; /**< an evaluate_ask */
    dataset data;
    int32_t networks, methods, measures;
    evaluate_network *network;
    grid_method *method;
    measure *measure;
    uint64_t needs; /**< KLDVE_METRIC_NEED_* of all measures */
    /** [networks][methods]: why the network does not allow the method, NULL: it does. */
    char **why_not;
    store_plan plan;
    store_item *item; /**< [networks + methods + measures], of the plan */
    store_question *question;
    char build[STORE_TEXT];
} evaluation;

/** Load networks and data set, find everything that can be known to be wrong.  False after a
 *  message; free it in either case. */
bool evaluation_prepare(evaluation *e, kldve_ctx *ctx, const evaluate_args *args, progress *p);
/** Give a twin of a network the random parameters that the command line asks for. */
kldve_status evaluation_randomise(const evaluation *e, const network *twin);
/** Say what was assumed and what is left out. */
void evaluation_say(const evaluation *e);
void evaluation_free(evaluation *e);

/** evaluate_plan.c: how the database calls all that.  False after a message. */
bool evaluation_plan(evaluation *e);
void evaluation_plan_free(evaluation *e);

#endif
