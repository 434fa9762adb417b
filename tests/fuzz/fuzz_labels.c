/* fuzz_labels.c - any bytes as a list of labels. */
#include <stdlib.h>
#include <string.h>

#include <kldve/labels.h>

#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

enum { NAMES = 64 }; /* of which each is looked for: a list is searched from its begin */

/* A name means the class that has it, or no single one. */
static void find(kldve_ctx *ctx, const kldve_labels *labels, const char *name)
{
    int32_t index = -1;
    const char *found = NULL;
    kldve_status status = kldve_labels_find(ctx, labels, name, &index);

    watch_call(ctx, status, index != -1);
    if (status == KLDVE_OK)
        watch_that(kldve_labels_name(labels, index, &found) == KLDVE_OK && found, "no such class");
}

static void look(kldve_ctx *ctx, const kldve_labels *labels)
{
    int32_t count = kldve_labels_count(labels);
    const char *text = NULL;

    watch_that(count > 0, "an empty list is none");
    for (int32_t i = 0; i < count; i++) {
        watch_that(kldve_labels_name(labels, i, &text) == KLDVE_OK, "a class without a name");
        if (i < NAMES)
            find(ctx, labels, text);
        watch_that(kldve_labels_synset(labels, i, &text) == KLDVE_OK, "a class without a synset");
        if (i < NAMES && *text)
            find(ctx, labels, text);
    }
    text = NULL;
    watch_that(kldve_labels_name(labels, count, &text) == KLDVE_E_NOT_FOUND && !text,
               "a class behind the last");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    kldve_ctx *ctx = watch_open();
    kldve_labels *labels = NULL;
    kldve_status status = kldve_labels_parse(ctx, (const char *)bytes, nbytes, &labels);

    watch_call(ctx, status, labels != NULL);
    if (labels)
        look(ctx, labels);
    kldve_labels_free(labels);
    watch_close(ctx);
    return 0;
}
