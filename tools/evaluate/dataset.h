/* dataset.h - the questions of kldve evaluate: pictures, what is asked about each, and where the
 * answer lies.
 *
 * A data set is opened once and never changes afterwards, so any number of threads may load from
 * it, each with a context of its own.  Its questions and their order depend on the names and the
 * annotations alone, so every machine sees the same ones.  Pictures are not touched before they are
 * loaded: one that cannot be read costs one question, never the run.
 *
 * Functions that return false have said why in one line, as complain(), unless they take `why`. */
#ifndef KLDVE_TOOLS_DATASET_H
#define KLDVE_TOOLS_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/tool.h"

enum { DATASET_TILES = 4, DATASET_NAMED = 3 /**< names that a note lists */ };

/** What a data set is made from. */
typedef enum dataset_kind {
    DATASET_FOLDER = 1, /**< every picture in a folder and the folders in it */
    DATASET_LIST = 2,   /**< a table of paths, labels, boxes: .tsv, .csv */
    DATASET_COCO = 3,   /**< JSON as COCO has it: instances, panoptic, or pictures with boxes */
    DATASET_VOC = 4     /**< a folder or a list of PASCAL VOC's XML */
} dataset_kind;

/** Where the labels of a folder's pictures come from. */
typedef enum dataset_labels_from {
    DATASET_LABELS_NONE = 1,
    DATASET_LABELS_FOLDER = 2, /**< the name of the folder that a picture lies in */
    DATASET_LABELS_NAME = 3    /**< the picture's name: its synset, or what follows the last '_' */
} dataset_labels_from;

/** What the command line says about a data set; 0 and NULL: nothing. */
typedef struct dataset_args {
    const char *path;     /**< of a folder, a list, or annotations */
    int32_t kind;         /**< a dataset_kind; 0: told by the path */
    int32_t labels_from;  /**< a dataset_labels_from, of a folder; 0: none */
    const char *pictures; /**< folder of the pictures that annotations name */
    const char *masks;    /**< folder of the masks that annotations name */
    const char *classes;  /**< table: label of the data set, class of the network */
    int32_t truth;        /**< a dataset_truth_choice */
    int32_t turned;       /**< a dataset_turned */
    int32_t mosaic;       /**< photographs in one picture: 2 or 4; 0: no mosaics */
    uint64_t seed;        /**< which photographs share a mosaic */
} dataset_args;

/** Where the answer lies, if the data set knows it in both ways. */
typedef enum dataset_truth_choice {
    DATASET_TRUTH_BEST = 0, /**< masks where there are some, else boxes */
    DATASET_TRUTH_BOXES = 1,
    DATASET_TRUTH_MASKS = 2
} dataset_truth_choice;

/** What boxes and masks count in where a picture's file says that it is to be shown turned. */
typedef enum dataset_turned {
    DATASET_TURNED_ASK = 0,   /**< as the annotation's size says; where it does not, the question
                                   is refused */
    DATASET_TURNED_SHOWN = 1, /**< pixels of the picture as it is shown */
    DATASET_TURNED_STORED = 2 /**< pixels as they lie in the file */
} dataset_turned;

/** A picture of the data set. */
typedef struct dataset_photo {
    const char *path;      /**< to open it */
    const char *key;       /**< relative to the data set, the same on every machine, see question */
    int32_t width, height; /**< that the annotations give it; 0: none */
    const char *mask;      /**< path of a mask's file; NULL: none */
} dataset_photo;

/** How question.first and .count are meant. */
typedef enum dataset_truth {
    DATASET_NOWHERE = 0, /**< nobody knows where the answer lies */
    DATASET_BOXES = 1,   /**< boxes `first` ... of the data set */
    DATASET_MASK = 2,    /**< the photo's mask: what is not black */
    DATASET_IDS = 3,     /**< the photo's mask: colours R + 256 G + 65536 B, `first` ... of `id` */
    DATASET_SHAPES = 4,  /**< outlines and runs in the annotations, `first` ... of `shape` */
    DATASET_TILE = 5     /**< its tile of a mosaic */
} dataset_truth;

