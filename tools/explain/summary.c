/* summary.c - what kldve explain says to people: what the network said, where the map lies, what
 * was written.  The numbers that only programs need are in the record. */
#include "explain.h"
#include "cli/getters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "where.h"

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

/* ---- where it lies ------------------------------------------------------------------------ */

static void say_sides(FILE *out, const explanation *e, const where *w, bool is_row)
{
    char to[LABEL_SIZE], from[LABEL_SIZE];

    if (e->record.sign != KLDVE_SIGN_SIGNED) {
        where_say(w, WHERE_ALL, is_row, to, sizeof to);
        fprintf(out, "heat: %s %s\n", strncmp(to, "many", 4) == 0 ? "spread over" : "mostly at",
                to);
        return;
    }
    where_say(w, WHERE_FOR, is_row, to, sizeof to);
    where_say(w, WHERE_AGAINST, is_row, from, sizeof from);
    if (strcmp(to, from) == 0)
        fprintf(out, "heat: for and against it mostly at %s\n", to);
    else
        fprintf(out, "heat: for it mostly at %s;\n      against it mostly at %s\n",
                *to ? to : "no place", *from ? from : "no place");
}

static void say_where(FILE *out, const explanation *e)
{
    bool is_row = e->net.shape.in_height == 1;
    double share;
    where w;

    if (e->record.flags & KLDVE_RESULT_FLAT ||
        !where_read(e->net.ctx, e->map, e->net.shape.in_frames, &w))
        return;
    say_sides(out, e, &w, is_row);
    share = where_share(e->net.ctx, &w, e->record.sign == KLDVE_SIGN_SIGNED);
    if (!isnan(share))
        fprintf(out, "half of it lies on %.*f %% of the %s (50 %%: spread evenly)\n",
                share < 0.1 ? 1 : 0, 100 * share,
                is_row                       ? "input"
                : e->net.shape.in_frames > 1 ? "film"
                                             : "picture");
    where_free(&w);
}

static const double default_perplexity = 30; /* of kldve_options.perplexity */

/* Whether the truth's affinities are those of every class, because so few classes cannot have the
 * perplexity (KLDVE_RESULT_PERPLEXITY_LIMITED). */
static bool kl_is_blind(const explanation *e, const explain_args *args)
{
    double perplexity = args->perplexity > 0 ? args->perplexity : default_perplexity;
    size_t classes;

    map_logits(e->map, &classes);
    return !args->truth && classes > 2 && perplexity >= (double)classes - 1;
}

/* Whether the map depends on the perplexity that the classes cannot have; if not, the line of KL
 * has said it. */
static bool perplexity_matters(const explanation *e)
{
    size_t classes;

    map_logits(e->map, &classes);
    return e->record.reading == KLDVE_READING_CHANNEL ||
           (e->record.reading == KLDVE_READING_NEIGHBOURS &&
            e->record.neighbour_perplexity >= (double)classes - 1);
}

/* What the divergence says; of methods that use it. */
static void say_kl(FILE *out, const explanation *e, const explain_args *args)
{
    if (!e->method->readings || e->record.scores == KLDVE_SCORES_NUMBER || isnan(e->record.kl))
        return;
    fprintf(out, "KL %.3g: ", e->record.kl);
    if (kl_is_blind(e, args))
        fprintf(out, "the same for every class, because so few cannot have the perplexity %g\n",
                args->perplexity > 0 ? args->perplexity : default_perplexity);
    else
        fprintf(out, "how far the scores, in pairs, are from those of %s (0: the same)\n",
                args->truth              ? "the other network"
                : args->target.count > 1 ? "these classes alone"
                                         : "this class alone");
}

/* ---- how it was made ---------------------------------------------------------------------- */

/* Tokens of the layer that have no place in its maps. */
static void say_tokens(FILE *out, const explanation *e)
{
    kldve_onnx_choice c = {.struct_size = sizeof c};

    if (kldve_onnx_chosen(e->net.net, &c) == KLDVE_OK && c.leading > 0)
        fprintf(out, ", %d token%s aside", (int)c.leading, c.leading > 1 ? "s" : "");
}

static void say_maps(FILE *out, const explanation *e)
{
    const kldve_shape *s = &e->net.shape;

    fprintf(out, ", layer %s: %d maps of ", e->net.layer, (int)s->maps);
    if (s->frames > 1)
        fprintf(out, "%d frames of ", (int)s->frames);
    fprintf(out, "%d x %d", (int)(s->height / s->frames), (int)s->width);
}

