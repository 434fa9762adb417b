/* diff.h - kldve diff: how far two arrays of maps agree. */
#ifndef KLDVE_TOOLS_DIFF_H
#define KLDVE_TOOLS_DIFF_H

#include "cli/tool.h"

#include <kldve/metrics.h>

/* ---- diff_arrays.c ------------------------------------------------------------------------ */

/** The maps of a file, [maps][height][width]. */
typedef struct diff_maps {
    const char *path;
    float *value;
    int32_t maps, height, width;
} diff_maps;

/** Read a file.  False after a message; free it in either case. */
bool diff_load(diff_maps *m, const char *path);

/** See that both have equally many maps of one size.  With `resize` the smaller maps are scaled up,
 *  each side to the larger of the two.  False after a message. */
bool diff_match(kldve_ctx *ctx, diff_maps *a, diff_maps *b, bool resize);

void diff_free(diff_maps *m);

/* ---- diff_bounds.c ------------------------------------------------------------------------ */

enum { DIFF_MEASURES = 32 };

/** The metrics of agreement in the order of the table. */
typedef struct diff_measures {
    int32_t count;
    const kldve_metric *metric[DIFF_MEASURES];
} diff_measures;

void diff_measures_list(diff_measures *m);

/** "pearson=0.99": what every map must have at least, or at most. */
typedef struct diff_bound {
    int32_t measure;
    double limit;
    bool at_most;
} diff_bound;

typedef struct diff_bounds {
    int32_t count;
    diff_bound *bound; /**< [count]; free it with free() */
} diff_bounds;

/** Read what --at-least and --at-most were given.  EXIT_DONE, or the exit status after a message;
 *  free b->bound in either case. */
int diff_bounds_read(diff_bounds *b, const diff_measures *m, const arg_list *at_least,
                     const arg_list *at_most);

/* ---- diff_figures.c ----------------------------------------------------------------------- */

/** What the maps have of one measure. */
typedef struct diff_figure {
    double least, mean, most;  /**< NaN where a map has none */
    int32_t least_at, most_at; /**< of which map, from 0; where one has none, that one */
} diff_figure;

typedef struct diff_figures {
    int32_t maps;
    diff_figure figure[DIFF_MEASURES];
    double *each; /**< [maps][measures] */
} diff_figures;

/** Compare the maps of two files that match.  False after a message; free it in either case. */
bool diff_figures_make(diff_figures *f, kldve_ctx *ctx, const diff_measures *m, const diff_maps *a,
                       const diff_maps *b, double part);
void diff_figures_free(diff_figures *f);

/** The number that decides a bound, and of which map it is.  NaN holds no bound. */
double diff_decides(const diff_figures *f, const diff_bound *b, int32_t *map);
bool diff_holds(const diff_figures *f, const diff_bound *b);

/* ---- diff_json.c -------------------------------------------------------------------------- */

/** Everything as JSON (docs/compare.md lists the members).  False after a message. */
bool diff_write_json(const char *path, const diff_maps *a, const diff_maps *b,
                     const diff_measures *m, const diff_figures *f, const diff_bounds *bounds);

#endif