typedef struct question {
    /** Unique in the data set.  The picture's path relative to the data set, with '/' between
     *  folders, "#2" behind it for the second question about one picture; of a mosaic those of its
     *  photographs with "|" between them and "#" and the number of the tile.  What is no printable
     *  UTF-8, and '%', '#', '|' in names, are written as %XX, so that a key is always one line of
     *  text. */
    const char *key;
    const char *label;            /**< as the data set has it, as clean text; NULL: none */
    int32_t label_number;         /**< the same as a number of dataset.label; -1: none */
    int32_t photos;               /**< 1, or the 2 or 4 of a mosaic */
    int32_t photo[DATASET_TILES]; /**< numbers of dataset.photo, row by row */
    int32_t tile;                 /**< of a mosaic: the one that is asked for */
    int32_t truth;                /**< a dataset_truth */
    int32_t count;                /**< of boxes, colours, shapes */
    int64_t first;                /**< of them */
} question;

/** Pixels of a picture: x0, y0, x1, y1 from its upper left corner; a pixel lies in a box if its
 *  centre does.  Not yet cut to the picture. */
typedef struct dataset_box {
    double edge[4];
} dataset_box;

/** Where the annotations have an outline or runs: bytes of their file. */
typedef struct dataset_shape {
    int64_t offset;
    int32_t nbytes;
} dataset_shape;

typedef struct dataset {
    dataset_args args;
    const char *name; /**< the path that was given */
    int32_t questions, photos, labels;
    question *question; /**< by key, byte by byte */
    dataset_photo *photo;
    const char **label; /**< the different labels, byte by byte */
    dataset_box *box;
    int64_t boxes;
    int32_t *id;
    int64_t ids;
    dataset_shape *shape;
    int64_t shapes;
    int annotations; /**< file that holds the shapes; -1: none */
    /** What whoever sees results should know: what was left out, what was chosen.  Sentences
     *  without a full stop. */
    const char **note;
    int32_t notes;
    struct dataset_texts *texts; /**< memory of all texts above */
} dataset;

/** Open a data set.  False after a message; free it with dataset_close() in either case.  `args` is
 *  copied, what it points to is borrowed. */
bool dataset_open(dataset *d, const dataset_args *args);
/** Accepts one of zero bytes. */
void dataset_close(dataset *d);

/** What a network takes: mosaics are made for it. */
typedef struct dataset_view {
    int32_t width, height; /**< of its input, pixels */
    double part; /**< of the shorter side of a picture that it sees: crop / resize; 0: all of it */
} dataset_view;

/** A loaded question. */
typedef struct dataset_picture {
    kldve_image *image;
    const dataset_box *box; /**< [boxes], in pixels of `image`, cut to it; NULL: none */
    int32_t boxes;
    uint8_t *mask;    /**< [height][width] of `image`; not 0 where the answer lies; NULL: none */
    dataset_box *own; /**< memory of `box` */
} dataset_picture;

/** Load what a question is about: the picture and where the answer lies in it.  Any thread may do
 *  so, with a context of its own.  The picture of a mosaic has the size of the view, so that the
 *  network takes it as it is and tiles stay exact.
 *  @param why  On failure one line without the picture's name: it is unreadable, or its truth does
 *              not fit it. */
bool dataset_load(const dataset *d, int32_t number, kldve_ctx *ctx, const dataset_view *view,
                  dataset_picture *out, char why[LABEL_SIZE]);
/** Load one photograph of a mosaic by itself, the part that is in its tile, in the size of the
 *  view: what does the network say of it alone? */
bool dataset_load_tile(const dataset *d, int32_t number, int32_t tile, kldve_ctx *ctx,
                       const dataset_view *view, kldve_image **out, char why[LABEL_SIZE]);
/** Accepts one of zero bytes. */
void dataset_picture_free(dataset_picture *p);

/** The classes of a network that the labels of a data set mean. */
typedef struct dataset_targets {
    int32_t *first; /**< [labels + 1]: those of label i are target[first[i]] ... target[first[i + 1]
                         - 1]; none: the network knows nothing of that name */
    int32_t *target;        /**< indices; several where --classes gives a label several classes */
    int32_t strange;        /**< questions with a label that the network does not know */
    char names[LABEL_SIZE]; /**< the first few of these labels, "a, b, c"; "": none */
} dataset_targets;

/** Find them.  False after a message: a class that --classes names and the network has not, out of
 *  memory.  Free them in either case. */
bool dataset_match(const dataset *d, const network *n, dataset_targets *out);
void dataset_targets_free(dataset_targets *t);

/** The options of a data set; `member` is the dataset_args in the struct `type`. */
#define DATASET_OPTIONS(type, member)                                                              \
    OPTION_CHOICE("labels-from", offsetof(type, member.labels_from), "WHAT",                       \
                  "labels of a folder's pictures: none, folder or name", dataset_labels_choice)

/** Names for arg_option.choice, NULL past the last. */
const char *dataset_labels_choice(int32_t index);

#endif
