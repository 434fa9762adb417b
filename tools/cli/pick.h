/* pick.h - --at, --over and --box: which scores of a segmentation or a detector. */
#ifndef KLDVE_TOOLS_PICK_H
#define KLDVE_TOOLS_PICK_H

#include "json.h"
#include "tool.h"

/** What the command line says. */
typedef struct pick {
    const char *at, *over, *box; /**< as given, at most one of them; NULL: not given */
    int32_t kind;                /**< a kldve_pick_kind, set by pick_read_args() */
    int32_t row, x, y;
} pick;

/** The mask of --over. */
typedef struct pick_mask {
    uint8_t *value; /**< [height][width], not 0: counts; NULL without --over */
    int32_t width, height;
} pick_mask;

/** The options, of any command.  `member` is the pick in the struct `type`. */
#define PICK_OPTIONS(type, member)                                                                 \
    OPTION_STRING("at", offsetof(type, member.at), "X,Y",                                          \
                  "the scores of a segmentation at this pixel of the picture"),                    \
        OPTION_STRING("over", offsetof(type, member.over), "MASK.png",                             \
                      "their mean over the pixels that are not black in this mask"),               \
        OPTION_STRING("box", offsetof(type, member.box), "WHICH",                                  \
                      "the scores of a detector's row: a number, 'best', or the best at X,Y")

/** Read what was given, and add to *flags (KLDVE_ONNX_*) what has the engine look for it.
 *  @return EXIT_DONE, or EXIT_USAGE after a message. */
int pick_read_args(const char *command, pick *p, uint64_t *flags);
/** Refuse another option beside it.  EXIT_DONE, or EXIT_USAGE after a message. */
int pick_excludes(const char *command, const pick *p, const char *option);

/** Read the mask.  False after a message; free it in either case. */
bool pick_load(const pick *p, kldve_ctx *ctx, pick_mask *mask);
void pick_free(pick_mask *mask);
/** Whether the mask, if there is one, has the size of a picture.  False after a message. */
bool pick_covers(const pick *p, const pick_mask *mask, const char *picture, int32_t width,
                 int32_t height);
/** Whether the network has what is picked, and something is picked where it has.  False after a
 *  message. */
bool pick_fits(const pick *p, const network *net);

/** What is picked, for any options of an explanation; the mask outlives them. */
void pick_options(const pick *p, const pick_mask *mask, kldve_options *o);

/** Mark the place in a picture: a cross at the pixel, the outline of the mask.  (Boxes are drawn
 *  with the map.)
 *  @param width, height  of the picture that was explained; `image` may have another size. */
void pick_draw(const pick *p, const pick_mask *mask, int32_t width, int32_t height,
               kldve_image *image);

/** For a record: `at` or `over`, as given. */
bool pick_put_place(json_object *object, const pick *p);
/** For a record: `row`, `box` and `box_score` of what was picked. */
bool pick_put_row(json_object *object, const kldve_record *r);

#endif
