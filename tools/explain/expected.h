/* expected.h - --expected: the class that a picture should have. */
#ifndef KLDVE_TOOLS_EXPECTED_H
#define KLDVE_TOOLS_EXPECTED_H

#include "cli/json.h"
#include "explain.h"

/** Refuse options that ask for another class.  EXIT_DONE, or EXIT_USAGE after a message. */
int expected_check_args(const explain_args *args);
/** The file of list:FILE; NULL: none. */
const char *expected_list(const explain_args *args);
/** Whether a network has classes.  False after a message. */
bool expected_fits(const network *n);

/** Fill in e->expected once e->map is there, whose options were `said`.  False after a message. */
bool expected_make(explanation *e, const explain_args *args, const kldve_options *said);

/** "as expected", or how far from it. */
void expected_words(const explanation *e, char out[2 * LABEL_SIZE]);

/** Both maps beside each other over the picture, or alone where that is NULL. */
kldve_status expected_draw(const explanation *e, const explain_args *args,
                           const kldve_image *picture, kldve_image **out);

/** "expected", "correct", and where it is not "expected_map" and "likeness". */
bool expected_put(json_object *object, const explanation *e);

#endif
