/* spec.c - what a result depends on, as one line of text: files by their digests, options by their
 * values. */
#include "spec.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cards.h"
#include "cli/sha256.h"

bool spec_open(spec *s)
{
    *s = (spec){.text = NULL};
    s->file = open_memstream(&s->text, &s->nbytes);
    return s->file != NULL;
}

char *spec_close(spec *s, bool ok)
{
    bool whole = fflush(s->file) == 0 && !ferror(s->file);

    if (fclose(s->file) != 0 || !whole) {
        complain("out of memory");
        ok = false;
    }
    if (ok)
        return s->text;
    free(s->text);
    return NULL;
}

void spec_add(spec *s, const char *format, ...)
{
    va_list args;

    if (s->begun)
        fputs(", ", s->file);
    s->begun = true;
    va_start(args, format);
    vfprintf(s->file, format, args);
    va_end(args);
}

void spec_add_text(spec *s, const char *key, const char *value)
{
    if (value)
        spec_add(s, "%s %s", key, value);
}

void spec_add_number(spec *s, const char *key, double value)
{
    if (value != 0)
        spec_add(s, "%s %.9g", key, value);
}

bool spec_add_file(spec *s, const char *key, const char *path)
{
    char hash[SHA256_TEXT];

    if (!path)
        return true;
    if (!sha256_file(path, hash))
        return false;
    spec_add(s, "%s sha256:%s", key, hash);
    return true;
}

/* ---- options ------------------------------------------------------------------------------ */

static bool is_in(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static void add_list(spec *s, const char *key, const arg_list *list)
{
    for (int32_t i = 0; i < list->count; i++)
        spec_add(s, "%s %s", key, list->text[i]);
}

static void add_option(spec *s, const arg_option *o, const unsigned char *at)
{
    const arg_numbers *numbers = (const void *)at;
    const arg_size *size = (const void *)at;

    switch (o->kind) {
    case ARG_FLAG:
        spec_add_number(s, o->name, *(const bool *)at);
        break;
    case ARG_STRING:
    case ARG_NEXT:
    case ARG_MODEL:
        spec_add_text(s, o->name, *(const char *const *)(const void *)at);
        break;
    case ARG_INT:
    case ARG_CHOICE:
        spec_add_number(s, o->name, *(const int32_t *)(const void *)at);
        break;
    case ARG_NUMBER:
        spec_add_number(s, o->name, *(const double *)(const void *)at);
        break;
    case ARG_NUMBERS:
        for (int32_t i = 0; i < numbers->count; i++)
            spec_add(s, "%s %.9g", o->name, numbers->value[i]);
        break;
    case ARG_SIZE:
        if (size->width > 0)
            spec_add(s, "%s %dx%d", o->name, (int)size->width, (int)size->height);
        break;
    case ARG_LIST:
        add_list(s, o->name, (const void *)at);
        break;
    case ARG_REST:
    case ARG_GROUP:
    case ARG_END:
        break;
    }
}

void spec_add_options(spec *s, const arg_option *table, const void *values,
                      const char *const *except)
{
    for (const arg_option *o = table; o->kind != ARG_END; o++)
        if (o->kind != ARG_GROUP && !is_in(except, o->name))
            add_option(s, o, (const unsigned char *)values + o->offset);
}

/* ---- a network ---------------------------------------------------------------------------- */

typedef struct weights {
    spec *spec;
    bool ok;
} weights;

static kldve_status add_weights(void *opaque, const char *file)
{
    weights *w = opaque;

    w->ok = spec_add_file(w->spec, "weights", file);
    return w->ok ? KLDVE_OK : KLDVE_E_IO;
}

static bool add_model(kldve_ctx *ctx, const network_args *args, spec *s)
{
    weights w = {s, true};

    if (!args->model) {
        spec_add(s, "built in"); /* the build says which */
        return true;
    }
    if (!spec_add_file(s, "file", args->model))
        return false;
    if (kldve_onnx_weight_files(ctx, args->model, add_weights, &w) == KLDVE_OK)
        return true;
    if (w.ok)
        complain_ctx(ctx, args->model, KLDVE_E_IO);
    return false;
}

static void add_numbers(spec *s, const char *key, const arg_numbers *list)
{
    for (int32_t i = 0; i < list->count; i++)
        spec_add(s, "%s %.9g", key, list->value[i]);
}

/* What the command line says instead of the card, or beside it. */
static bool add_arguments(const network_args *a, spec *s)
{
    spec_add_text(s, "select", a->select);
    spec_add_text(s, "picture-input", a->picture_input);
    spec_add_text(s, "layout", a->layout);
    spec_add_number(s, "scores", a->scores);
    spec_add_number(s, "channels", a->channels);
    spec_add_number(s, "scale", a->scale);
    add_numbers(s, "mean", &a->mean);
    add_numbers(s, "std", &a->std);
    spec_add_number(s, "resize", a->resize);
    spec_add_number(s, "crop", a->crop);
    spec_add_number(s, "fit", a->fit);
    spec_add_number(s, "deterministic", a->deterministic);
    spec_add_number(s, "interpolation", a->interpolation);
    add_numbers(s, "pad", &a->pad);
    if (a->grid.width > 0)
        spec_add(s, "grid %dx%d", (int)a->grid.width, (int)a->grid.height);
    if (a->size.width > 0)
        spec_add(s, "size %dx%d", (int)a->size.width, (int)a->size.height);
    for (int32_t i = 0; i < a->dim.count; i++)
        spec_add_text(s, "dim", a->dim.text[i]);
    for (int32_t i = 0; i < a->input.count; i++) {
        const char *file = given_file(a->input.text[i]);

        spec_add_text(s, "input", file ? NULL : a->input.text[i]);
        if (!spec_add_file(s, "input", file))
            return false;
    }
    return true;
}

/* As bytes: two cards that mean the same count as different ones. */
static bool add_card(const network *net, const network_args *args, spec *s)
{
    char *beside = args->card || !args->model ? NULL : card_beside(args->model);
    const char *labels = args->labels ? args->labels
                         : net->card  ? kldve_card_labels(net->card)
                                      : NULL;
    ready_card ready;
    bool is_ready = args->card && ready_card_named(args->card, &ready);
    bool ok = spec_add_file(s, "card",
                            is_ready     ? NULL
                            : args->card ? args->card
                            : net->card  ? beside
                                         : NULL) &&
              spec_add_file(s, "labels", args->model || args->labels || args->card ? labels : NULL);

    spec_add_text(s, "ready card", is_ready ? ready.name : NULL);
    free(beside);
    return ok;
}

bool spec_add_network(spec *s, const network *net, const network_args *args)
{
    if (!add_model(net->ctx, args, s))
        return false;
    spec_add(s, "layer %s", net->layer);
    spec_add(s, "logits %s", net->logits);
    return add_card(net, args, s) && add_arguments(args, s);
}
