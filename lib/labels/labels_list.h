/* labels_list.h - the names of classes as the files of this folder see them. */
#ifndef KLDVE_LIB_LABELS_LIST_H
#define KLDVE_LIB_LABELS_LIST_H

#include <stdbool.h>

#include <kldve/labels.h>

enum {
    KLDVE_SYNSET = 9,        /* bytes of "n01440764" */
    KLDVE_LABELS_A_MARK = 16 /* labels from one place that is known to the next */
};

/* What one line says, and where the next one begins. */
typedef struct kldve_label {
    const char *synset, *name, *next;
} kldve_label;

/* One block: the struct, the marks, the text.  The text is what lists of short lines cost: a label
 * is its name with a NUL behind it, or its synset and its name with a NUL behind each. */
struct kldve_labels {
    kldve_ctx *ctx;
    int32_t count;
    size_t *mark; /* where labels 0, 16, 32, ... begin in the text */
    char *text;
};

/** The label that begins at `at`. */
kldve_label kldve_label_read(const char *at);

/** Label i; loops take kldve_label_read() from one to the next. */
kldve_label kldve_label_at(const kldve_labels *labels, int32_t i);

static inline bool kldve_label_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static inline bool kldve_label_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
