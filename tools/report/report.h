/* report.h - what the parts of `kldve report` share. */
#ifndef KLDVE_TOOLS_REPORT_H
#define KLDVE_TOOLS_REPORT_H

#include "cli/drawing.h"
#include "cli/page.h"
#include "evaluate/dataset.h"
#include "grid/grid.h"

typedef struct report_args {
    grid_args grid;       /* first, see there */
    const char *page;     /* "-": standard output */
    bool force;           /* replace a page under the default name */
    double split;         /* MB, above which the page becomes several; 0: not given */
    dataset_args data;    /* of every folder and list among the pictures */
    const char *expected; /* label of the pictures that have none from elsewhere; NULL */
    drawing draw;         /* how maps are drawn */
} report_args;

/* ---- report_list.c: which pictures, and what they should be called -------------------------- */

/** A folder or a list among the pictures. */
typedef struct report_source {
    dataset data;
    dataset_targets *targets; /**< [networks], report_match(); NULL before */
} report_source;

typedef struct report_picture {
    const char *path; /**< to open it */
    const char *key;  /**< its name in that folder or list */
    char *shown;      /**< without the folders of this machine, clean */
    int32_t source;   /**< number of the folder or list; -1: given by itself */
    int32_t *label;   /**< numbers of its labels there */
    int32_t labels;
} report_picture;

typedef struct report_list {
    report_picture *picture;
    int32_t pictures;
    report_source *source;
    int32_t sources, networks;
    const char *expected;    /**< --expected */
    int32_t *expected_class; /**< [networks], report_match(); NULL before */
    bool has_labels;         /**< whether any picture has one */
} report_list;

/** Refuse options about folders and lists that change nothing.  EXIT_DONE, or another exit status
 *  after a message. */
int report_check_sources(const report_args *args);
/** Find the pictures and their labels.  False after a message.  Free the list in any case. */
bool report_list_open(report_list *l, const report_args *args);
void report_list_free(report_list *l);

/** Give the pictures their names, see report_names.c.  False: out of memory. */
bool report_name_pictures(report_list *l);

/** A message without the folders of the networks' files, and of a picture's (NULL: none). */
void report_hide_folders(const grid *g, const char *picture, const char *text,
                         char out[LABEL_SIZE]);

/** Find the classes of the networks, which are loaded, that the labels mean.  False after a
 *  message. */
bool report_match(report_list *l, const grid *g);

/** What a picture should be called, for people: "cat" or "cat, dog"; false: nobody knows. */
bool report_expects(const report_list *l, int32_t picture, char text[LABEL_SIZE]);
/** The class that it should be called by a network, the first of several; -1: nobody knows, or the
 *  network has no such class. */
int32_t report_class(const report_list *l, int32_t picture, int32_t net);
/** Whether a class is one of those that it may be called. */
bool report_is_right(const report_list *l, int32_t picture, int32_t net, int32_t said);

/* ---- report_data.c: data of the page -------------------------------------------------------- */

/** The longer side of the pictures in a report of so many, pixels. */
int32_t report_side(int32_t pictures);

/** What holds for all pictures; `entries` (borrowed) is its list of them.  NULL: out of memory. */
json_object *report_head(const grid *g, const report_args *args, const report_list *l,
                         json_object *entries);
/** What the list says of the picture that the grid has, or does not have: then `why` says so.
 *  NULL after a message. */
json_object *report_entry(const grid *g, const report_list *l, int32_t picture, const char *why);
/** All of the picture that the grid has.  NULL after a message. */
json_object *report_picture_data(const grid *g, const drawing *d, int32_t pictures);

/* ---- report_book.c: one page, or a folder of them ------------------------------------------- */

typedef struct report_book {
    const report_args *args;
    const grid *g;
    const report_list *list;
    json_object *entries; /* of all pictures so far */
    page_file page;       /* the one that is being written */
    bool open, made_folder;
    int32_t parts; /* pages of the folder that are complete */
    int32_t first; /* picture of the page that is being written */
    int32_t next;  /* number of the next picture */
} report_book;

/** False after a message; end the book in either case. */
bool report_book_begin(report_book *b, const grid *g, const report_args *args,
                       const report_list *l);
/** Add the picture that the grid has; with `why` the next one is one that could not be explained.
 *  False after a message. */
bool report_book_add(report_book *b, const char *why);
/** With `keep` all pages appear, else nothing is left.  False after a message. */
bool report_book_end(report_book *b, bool keep);

#endif
