/* summary_answer.c - the first half of the summary: what the network said of the picture, and what
 * of that is explained. */
#include "explain.h"
#include "cli/getters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_SIZE = 32 };

/* A probability with the digits that matter. */
static const char *percent(double p, char text[NUMBER_SIZE])
{
    if (p > 0 && p < 1e-4)
        snprintf(text, NUMBER_SIZE, "less than 0.01 %%");
    else if (p < 1 && p > 0.9995)
        snprintf(text, NUMBER_SIZE, "more than 99.9 %%");
    else
        snprintf(text, NUMBER_SIZE, p < 0.1 ? "%.2f %%" : "%.1f %%", 100 * p);
    return text;
}

static const char *class_name(const explanation *e, int32_t index, char label[LABEL_SIZE])
{
    if (!network_label(&e->net, index, label))
        snprintf(label, LABEL_SIZE, "class %d", (int)index);
    return label;
}

/* The first of several names, "tailed frog" of "tailed frog, bell toad". */
static const char *short_name(const explanation *e, int32_t index, char label[LABEL_SIZE])
{
    class_name(e, index, label);
    label[strcspn(label, ",")] = '\0';
    return label;
}

/* ---- the classes -------------------------------------------------------------------------- */

/* What the map is about: "" of a class that it is not about. */
static const char *part_of(const explanation *e, const explain_args *args, int32_t index)
{
    bool explained = index == e->record.target;

    for (int32_t i = 0; args->target.count > 1 && i < args->target.count; i++)
        explained = explained || e->set[i] == index;
    if (explained)
        return "   <- explained";
    return args->rival && index == e->rival ? "   <- the rival" : "";
}

static void say_class(FILE *out, const explanation *e, const explain_args *args, int32_t rank,
                      int32_t index)
{
    size_t count;
    const float *logits = map_logits(e->map, &count);
    char label[LABEL_SIZE];

    fprintf(out, "%3d.  %6.2f %%  %9.2f  %6d  %s%s\n", (int)rank + 1,
            100 * classes_probability(e->map, index), (double)logits[index], (int)index,
            class_name(e, index, label), part_of(e, args, index));
}

/* The place of a class among all, from 0. */
static int32_t rank_of(const explanation *e, int32_t index)
{
    size_t count;
    const float *logits = map_logits(e->map, &count);
    int32_t rank = 0;

    for (int32_t i = 0; i < (int32_t)count; i++)
        rank += logits[i] > logits[index] || (i < index && logits[i] == logits[index]);
    return rank;
}

/* A class that the map is about, where it is not among the best. */
static void say_other(FILE *out, const explanation *e, const explain_args *args, int32_t index)
{
    for (int32_t i = 0; i < e->tops; i++)
        if (e->top[i] == index)
            return;
    say_class(out, e, args, rank_of(e, index), index);
}

static void say_classes(FILE *out, const explanation *e, const explain_args *args)
{
    fprintf(out, "      probability  score   class\n");
    for (int32_t i = 0; i < e->tops; i++)
        say_class(out, e, args, i, e->top[i]);
    if (args->target.count > 1)
        for (int32_t i = 0; i < args->target.count; i++)
            say_other(out, e, args, e->set[i]);
    else
        say_other(out, e, args, e->record.target);
    if (args->rival)
        say_other(out, e, args, e->rival);
    if (scores_meaning(&e->net.shape))
        fprintf(out, "probability: %s\n", scores_meaning(&e->net.shape));
}

/* ---- what is explained -------------------------------------------------------------------- */

/* Of a network that gives one number. */
static void say_value(FILE *out, const explanation *e)
{
    char label[LABEL_SIZE], number[NUMBER_SIZE];

    fprintf(out, "%s %.6g   <- explained: %s\n", network_label(&e->net, 0, label),
            (double)e->record.logit, number_question(e->record.target));
    fprintf(out, "(as the score of yes against no it would be a probability of %s)\n",
            percent((double)e->record.sigmoid, number));
}

/* "cat (88.9 %)" */
static void say_with_probability(FILE *out, const explanation *e, int32_t index)
{
    char label[LABEL_SIZE], number[NUMBER_SIZE];

    fprintf(out, "%s (%s)", short_name(e, index, label),
            percent(classes_probability(e->map, index), number));
}

static void say_set(FILE *out, const explanation *e, const explain_args *args)
{
    char label[LABEL_SIZE];

    for (int32_t i = 0; i < args->target.count; i++)
        fprintf(out, "%s%s", i > 0 ? " or " : "", short_name(e, e->set[i], label));
    fprintf(out, ": why one of these");
}

/* What the target stands against: the best class, or the second where the target is the best. */
static void say_next(FILE *out, const explanation *e)
{
    int32_t target = e->record.target;

    if (e->tops > 0 && e->top[0] != target) {
        fprintf(out, "; the network says ");
        say_with_probability(out, e, e->top[0]);
    } else if (e->tops > 1) {
        fprintf(out, "; runner-up: ");
        say_with_probability(out, e, e->top[1]);
    }
}

static void say_question(FILE *out, const explanation *e, const explain_args *args)
{
    fprintf(out, "explained: ");
    if (args->target.count > 1) {
        say_set(out, e, args);
    } else {
        say_with_probability(out, e, e->record.target);
        if (args->rival) {
            fprintf(out, ", and not ");
            say_with_probability(out, e, e->rival);
        } else {
            say_next(out, e);
        }
    }
    fprintf(out, "\n");
}

/* The row of a detector that was picked, and its box in pixels of the picture. */
static void say_row(FILE *out, const kldve_record *r)
{
    if (r->row < 0)
        return;
    fprintf(out, "row %d", (int)r->row);
    if (!isnan(r->box[0]))
        fprintf(out, ", box %.1f, %.1f to %.1f, %.1f", (double)r->box[0], (double)r->box[1],
                (double)r->box[2], (double)r->box[3]);
    fprintf(out, "\n");
}

void summary_answer(FILE *out, const explanation *e, const explain_args *args)
{
    if (e->record.scores == KLDVE_SCORES_NUMBER)
        say_value(out, e);
    else if (!args->terminal)
        say_classes(out, e, args);
    say_row(out, &e->record);
    if (e->record.scores != KLDVE_SCORES_NUMBER)
        say_question(out, e, args);
}
