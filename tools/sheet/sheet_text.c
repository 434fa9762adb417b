/* sheet_text.c - text of a sheet: one paragraph at a time, cut where there is no room. */
#include "sheet_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char default_family[] = "Inter,Noto Sans,Liberation Sans,DejaVu Sans,sans-serif";

/* Sizes and places that do not depend on the pixels: the same sheet in every format. */
static void set_font_options(PangoLayout *layout)
{
    cairo_font_options_t *o = cairo_font_options_create();

    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(pango_layout_get_context(layout), o);
    cairo_font_options_destroy(o);
}

void sheet_pen_open(sheet_pen *pen, cairo_t *cairo, const char *family)
{
    PangoContext *context;

    /* Not the thread's default font map, because that is never freed. */
    pen->cairo = cairo;
    pen->map = pango_cairo_font_map_new();
    context = pango_font_map_create_context(pen->map);
    pango_cairo_update_context(cairo, context);
    pen->layout = pango_layout_new(context);
    g_object_unref(context);
    pen->font = pango_font_description_new();
    set_font_options(pen->layout);
    /* Otherwise letters would sit on whole points and look spaced out. */
    pango_context_set_round_glyph_positions(pango_layout_get_context(pen->layout), FALSE);
    pango_font_description_set_family(pen->font, family ? family : default_family);
    /* Labels come from files: whatever they hold, they are one paragraph. */
    pango_layout_set_single_paragraph_mode(pen->layout, TRUE);
    /* Names from right to left stay where they belong and are not moved to the right margin. */
    pango_layout_set_auto_dir(pen->layout, FALSE);
    pango_layout_set_ellipsize(pen->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_wrap(pen->layout, PANGO_WRAP_WORD_CHAR);
}

void sheet_pen_close(sheet_pen *pen)
{
    if (pen->font)
        pango_font_description_free(pen->font);
    if (pen->layout)
        g_object_unref(pen->layout);
    if (pen->map)
        g_object_unref(pen->map);
    memset(pen, 0, sizeof *pen);
}

void sheet_ink_set(cairo_t *cairo, sheet_ink ink)
{
    static const double grey[] = {
        [INK_STRONG] = 0.07, [INK_NORMAL] = 0.2, [INK_FAINT] = 0.42, [INK_RULE] = 0.85};

    cairo_set_source_rgb(cairo, grey[ink], grey[ink], grey[ink]);
}

/* A negative width: no limit. */
static void set(sheet_pen *pen, const char *text, double width, const sheet_style *style)
{
    static const PangoAlignment align[] = {
        [ALIGN_LEFT] = PANGO_ALIGN_LEFT,
        [ALIGN_CENTRE] = PANGO_ALIGN_CENTER,
        [ALIGN_RIGHT] = PANGO_ALIGN_RIGHT,
    };

    pango_font_description_set_absolute_size(pen->font, style->size * PANGO_SCALE);
    pango_font_description_set_weight(pen->font,
                                      style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(pen->layout, pen->font);
    pango_layout_set_width(pen->layout, width < 0 ? -1 : (int)ceil(width * PANGO_SCALE));
    pango_layout_set_height(pen->layout, style->lines > 1 ? -style->lines : -1);
    pango_layout_set_alignment(pen->layout, align[style->align]);
    pango_layout_set_text(pen->layout, text, -1);
}

/* File names have underscores where other texts have spaces, so a line may break after one.  It
 * gets no hyphen, which would change the name.  Strings are short: LABEL_SIZE. */
static void set_wrapping(sheet_pen *pen, const char *text, double width, const sheet_style *style)
{
    static const char may_break[] = "\xe2\x80\x8b"; /* space of no width */
    char broken[4 * LABEL_SIZE];
    size_t used = 0;
    PangoAttrList *attributes = pango_attr_list_new();

    for (; *text && used + 4 < sizeof broken; text++) {
        broken[used++] = *text;
        if (*text == '_') {
            memcpy(broken + used, may_break, 3);
            used += 3;
        }
    }
    broken[used] = '\0';
    set(pen, broken, width, style);
    pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    pango_layout_set_attributes(pen->layout, attributes);
    pango_attr_list_unref(attributes);
}

static double width_of(sheet_pen *pen)
{
    int width, height;

    pango_layout_get_size(pen->layout, &width, &height);
    return (double)width / PANGO_SCALE;
}

double sheet_text(sheet_pen *pen, const char *text, double x, double y, double width,
                  const sheet_style *style)
{
    set(pen, text, width, style);
    sheet_ink_set(pen->cairo, style->ink);
    cairo_move_to(pen->cairo, x, y - (double)pango_layout_get_baseline(pen->layout) / PANGO_SCALE);
    pango_cairo_show_layout(pen->cairo, pen->layout);
    return width_of(pen);
}

void sheet_text_above(sheet_pen *pen, const char *text, double x, double y, double width,
                      const sheet_style *style)
{
    PangoLayoutIter *iter;
    int baseline;

    set_wrapping(pen, text, width, style);
    iter = pango_layout_get_iter(pen->layout);
    while (pango_layout_iter_next_line(iter))
        ;
    baseline = pango_layout_iter_get_baseline(iter);
    pango_layout_iter_free(iter);
    sheet_ink_set(pen->cairo, style->ink);
    cairo_move_to(pen->cairo, x, y - (double)baseline / PANGO_SCALE);
    pango_cairo_show_layout(pen->cairo, pen->layout);
    pango_layout_set_attributes(pen->layout, NULL);
}

int32_t sheet_text_lines(sheet_pen *pen, const char *text, double width, const sheet_style *style)
{
    int32_t lines;

    set_wrapping(pen, text, width, style);
    lines = pango_layout_get_line_count(pen->layout);
    pango_layout_set_attributes(pen->layout, NULL);
    return lines;
}

double sheet_text_width(sheet_pen *pen, const char *text, const sheet_style *style)
{
    set(pen, text, -1, style);
    return width_of(pen);
}

void sheet_share(double share, char *out, size_t size)
{
    static const char space[] = "\xe2\x80\xaf"; /* narrow, no break */

    if (share > 0 && share < 0.0005)
        snprintf(out, size, "<%s0.1%s%%", space, space);
    else
        snprintf(out, size, "%.*f%s%%", share < 0.0995 ? 1 : 0, 100 * share, space);
}

void sheet_certainty(const grid_class *c, char *out, size_t size)
{
    if (isnan(c->probability))
        snprintf(out, size, "%.4g", (double)c->logit);
    else
        sheet_share(c->probability, out, size);
}

void sheet_draw_bar(cairo_t *cairo, double x, double y, double width, double size, double share)
{
    double height = 0.3 * size, top = y - 0.27 * size - height / 2;

    sheet_ink_set(cairo, INK_RULE);
    cairo_rectangle(cairo, x, top, width, height);
    cairo_fill(cairo);
    cairo_set_source_rgb(cairo, 0.13, 0.4, 0.6);
    cairo_rectangle(cairo, x, top, width * share, height);
    cairo_fill(cairo);
}
