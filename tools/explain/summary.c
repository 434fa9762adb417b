/* summary.c - what kldve explain says to people. */
#include "explain.h"
#include "cli/getters.h"

#include <math.h>
#include <stdio.h>

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

static void say_class(const explanation *e, const explain_args *args, int32_t rank, int32_t index)
{
    size_t count;
    const float *logits = map_logits(e->map, &count);
    char label[LABEL_SIZE];

    if (!network_label(&e->net, index, label))
        snprintf(label, sizeof label, "class %d", (int)index);
    printf("%3d.  %6.2f %%  %9.4f  %6d  %s%s\n", (int)rank + 1,
           100 * classes_probability(e->map, index), (double)logits[index], (int)index, label,
           part_of(e, args, index));
}

/* The place of the target among all classes, from 0. */
static int32_t rank_of(const explanation *e, int32_t index)
{
    size_t count;
    const float *logits = map_logits(e->map, &count);
    int32_t rank = 0;

    for (int32_t i = 0; i < (int32_t)count; i++)
        rank += logits[i] > logits[index] || (i < index && logits[i] == logits[index]);
    return rank;
}

/* Of a network that gives one number. */
static void say_value(const explanation *e)
{
    char label[LABEL_SIZE];

    printf("%s %.6g   <- explained: %s\n", network_label(&e->net, 0, label),
           (double)e->record.logit, number_question(e->record.target));
    printf("(as the score of yes against no it would be a probability of %.2f %%)\n",
           100 * (double)e->record.sigmoid);
}

/* A class that the map is about, where it is not among the best. */
static void say_other(const explanation *e, const explain_args *args, int32_t index)
{
    for (int32_t i = 0; i < e->tops; i++)
        if (e->top[i] == index)
            return;
    say_class(e, args, rank_of(e, index), index);
}

static void say_classes(const explanation *e, const explain_args *args)
{
    printf("      probability  logit   class\n");
    for (int32_t i = 0; i < e->tops; i++)
        say_class(e, args, i, e->top[i]);
    if (args->target.count > 1)
        for (int32_t i = 0; i < args->target.count; i++)
            say_other(e, args, e->set[i]);
    else
        say_other(e, args, e->record.target);
    if (args->rival)
        say_other(e, args, e->rival);
    if (scores_meaning(&e->net.shape))
        printf("probability: %s\n", scores_meaning(&e->net.shape));
}

/* What everyone who sees the map should know, and why it is flat. */
static void say_flags(const explanation *e)
{
    const char *remark = kldve_heatmap_remark(e->map);

    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1)
        if (e->record.flags & flag)
            printf("note: %s%s%s\n", kldve_result_flag_sentence(flag),
                   flag == KLDVE_RESULT_FLAT && remark ? ": " : "",
                   flag == KLDVE_RESULT_FLAT && remark ? remark : "");
}

/* What --check measured. */
static void say_check(const kldve_record *r)
{
    printf("class sensitivity %.4f (0: the map does not depend on the class)\n",
           r->class_sensitivity);
    if (!isnan(r->faithfulness))
        printf("faithfulness %.4f, of a blob in the middle %.4f (insertion - deletion, %d passes): "
               "the score follows %s\n",
               r->faithfulness, r->faithfulness_control, (int)r->check_passes,
               r->faithfulness > r->faithfulness_control
                   ? "what the map marks"
                   : "a blob in the middle no less than the map");
}

/* The row of a detector that was picked, and its box in pixels of the picture. */
static void say_row(const kldve_record *r)
{
    if (r->row < 0)
        return;
    printf("row %d", (int)r->row);
    if (!isnan(r->box[0]))
        printf(", box %.1f, %.1f to %.1f, %.1f", (double)r->box[0], (double)r->box[1],
               (double)r->box[2], (double)r->box[3]);
    printf("\n");
}

/* Tokens of the layer that have no place in its maps. */
static void say_tokens(const explanation *e)
{
    kldve_onnx_choice c = {.struct_size = sizeof c};

    if (kldve_onnx_chosen(e->net.net, &c) == KLDVE_OK && c.leading > 0)
        printf(", %d token%s aside", (int)c.leading, c.leading > 1 ? "s" : "");
}

static void say_maps(const explanation *e)
{
    const kldve_shape *s = &e->net.shape;

    printf(", layer %s: %d maps of ", e->net.layer, (int)s->maps);
    if (s->frames > 1)
        printf("%d frames of ", (int)s->frames);
    printf("%d x %d", (int)(s->height / s->frames), (int)s->width);
}

static void say_method(const explanation *e, const explain_args *args)
{
    const kldve_record *r = &e->record;
    const kldve_shape *layer = &e->net.shape;
    bool reading = e->method->readings != 0;
    const char *note;
    kldve_options o;

    printf("%s%s%s", e->method->name, reading ? ", reading " : "",
           reading ? kldve_reading_name(r->reading) : "");
    if (layer->maps > 0)
        say_maps(e);
    say_tokens(e);
    if (r->height != layer->height || r->width != layer->width) /* of pixels, or of several */
        printf(", the map %d x %d", (int)r->height, (int)r->width);
    printf(", KL %.6g\n", r->kl);
    explain_options_of(e, args, &o);
    note = e->method->note ? e->method->note(&o) : NULL;
    if (note)
        printf("note: %s\n", note);
    say_flags(e);
    if (args->check)
        say_check(r);
}

static void say_files(const explain_args *args)
{
    const char *const files[] = {args->overlay, args->heat, args->map, args->dump, args->json};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i])
            printf("wrote %s\n", files[i]);
}

static void say_times(const explanation *e)
{
    const kldve_timings *t = &e->stages;

    printf("ms: load %.1f, decode %.1f, forward %.1f, divergence %.1f, backward %.1f, reduce %.1f, "
           "render %.1f, total %.1f\n",
           e->ms.load, e->ms.decode + t->preprocess, t->forward, t->divergence, t->backward,
           t->reduce, e->ms.render, e->ms.total);
}

void summary_print(const explanation *e, const explain_args *args)
{
    if (e->record.scores == KLDVE_SCORES_NUMBER)
        say_value(e);
    else
        say_classes(e, args);
    say_row(&e->record);
    say_method(e, args);
    say_files(args);
    say_times(e);
}
