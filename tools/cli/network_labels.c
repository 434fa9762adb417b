/* network_labels.c - the names of a network's classes. */
#include "tool.h"
#include "getters.h"

#include <stdio.h>
#include <string.h>

/* Labels of another network would name every class wrongly.  Of one score they may name "yes" alone
 * or both classes, of a number what it is. */
static bool check_labels(const network *n, const char *path)
{
    int32_t labels = kldve_labels_count(n->labels);
    bool number = n->shape.scores == KLDVE_SCORES_NUMBER;

    if (labels == (number ? 1 : n->shape.classes) || (n->shape.single && labels == 1))
        return true;
    if (number)
        complain("%s: %d labels, but %s gives one number: give its name alone, or --scores sigmoid",
                 path, (int)labels, n->name);
    else
        complain("%s: %d labels, but %s has %d classes: give its labels with --labels FILE", path,
                 (int)labels, n->name, (int)n->shape.classes);
    return false;
}

bool network_load_labels(network *n, const network_args *args)
{
    kldve_onnx_files demo = {.struct_size = sizeof demo};
    const char *path = args->labels ? args->labels : n->card ? kldve_card_labels(n->card) : NULL;
    kldve_status status = KLDVE_OK;

    if (!args->model && !args->labels && !args->card) {
        path = n->name;
        status = kldve_onnx_demo(&demo);
        if (status == KLDVE_OK)
            status = kldve_labels_parse(n->ctx, demo.labels, demo.labels_nbytes, &n->labels);
    } else if (path) {
        if (!input_take(path))
            return false;
        status = kldve_labels_load(n->ctx, path, &n->labels);
    }
    if (status != KLDVE_OK) {
        complain_ctx(n->ctx, path, status);
        return false;
    }
    return !n->labels || check_labels(n, path);
}

/* From the labels; NULL: there is none. */
static const char *listed_label(const network *n, int32_t index, char out[LABEL_SIZE])
{
    const char *label = n->labels ? name_of_class(n->labels, index) : NULL;

    if (!label)
        return NULL;
    clean_text(*label ? label : synset_of_class(n->labels, index), out, LABEL_SIZE);
    return out;
}

/* The second class of one score, or the second question about a number, from the name of the
 * first. */
static const char *opposite(const network *n, char out[LABEL_SIZE])
{
    bool number = n->shape.scores == KLDVE_SCORES_NUMBER;
    char first[LABEL_SIZE - 32] = "the number";

    if (!n->labels && !number)
        return strcpy(out, "no");
    if (n->labels)
        clean_text(name_of_class(n->labels, 0), first, sizeof first);
    snprintf(out, LABEL_SIZE, number ? "%s (why not higher)" : "not %s", first);
    return out;
}

const char *network_label(const network *n, int32_t index, char out[LABEL_SIZE])
{
    if (listed_label(n, index, out))
        return out;
    if (!n->shape.single)
        return NULL;
    if (index == 1)
        return opposite(n, out);
    return strcpy(out, n->shape.scores == KLDVE_SCORES_NUMBER ? "the number" : "yes");
}
