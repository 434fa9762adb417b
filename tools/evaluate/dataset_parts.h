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

/** Add a question about a picture; NULL or "" is no label; truth, first and count are the caller's.
 * Its key is that of the picture until dataset_finish(). */
question *dataset_add_question(dataset *d, int32_t photo, const char *label);

/** Sort questions, number those about one picture, list the labels.  A data set without any
 *  question is refused. */
bool dataset_finish(dataset *d);

/* ---- dataset_load.c
 * ------------------------------------------------------------------------------ */

/** A picture or a mask from a regular file. */
bool dataset_load_image(const char *path, kldve_ctx *ctx, kldve_image **out, char why[LABEL_SIZE]);

/* ---- one file each: kinds of data sets
 * ----------------------------------------------------------- */

bool dataset_open_folder(dataset *d);

/** Whether a name ends as pictures do that the library reads. */
bool dataset_is_picture_name(const char *name);

#endif