static void say_method(FILE *out, const explanation *e)
{
    const kldve_record *r = &e->record;
    const kldve_shape *layer = &e->net.shape;
    bool reading = e->method->readings != 0;

    fprintf(out, "method: %s%s%s", e->method->name, reading ? ", reading " : "",
            reading ? kldve_reading_name(r->reading) : "");
    if (layer->maps > 0)
        say_maps(out, e);
    say_tokens(out, e);
    if (r->height != layer->height || r->width != layer->width) /* of pixels, or of several */
        fprintf(out, ", the map %d x %d", (int)r->height, (int)r->width);
    fprintf(out, "\n");
}

/* What everyone who sees the map should know, and why it is flat. */
static void say_flags(FILE *out, const explanation *e, const explain_args *args)
{
    bool only_kl = kl_is_blind(e, args) && !perplexity_matters(e);
    const char *remark = kldve_heatmap_remark(e->map);

    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1)
        if (e->record.flags & flag && !(flag == KLDVE_RESULT_PERPLEXITY_LIMITED && only_kl))
            fprintf(out, "note: %s%s%s\n", kldve_result_flag_sentence(flag),
                    flag == KLDVE_RESULT_FLAT && remark ? ": " : "",
                    flag == KLDVE_RESULT_FLAT && remark ? remark : "");
}

static void say_notes(FILE *out, const explanation *e, const explain_args *args)
{
    const char *note;
    kldve_options o;

    explain_options_of(e, args, &o);
    note = e->method->note ? e->method->note(&o) : NULL;
    if (note)
        fprintf(out, "note: %s\n", note);
    say_flags(out, e, args);
}

/* What --check measured. */
static void say_check(FILE *out, const kldve_record *r)
{
    fprintf(out, "class sensitivity %.2f (0: the map does not depend on the class)\n",
            r->class_sensitivity);
    if (!isnan(r->faithfulness))
        fprintf(out,
                "faithfulness %.2f, of a blob in the middle %.2f (%d passes): the score follows "
                "%s\n",
                r->faithfulness, r->faithfulness_control, (int)r->check_passes,
                r->faithfulness > r->faithfulness_control
                    ? "what the map marks"
                    : "a blob in the middle no less than the map");
}

/* What was chosen for the one who drew. */
static void say_drawing(FILE *out, const explanation *e, const explain_args *args)
{
    kldve_render_options o;

    if (!explain_drawn(e, args, &o))
        return;
    if (args->draw.clip < 0 && o.clip > 0 && o.view != KLDVE_VIEW_MASKED &&
        o.view != KLDVE_VIEW_OUTLINE)
        fprintf(out,
                "note: drawn with the strongest %g %% of the cells as the top of the scale: a few "
                "extreme ones would hide the rest (--clip 0 draws without)\n",
                (double)o.clip);
    if (args->draw.blur < 0 && o.blur > 0)
        fprintf(out,
                "note: drawn from a map blurred by %.3g pixels, so that it has areas (--blur 0 "
                "draws without)\n",
                (double)o.blur);
}

static void say_files(FILE *out, const explain_args *args)
{
    const char *const files[] = {args->overlay, args->heat, args->map, args->dump, args->json};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i])
            fprintf(out, "wrote %s\n", files[i]);
}

/* Seconds; the record has all stages in milliseconds. */
static void say_times(FILE *out, const explanation *e)
{
    double loading = e->ms.load + e->ms.decode;

    fprintf(out, "took %.2f s: loading %.2f, explaining %.2f, drawing and writing %.2f\n",
            e->ms.total / 1e3, loading / 1e3, (e->ms.total - loading - e->ms.render) / 1e3,
            e->ms.render / 1e3);
}

/* Beside a picture in the terminal only what is not in a table. */
static void say_all(FILE *out, const explanation *e, const explain_args *args)
{
    if (e->record.scores == KLDVE_SCORES_NUMBER)
        say_value(out, e);
    else if (!args->terminal)
        say_classes(out, e, args);
    say_row(out, &e->record);
    if (e->record.scores != KLDVE_SCORES_NUMBER)
        say_question(out, e, args);
    say_where(out, e);
    say_kl(out, e, args);
    if (args->check)
        say_check(out, &e->record);
    say_method(out, e);
    say_notes(out, e, args);
    say_drawing(out, e, args);
    say_files(out, args);
    if (!args->terminal)
        say_times(out, e);
}

/* The words come first because the picture has the room that they leave. */
bool summary_show(const explanation *e, const explain_args *args, bool words)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok;

    if (out && words)
        say_all(out, e, args);
    if (!out || fclose(out) != 0) {
        complain("out of memory");
        free(text);
        return false;
    }
    ok = !args->terminal || terminal_draw(e, args, text);
    if (ok)
        fputs(text, stdout);
    free(text);
    return ok;
}
