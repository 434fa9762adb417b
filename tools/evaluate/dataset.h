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

/** What the command line says about a data set; 0 and NULL: nothing. */
typedef struct dataset_args {
    const char *path;     /**< of a folder, a list, or annotations */
    int32_t kind;         /**< a dataset_kind; 0: told by the path */
    int32_t labels_from;  /**< a dataset_labels_from, of a folder; 0: none */
    const char *pictures; /**< folder of the pictures that annotations name */
    const char *masks;    /**< folder of the masks that annotations name */
    const char *classes;  /**< table: label of the data set, class of the network */
    const char *column;   /**< of a list: the one with the labels; NULL: the first that is usual */
    int32_t truth;        /**< a dataset_truth_choice */
    int32_t turned;       /**< a dataset_turned */
    int32_t mosaic;       /**< photographs in one picture: 2 or 4; 0: no mosaics */
    int32_t seed;         /**< which photographs share a mosaic */
} dataset_args;

/** A picture of the data set. */
typedef struct dataset_photo {
    const char *path;      /**< to open it */
    const char *key;       /**< relative to the data set, the same on every machine, see question */
    int32_t width, height; /**< that the annotations give it; 0: none */
} dataset_photo;

/** What a piece of the truth is. */
typedef enum dataset_piece_kind {
    DATASET_BOX = 1,
    DATASET_MASK = 2, /**< part of a mask's file */
    DATASET_SHAPE = 3 /**< an outline or runs in the annotations */
} dataset_piece_kind;

/** A piece of where the answer lies; the truth is all pieces together. */
typedef struct dataset_piece {
    int32_t kind;   /**< a dataset_piece_kind */
    int32_t colour; /**< of a mask: R + 256 G + 65536 B; -1: everything that is not black */
    union {
        /** x0, y0, x1, y1 in pixels of the picture from its upper left corner, x1 and y1 the first
         *  that is outside; may reach out of the picture. */
        double edge[4];
        const char *mask; /**< path of its file */
        struct {
            int64_t offset; /**< of the annotation in dataset.annotations, bytes */
            int32_t nbytes;
        } shape;
    } at;
} dataset_piece;

typedef struct question {
    /** Unique in the data set.  The picture's path relative to the data set, with '/' between
     *  folders, "#2" behind it for the second question about one picture; of a mosaic those of its
     *  photographs with "|" between them and "#" and the number of the tile.  What is no printable
     *  UTF-8, and '%', '#', '|' in names, are written as %XX, so that a key is always one line of
     *  text. */
    const char *key;
    const char
        *picture;      /**< the key without "#2": questions about one picture have the same text */
    const char *label; /**< as the data set has it, as clean text; NULL: none */
    int32_t label_number;         /**< the same as a number of dataset.label; -1: none */
    int32_t photos;               /**< 1, or the 2 or 4 of a mosaic */
    int32_t photo[DATASET_TILES]; /**< numbers of dataset.photo, row by row */
    int32_t tile;                 /**< of a mosaic: the one that is asked for */
    int32_t pieces; /**< of the truth, one picture's: dataset.piece[first] ...; 0: none */
    int64_t first;
} question;

typedef struct dataset {
    dataset_args args;
    const char *name; /**< the path that was given */
    int32_t questions, photos, labels;
    question *question; /**< by key, byte by byte */
    dataset_photo *photo;
    const char **label; /**< the different labels, byte by byte */
    dataset_piece *piece;
    int annotations; /**< file that holds the shapes; -1: none */
    /** What whoever sees results should know: what was left out, what was chosen.  Sentences
     *  without a full stop. */
    const char **note;
    int32_t notes;
    struct dataset_texts *texts; /**< memory of all texts above */
    struct dataset_draft *draft; /**< while it is opened: what was found, dataset_build.c */
    int64_t drafts;
} dataset;

/** Tell what kind of data set it is, and refuse options that would change nothing.  EXIT_DONE, or
 *  another exit status after a message. */
int dataset_check_args(const char *command, dataset_args *args);

