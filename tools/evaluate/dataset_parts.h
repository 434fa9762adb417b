/* dataset_parts.h - what the files that make a data set share. */
#ifndef KLDVE_TOOLS_DATASET_PARTS_H
#define KLDVE_TOOLS_DATASET_PARTS_H

#include "dataset.h"

/* ---- dataset_texts.c: texts and growing arrays ------------------------------------------------
 */

/** A copy that lives as long as the data set; `text` needs no NUL at its end.  NULL after a
 *  message. */
const char *dataset_text(dataset *d, const char *text, size_t nbytes);

/** A label as clean text without spaces around it, cut to LABEL_SIZE; "" is none. */
const char *dataset_label(dataset *d, const char *text, size_t nbytes);

void dataset_texts_free(struct dataset_texts *texts);

/** Room for one more item at the end of an array that has `count` of them: the array, moved or not;
 *  NULL after a message, and the array is still there. */
void *dataset_grow(void *array, int64_t count, size_t item);

/** Something the user should know.  False: out of memory. */
bool dataset_note(dataset *d, const char *format, ...) KLDVE_PRINTF(2, 3);

/** How many there were of something, and what the first ones are called. */
typedef struct dataset_tally {
    int32_t count;
    char names[LABEL_SIZE];
} dataset_tally;

void dataset_tally_add(dataset_tally *t, const char *name);
/** Note it if there were any: "3 WHAT: a, b, c" and "..." if there are more.  False: out of memory.
 */
bool dataset_tally_note(dataset *d, const dataset_tally *t, const char *one, const char *many);

/* ---- dataset_key.c ------------------------------------------------------------------------------
 */

/** The key of a relative path, see question.key.  NULL after a message. */
const char *dataset_key(dataset *d, const char *path);

/* ---- dataset_build.c: a data set while it is made
 * ------------------------------------------------ */

/** Add a picture.  Texts are borrowed from the data set.  Its number; -1 after a message. */
int32_t dataset_add_photo(dataset *d, const dataset_photo *photo);

/** Add something that is asked about a picture.  Findings with one label about one key become one
 *  question with all their pieces.
 *  @param label      Borrowed from the data set; NULL or "": none.
 *  @param box,mask   Where the answer lies; NULL: nobody knows it in this way.  Which of the two
 *                    counts is up to dataset_args.truth. */
bool dataset_add(dataset *d, int32_t photo, const char *label, const dataset_piece *box,
                 const dataset_piece *mask);

/** Make the questions, in their order, and the list of labels.  A data set without any question is
 *  refused. */
bool dataset_finish(dataset *d);
/** A key with "#2" for number 2 behind it; for 1 as it is, unless `always`.  NULL after a message.
 */
const char *dataset_numbered(dataset *d, const char *key, int32_t number, bool always);
/** Find the different labels of the questions, and number those of each question. */
bool dataset_list_labels(dataset *d);

/* ---- dataset_box.c
 * ------------------------------------------------------------------------------- */

/** What is wrong with the boxes of a data set. */
typedef struct dataset_box_checks {
    dataset_tally bad, outside, cut;
} dataset_box_checks;

/** Whether a box is one: finite, with an area, and part of it in the picture, as far as its size is
 *  known.  Otherwise it is counted. */
bool dataset_box_is_good(dataset_box_checks *checks, const dataset_photo *photo,
                         const double edge[4]);
/** False: out of memory. */
bool dataset_box_note(dataset *d, const dataset_box_checks *checks);
/** A finite number and nothing else. */
bool dataset_number(const char *text, double *out);

/* ---- dataset_file.c
 * ------------------------------------------------------------------------------ */

enum { DATASET_FILE_MAX = INT32_MAX /**< bytes of annotations */ };

/** The bytes of a regular file, and a NUL behind them, to free().  NULL after a message. */
char *dataset_read_file(const char *path, int64_t most, size_t *nbytes);
/** The folder that a path lies in, "." for none, a text of the data set. */
const char *dataset_folder_of(dataset *d, const char *path);
/** folder/name, or name if that is absolute, a text of the data set. */
const char *dataset_join(dataset *d, const char *folder, const char *name);
bool dataset_is_folder(const char *path);
/** Call each() with every file in a folder, and in those below it, that has one of the endings, by
 *  name, byte by byte.  False: after a message, or each() said so. */
bool dataset_walk(const char *folder, const char *const *endings,
                  bool (*each)(void *opaque, const char *path), void *opaque);

/* ---- dataset_load.c
 * ------------------------------------------------------------------------------ */

/** A picture or a mask from a regular file.  `why` says what is wrong, without its name. */
bool dataset_load_image(const char *path, kldve_ctx *ctx, kldve_image **out, char why[LABEL_SIZE]);

/* ---- dataset_truth.c
 * ----------------------------------------------------------------------------- */

/** Put the truth of a question into a picture that is loaded. */
bool dataset_load_truth(const dataset *d, const question *q, kldve_ctx *ctx, dataset_picture *p,
                        char why[LABEL_SIZE]);

/* ---- dataset_shape.c
 * ----------------------------------------------------------------------------- */

typedef struct dataset_frame dataset_frame;

/** Put an outline or runs into a mask, [height][width] of the frame. */
bool dataset_fill_shape(const dataset *d, const dataset_piece *piece, const dataset_frame *frame,
                        uint8_t *mask, char why[LABEL_SIZE]);

/* ---- dataset_turn.c: pixels as stored, pixels as shown
 * ------------------------------------------- */

/** Pixels that are stored with an EXIF orientation 1..8, width x height. */
struct dataset_frame {
    int32_t orientation, width, height;
};

/** A box in stored pixels becomes one in pixels as they are shown. */
void dataset_turn_box(const dataset_frame *stored, double edge[4]);
/** mask [height][width] as stored -> as shown, into `out` of as many pixels. */
void dataset_turn_mask(const dataset_frame *stored, const uint8_t *mask, uint8_t *out);

/* ---- dataset_mosaic.c
 * ---------------------------------------------------------------------------- */

/** Questions about single photographs become questions about mosaics of them. */
bool dataset_make_mosaics(dataset *d);
/** The picture of a mosaic, and its tile as the mask. */
bool dataset_load_mosaic(const dataset *d, const question *q, kldve_ctx *ctx,
                         const dataset_view *view, dataset_picture *p, char why[LABEL_SIZE]);

/* ---- one file each: kinds of data sets
 * ----------------------------------------------------------- */

bool dataset_open_folder(dataset *d);
bool dataset_open_list(dataset *d);
bool dataset_open_coco(dataset *d);
bool dataset_open_voc(dataset *d);

#endif
