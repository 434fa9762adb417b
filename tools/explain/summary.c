/* summary.c - what kldve explain says to people: what the network said, where the map lies, what
 * was written.  The numbers that only programs need are in the record. */
#include "explain.h"
#include "cli/getters.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "where.h"

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
static bool kl_is_blind(const explain_args *args, size_t classes)
{
    double perplexity = args->perplexity > 0 ? args->perplexity : default_perplexity;

    return !args->truth && classes > 2 && perplexity >= (double)classes - 1;
}

/* What the divergence says; of methods that use it. */
static void say_kl(FILE *out, const explanation *e, const explain_args *args)
{
    size_t classes;

    if (!e->method->readings || e->record.scores == KLDVE_SCORES_NUMBER || isnan(e->record.kl))
        return;
    map_logits(e->map, &classes);
    fprintf(out, "KL %.3g: ", e->record.kl);
    if (kl_is_blind(args, classes))
        fprintf(out,
                "the same for every class, because %zu classes cannot reach the perplexity %g\n",
                classes, args->perplexity > 0 ? args->perplexity : default_perplexity);
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

    fprintf(out, ", layer ");
    print_text(out, e->net.layer);
    fprintf(out, ": %d maps of ", (int)s->maps);
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
static void say_flags(FILE *out, const explanation *e)
{
    const char *remark = kldve_heatmap_remark(e->map);

    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1)
        if (e->record.flags & flag)
            fprintf(out, "note: %s%s%s\n", kldve_result_flag_sentence(flag),
                    flag == KLDVE_RESULT_FLAT && remark ? ": " : "",
                    flag == KLDVE_RESULT_FLAT && remark ? remark : "");
}

/* Options that were accepted because of KL alone. */
static void say_only_kl(FILE *out, const explanation *e, const explain_args *args)
{
    const method_use use = {e->method, e->record.reading};
    const struct {
        const char *name;
        bool given;
        uint64_t option;
    } option[] = {{"temperature", args->temperature > 0, KLDVE_OPTION_TEMPERATURE},
                  {"perplexity", args->perplexity > 0, KLDVE_OPTION_PERPLEXITY}};

    for (size_t i = 0; i < sizeof option / sizeof *option; i++)
        if (option[i].given && !read_option(&use, option[i].option))
            fprintf(out,
                    "note: --%s changes KL alone: a map of the reading %s does not depend on it\n",
                    option[i].name, kldve_reading_name(e->record.reading));
}

static void say_notes(FILE *out, const explanation *e, const explain_args *args)
{
    const char *note;
    kldve_options o;

    explain_options_of(e, args, &o);
    note = e->method->note ? e->method->note(&o) : NULL;
    if (note)
        fprintf(out, "note: %s\n", note);
    say_only_kl(out, e, args);
    say_flags(out, e);
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
            print_wrote(out, files[i]);
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
    summary_answer(out, e, args);
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
