/* explain.h - what the parts of `kldve explain` share. */
#ifndef KLDVE_TOOLS_EXPLAIN_H
#define KLDVE_TOOLS_EXPLAIN_H

#include <kldve/method.h>

#include "cli/drawing.h"
#include "cli/pick.h"
#include "cli/tool.h"

typedef struct explain_args {
    network_args network;
    arg_list limit;
    arg_list picture; /* of a film every frame, in the order of time; or one array */
    const char *rival, *truth;
    arg_list target;               /* several: a set */
    arg_list fuse;                 /* further layers */
    int32_t method, reading, sign; /* 1 + number; 0: not given */
    pick pick;                     /* --at, --over, --box */
    const char *overlay, *heat, *map, *dump, *json;
    drawing draw;
    const char *out_dir, *jsonl, *write, *expected;
    double temperature, perplexity, neighbour_perplexity, noise;
    int32_t samples, window, stride;  /* 0: not given */
    int32_t seed, item, check_passes; /* negative: not given */
    bool check, smooth, terminal, force, resume;
} explain_args;

/** Milliseconds of what the command itself does; the rest is in the timings of the map. */
typedef struct explain_times {
    double begin, load, decode, explain, render, total;
} explain_times;

/** Of --expected. */
typedef struct explain_expected {
    int32_t index, rank; /* of the class; from 1; 0: nothing is expected */
    kldve_heatmap *map;  /* why not that class; NULL where it is the first */
    kldve_record record; /* of that map */
    double likeness;     /* correlation of the two maps, NaN where one is flat */
} explain_expected;

typedef struct explanation {
    network net;
    truth truth;          /* of --truth; zeros without */
    kldve_image *picture; /* of an array: drawn from it, NULL where that makes no picture; of a film
                             its first frame, of an array all below each other */
    kldve_image **frame;
    int32_t frames;  /* pictures that were read; 0: an array */
    int32_t item;    /* of the array, which is a batch; -1: it is none */
    npy_array array; /* a subject that is no picture */
    float *input;    /* [in_channels][in_height][in_width] of it; NULL: a picture */
    kldve_heatmap *map;
    kldve_record record;
    kldve_timings stages;
    const kldve_method *method;
    int32_t top[TOP], tops; /* classes by falling logit, how many; of a number none */
    int32_t *set;           /* of several --target */
    int32_t rival;          /* of --rival */
    pick_mask mask;         /* of --over */
    explain_expected expected;
    network *further; /* [furthers], of --fuse */
    int32_t furthers;
    explain_times ms;
} explanation;

/** explain_args.c: the table, and what it reads.
 *  @return EXIT_DONE or the exit status; *go says whether there is something to run. */
extern const arg_option explain_options[];
int explain_read_args(const arg_command *command, int argc, char **argv, explain_args *args,
                      bool *go);

/** The option whose file is standard output, "--json"; NULL: none. */
const char *explain_stream(const explain_args *args);

/** Refuse to write over a file that is read.  EXIT_DONE, or EXIT_USAGE after a message. */
int explain_guard(const explain_args *args);

/** The reading of --reading, or the default one. */
int32_t explain_reading(const explain_args *args);

/** The method of --method, or the default one. */
const kldve_method *explain_method(const explain_args *args);

/** The options of the explanation, except its target. */
void explain_options_of(const explanation *e, const explain_args *args, kldve_options *o);

/* explanation.c.  Begin with zeros, end with explanation_free().  What returns false has printed a
 * message. */

/** Load the network as `how` says, and what the options name beside it. */
bool explanation_open(explanation *e, kldve_ctx *ctx, const explain_args *args,
                      const network_args *how);
/** Whether what subject_read() has read fits the network; prepares an array. */
bool explanation_take(explanation *e, const explain_args *args);
/** Read the picture, open the network for it, take the picture. */
bool explanation_load(explanation *e, kldve_ctx *ctx, const explain_args *args);
/** Explain what was taken, and fill in what follows from the map. */
bool explanation_make(explanation *e, const explain_args *args);
/** The same in two parts: what is asked, and the answer. */
bool explanation_ask(explanation *e, const explain_args *args, kldve_options *o);
bool explanation_answer(explanation *e, const explain_args *args, const kldve_options *o);
/** What follows from the map, where e->map was made elsewhere. */
bool explanation_finish(explanation *e, const explain_args *args, const kldve_options *o);
/** Ready for the next picture: frees the map and the picture. */
void explanation_clear(explanation *e);
void explanation_free(explanation *e);

/** explain_write.c: write what was asked for.  False after a message. */
bool explanation_write(explanation *e, const explain_args *args);

/** subject.c: whether a name is that of an array, not of a picture. */
bool subject_is_array(const char *path);
/** Find options that an array rules out.  EXIT_DONE, or EXIT_USAGE after a message. */
int subject_check_args(const explain_args *args);
/** Read the picture or the array.  False after a message; free it with subject_free(). */
bool subject_read(explanation *e, kldve_ctx *ctx, const explain_args *args);
/** The array as the input of a network; the caller frees *out.  False after a message. */
bool subject_fit(const explanation *e, const network *net, const char *path, float **out);
/** Whether there are as many pictures as the network takes frames.  False after a message. */
bool subject_fits_frames(const explanation *e);
/** Draw e->picture from the array.  False after a message. */
bool subject_draw(explanation *e);
kldve_status subject_explain(const explanation *e, const network *net, const kldve_options *o,
                             kldve_heatmap **map);
void subject_free(explanation *e);

/** record.c: the record of the run; NULL after a message or out of memory. */
json_object *record_new(const explanation *e, const explain_args *args);
/** Write the record as JSON, "-" is standard output.  False after a message. */
bool record_write(const explanation *e, const explain_args *args);

/** dump.c: write every intermediate as .npy into a folder.  False after a message. */
bool dump_write(const explanation *e, const char *folder);

enum { DUMP_FILES = 9, DUMP_PATH = 4096 };

/** The path of a file that --dump may write, 0 to DUMP_FILES - 1, cut to `size`. */
void dump_file(const explain_args *args, int32_t index, char *out, size_t size);

/** film.c: every frame of a film with its map, beside each other, or the maps alone. */
kldve_status film_draw(const explanation *e, const kldve_render_options *o, bool over,
                       kldve_image **out);
/** The maps of all frames as an array [frames][height][width].  False after a message. */
bool film_write(const explanation *e, const char *path);

/** terminal.c: whether --terminal can draw here.  EXIT_DONE, or EXIT_USAGE after a message. */
int terminal_check(void);
/** Draw the heat over the picture so that `below`, the summary, has room under it.  False after a
 *  message. */
bool terminal_draw(const explanation *e, const explain_args *args, const char *below);

/** Draw the map over `picture`, with the place that was picked, or alone where that is NULL. */
kldve_status explain_render(const explanation *e, const explain_args *args,
                            const kldve_image *picture, kldve_image **out);
/** How it is drawn, every default replaced.  False: no picture is drawn. */
bool explain_drawn(const explanation *e, const explain_args *args, kldve_render_options *o);

/** summary_answer.c: the first lines of the summary, what the network said and what is explained.
 */
void summary_answer(FILE *out, const explanation *e, const explain_args *args);
/** summary.c: what was found, for people, on standard output: with --terminal the picture, and with
 *  `words` the summary.  False after a message. */
bool summary_show(const explanation *e, const explain_args *args, bool words);

#endif