/** Open a data set.  False after a message; free it with dataset_close() in either case.
 *  @param args  Passed dataset_check_args().  Copied; what it points to is borrowed. */
bool dataset_open(dataset *d, const dataset_args *args);
/** Accepts one of zero bytes. */
void dataset_close(dataset *d);

/** What a network takes: mosaics are made for it. */
typedef struct dataset_view {
    int32_t width, height; /**< of its input, pixels */
    double part; /**< of the shorter side of a picture that it sees: crop / resize; 0: all of it */
} dataset_view;

/** A loaded question.  Its truth is boxes, or a mask, or nobody knows it: neither. */
typedef struct dataset_picture {
    kldve_image *image;
    double (*box)[4]; /**< [boxes][x0, y0, x1, y1] in pixels of `image`, cut to it; NULL: none */
    int32_t boxes;
    uint8_t *mask; /**< [height][width] of `image`; not 0 where the answer lies; NULL: none */
} dataset_picture;

/** Whether somebody knows where the answer lies. */
bool dataset_has_truth(const dataset *d, int32_t number);

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
    int32_t *target; /**< indices; several where --classes gives a label several classes */
    int32_t strange; /**< labels that mean none of its classes, or could mean several */
    int32_t strange_questions; /**< about them */
    char names[LABEL_SIZE];    /**< the first few of these labels, "a, b, c"; "": none */
    int32_t missing; /**< classes that the file of --classes names and the network has not */
    char missing_names[LABEL_SIZE];
} dataset_targets;

/** Find them.  With --classes the file alone says what a label means; else a label means the class
 *  that kldve_labels_find() finds, and of a network without labels the class with that index.
 *  False after a message; free them in either case. */
bool dataset_match(const dataset *d, const network *n, dataset_targets *out);
/** The SHA-256 of a list of classes, as text of SHA256_TEXT bytes (sha256.h).  False after a message. */
bool dataset_classes_digest(const char *path, char *text);
/** Accepts one of zero bytes. */
void dataset_targets_free(dataset_targets *t);

/** The options of a data set; `member` is the dataset_args in the struct `type`. */
#define DATASET_OPTIONS(type, member)                                                              \
    OPTION_CHOICE("format", offsetof(type, member.kind), "KIND",                                   \
                  "what DATASET is; default: told by its name", dataset_kind_choice),              \
        OPTION_CHOICE("labels-from", offsetof(type, member.labels_from), "WHAT",                   \
                      "labels of a folder's pictures: none, folder or name",                       \
                      dataset_labels_choice),                                                      \
        OPTION_STRING("label-column", offsetof(type, member.column), "NAME",                       \
                      "column of a list that has the labels"),                                     \
        OPTION_STRING("classes", offsetof(type, member.classes), "FILE",                           \
                      "table: label of the data set, class of the network"),                       \
        OPTION_STRING("pictures", offsetof(type, member.pictures), "FOLDER",                       \
                      "where the pictures lie that annotations name"),                             \
        OPTION_STRING("masks", offsetof(type, member.masks), "FOLDER",                             \
                      "where the masks lie that annotations name"),                                \
        OPTION_CHOICE("truth-from", offsetof(type, member.truth), "WHAT",                          \
                      "boxes or masks; default: masks where there are some", dataset_truth_name),  \
        OPTION_CHOICE("turned", offsetof(type, member.turned), "HOW",                              \
                      "pixels that boxes and masks of turned pictures count in",                   \
                      dataset_turned_choice),                                                      \
        OPTION_INT("mosaic", offsetof(type, member.mosaic), "2|4",                                 \
                   "ask about mosaics of so many photographs of different labels", 2, 4),          \
        OPTION_INT("mosaic-seed", offsetof(type, member.seed), "N",                                \
                   "which photographs share a mosaic; default: 0", 0, INT32_MAX)

/** Names for arg_option.choice, NULL past the last. */
const char *dataset_kind_choice(int32_t index);
const char *dataset_labels_choice(int32_t index);
const char *dataset_truth_name(int32_t index);
const char *dataset_turned_choice(int32_t index);

#endif
