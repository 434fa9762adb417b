/* many_line.c - a result in one line. */
#include <stdlib.h>
#include <string.h>

#include "cli/getters.h"
#include "cli/json.h"
#include "expected.h"
#include "many.h"

/* ---- for people --------------------------------------------------------------------------- */

/* "tabby 87.3 %", or a number. */
static void say_class(const explanation *e, int32_t index, FILE *to)
{
    bool number = e->record.scores == KLDVE_SCORES_NUMBER;
    char label[LABEL_SIZE];

    if (number)
        fprintf(to, "%s %.6g", network_label(&e->net, 0, label), (double)e->record.logit);
    else if (network_label(&e->net, index, label)) /* the first of its names */
        fprintf(to, "%.*s %.1f %%", (int)strcspn(label, ","), label,
                100 * classes_probability(e->map, index));
    else
        fprintf(to, "class %d %.1f %%", (int)index, 100 * classes_probability(e->map, index));
}

static void say_flags(const kldve_record *r, FILE *to)
{
    char list[LABEL_SIZE] = "";

    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1)
        if (r->flags & flag)
            list_name(list, sizeof list, kldve_result_flag_name(flag));
    if (*list)
        fprintf(to, " [%s]", list);
}

/* The first file that is written. */
static const char *file_of(const explain_args *args)
{
    const char *const files[] = {args->overlay, args->heat, args->map, args->dump};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i])
            return files[i];
    return NULL;
}

char *many_said(const explanation *e, const explain_args *args)
{
    char *text = NULL, words[2 * LABEL_SIZE];
    size_t nbytes;
    FILE *to = open_memstream(&text, &nbytes);

    if (!to)
        return NULL;
    print_text(to, args->picture.text[0]);
    fprintf(to, ": ");
    say_class(e, e->record.target, to);
    if (e->tops > 0 && e->top[0] != e->record.target) {
        fprintf(to, ", first is ");
        say_class(e, e->top[0], to);
    }
    if (args->expected) {
        expected_words(e, words);
        fprintf(to, ", %s", words);
    }
    say_flags(&e->record, to);
    if (file_of(args)) {
        fprintf(to, " -> ");
        print_text(to, file_of(args));
    }
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}

/* ---- as JSON ------------------------------------------------------------------------------ */

/* The object is freed. */
static char *one_line(json_object *object)
{
    char *line = json_text(object, JSON_C_TO_STRING_NOSLASHESCAPE);

    json_object_put(object);
    return line;
}

static json_object *new_files(const explain_args *args)
{
    json_object *object = json_object_new_object();

    if (object && (!args->overlay || json_put_text(object, "overlay", args->overlay)) &&
        (!args->heat || json_put_text(object, "heat", args->heat)) &&
        (!args->map || json_put_text(object, "map", args->map)) &&
        (!args->dump || json_put_text(object, "dump", args->dump)))
        return object;
    json_object_put(object);
    return NULL;
}

char *many_record(const many *m, const explanation *e, const explain_args *args, const char *print)
{
    json_object *object = record_new(e, args);

    if (object && json_put(object, "files", new_files(args)) &&
        json_put_text(object, "print", *print ? print : NULL) &&
        json_put_text(object, "run", m->run))
        return one_line(object);
    json_object_put(object);
    return NULL;
}

char *many_failure(const many *m, const char *picture, const char *why)
{
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "picture", picture) &&
        json_put_text(object, "failed", why) && json_put_text(object, "run", m->run))
        return one_line(object);
    json_object_put(object);
    return NULL;
}
