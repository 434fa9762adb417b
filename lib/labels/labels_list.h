/* labels_list.h - the names of classes as the files of this folder see them. */
#ifndef KLDVE_LIB_LABELS_LIST_H
#define KLDVE_LIB_LABELS_LIST_H

#include <stdbool.h>

#include <kldve/labels.h>

enum { KLDVE_SYNSET = 9 /* bytes of "n01440764" */ };

typedef struct kldve_label {
    char synset[KLDVE_SYNSET + 1];
    const char *name;
} kldve_label;

/* One block: the struct, the labels, the text that their names point into. */
struct kldve_labels {
    kldve_ctx *ctx;
    int32_t count;
    kldve_label *label;
};

static inline bool kldve_label_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static inline bool kldve_label_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
