/* sheet_foot.c - what colours and figures mean, below the pictures. */
#include "grid/grid_flags.h"
#include "sheet_parts.h"
#include "cli/getters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* How many maps of one kind there are, and what part of their values lies above the end of the
 * colours. */
typedef struct shown_maps {
    int32_t maps, clipped;
    double clip; /* percent, the most of any map */
} shown_maps;

static double clip_of(const grid *g, const grid_cell *cell, const sheet_options *options)
{
    const grid_picture *picture = &g->picture[cell->picture];
    kldve_render_options o, drawn = KLDVE_RENDER_OPTIONS_INIT;

    drawing_render_options(&options->draw, &o);
    if (kldve_heatmap_render_defaults(g->ctx, cell->map, picture->width, picture->height, &o,
                                      &drawn) != KLDVE_OK)
        return 0;
    return fmax((double)drawn.clip, 0);
}

static shown_maps count_maps(const grid *g, const sheet_options *o, bool is_signed)
{
    shown_maps shown = {0, 0, 0};
    size_t cells =
        (size_t)g->pictures * (size_t)g->networks * (size_t)g->methods * (size_t)g->targets;

    for (size_t i = 0; i < cells; i++) {
        double clip;

        if (!g->cell[i].map || g->cell[i].is_signed != is_signed)
            continue;
        clip = clip_of(g, &g->cell[i], o);
        shown.maps++;
        shown.clipped += clip > 0;
        shown.clip = fmax(shown.clip, clip);
    }
    return shown;
}

/* How strongly a value covers the photograph, as the library draws it; with signs the colours
 * themselves fade to white. */
static double weight_of(const sheet_options *o, bool is_signed, double value)
{
    if (is_signed || o->draw.view == KLDVE_VIEW_CONTOURS)
        return 1;
    return (o->draw.opacity < 0 ? 0.75 : o->draw.opacity) * value;
}

static void draw_gradient(cairo_t *cairo, const sheet_options *o, bool is_signed, sheet_box box)
{
    enum { STOPS = 64 };
    cairo_pattern_t *gradient = cairo_pattern_create_linear(box.x, 0, box.x + box.width, 0);
    int32_t colormap = is_signed ? KLDVE_COLORMAP_DIVERGING : o->draw.colormap;

    for (int i = 0; i <= STOPS; i++) {
        double value = (double)i / STOPS;
        uint8_t rgb[3];

        kldve_colormap_rgb(colormap, (float)value, rgb);
        cairo_pattern_add_color_stop_rgba(gradient, value, rgb[0] / 255.0, rgb[1] / 255.0,
                                          rgb[2] / 255.0, weight_of(o, is_signed, value));
    }
    cairo_set_source(cairo, gradient);
    cairo_pattern_destroy(gradient);
    cairo_rectangle(cairo, box.x, box.y, box.width, box.height);
    cairo_fill(cairo);
    sheet_ink_set(cairo, INK_RULE);
    cairo_set_line_width(cairo, 0.4);
    cairo_rectangle(cairo, box.x, box.y, box.width, box.height);
    cairo_stroke(cairo);
}

/* The tick in the middle: what the colours show. */
static void say_middle(const shown_maps *shown, bool is_signed, char out[LABEL_SIZE])
{
    const char *what = is_signed ? "0" : "map value";

    if (shown->clipped == 0)
        snprintf(out, LABEL_SIZE, "%s", what);
    else if (shown->clipped < shown->maps)
        snprintf(out, LABEL_SIZE, "%s, some clipped", what);
    else
        snprintf(out, LABEL_SIZE, "%s, top %g %% clipped", what, shown->clip);
}

/* A colour bar with three ticks below; returns where it ends. */
static double draw_colour_bar(sheet_pen *pen, const sheet_layout *l, const sheet_options *o,
                              const shown_maps *shown, bool is_signed, double x, double y)
{
    static const sheet_align align[3] = {ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT};
    char middle[LABEL_SIZE];
    const char *ticks[3] = {is_signed ? "\xe2\x88\x92" : "0", middle, is_signed ? "+" : "1"};
    sheet_box bar = {x, y, 14 * l->font, 0.75 * l->font};

    say_middle(shown, is_signed, middle);
    draw_gradient(pen->cairo, o, is_signed, bar);
    for (int i = 0; i < 3; i++) {
        sheet_style s = sheet_style_of(sheet_small * l->font, false, INK_FAINT, align[i]);

        sheet_text(pen, ticks[i], bar.x, y + bar.height + 1.15 * l->font, bar.width, &s);
    }
    return x + bar.width;
}

/* What the map does to the photograph, in colours or in words. */
static void draw_legend(sheet_pen *pen, const sheet_layout *l, const grid *g,
                        const sheet_options *o, double x, double y)
{
    sheet_style s = sheet_style_of(sheet_small * l->font, false, INK_FAINT, ALIGN_LEFT);
    shown_maps plain, with_signs;

    if (o->draw.view == KLDVE_VIEW_MASKED || o->draw.view == KLDVE_VIEW_OUTLINE) {
        sheet_text(pen,
                   o->draw.view == KLDVE_VIEW_MASKED ? "shown where the map is hot"
                                                     : "outline: half of the map's energy",
                   x, y + 0.75 * l->font, 16 * l->font, &s);
        return;
    }
    plain = count_maps(g, o, false);
    with_signs = count_maps(g, o, true);
    if (plain.maps > 0)
        x = draw_colour_bar(pen, l, o, &plain, false, x, y) + 2 * l->font;
    if (with_signs.maps > 0)
        draw_colour_bar(pen, l, o, &with_signs, true, x, y);
}

/* What holds for all maps and is not said anywhere else. */
static void draw_remark(sheet_pen *pen, const sheet_layout *l, const grid *g, double x, double y,
                        double width)
{
    const char *title =
        l->kind == SHEET_COLUMNS_NETWORKS && l->row_head == 0 ? g->method[0].title : "";
    const char *slash = g->has_truth ? strrchr(g->truth.net.name, '/') : NULL;
    sheet_style s = sheet_style_of(sheet_small * l->font, false, INK_NORMAL,
                                   l->footer_lines > 2 ? ALIGN_LEFT : ALIGN_RIGHT);
    char text[2 * LABEL_SIZE], clean[2 * LABEL_SIZE];

    snprintf(text, sizeof text, "%s%s%s", title, g->has_truth ? "  truth: " : "",
             slash          ? slash + 1
             : g->has_truth ? g->truth.net.name
                            : "");
    clean_text(text, clean, sizeof clean);
    if (*clean)
        sheet_text(pen, clean, x, y, width, &s);
}

/* What the figures below the maps are, at the right of the colour bar or below it. */
static void draw_meaning(sheet_pen *pen, const sheet_layout *l, const grid *g, double x, double y)
{
    const kldve_metric *metric = map_metric(0);
    sheet_style s = sheet_style_of(sheet_small * l->font, false, INK_FAINT, ALIGN_LEFT);
    double sample = metric->is_share ? 3 * s.size : 0,
           room = sample > 0 ? sample + 0.6 * s.size : 0;
    double end = l->width - x, width = sheet_text_width(pen, metric->summary, &s);
    double left = l->footer_lines > 2 ? x : fmax(end - width - room, x);

    if (sample > 0)
        sheet_draw_bar(pen->cairo, left, y, sample, s.size, 0.3);
    sheet_text(pen, metric->summary, left + room, y, end - left - room, &s);
    draw_remark(pen, l, g, x, y + sheet_line * l->font, end - x);
}

const char *sheet_marks(const grid *g, uint64_t flags, char out[SHEET_MARKS])
{
    static const char *const mark[] = {"\xc2\xb9",     "\xc2\xb2",     "\xc2\xb3",
                                       "\xe2\x81\xb4", "\xe2\x81\xb5", "\xe2\x81\xb6",
                                       "\xe2\x81\xb7", "\xe2\x81\xb8"};
    uint64_t any = grid_flags(g);
    size_t used = 0, number = 0;

    *out = '\0';
    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1) {
        if (!(any & flag) || number == sizeof mark / sizeof *mark)
            continue;
        if (flags & flag && used + 4 < SHEET_MARKS)
            used += (size_t)snprintf(out + used, SHEET_MARKS - used, "%s", mark[number]);
        number++;
    }
    return out;
}

/* What everyone who sees the maps should know, a line each, below everything else. */
static void draw_flags(sheet_pen *pen, const sheet_layout *l, const grid *g, double x)
{
    sheet_style s = sheet_style_of(sheet_small * l->font, false, INK_NORMAL, ALIGN_LEFT);
    int32_t below = l->of.flag_lines - 1 + l->paged;
    double y = l->height - l->margin - sheet_line * l->font * below - 0.3 * l->font;
    char mark[SHEET_MARKS], scope[LABEL_SIZE], text[4 * LABEL_SIZE];

    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1) {
        if (!(grid_flags(g) & flag))
            continue;
        snprintf(text, sizeof text, "%s %s: %s", sheet_marks(g, flag, mark),
                 grid_flag_scope(g, flag, scope, sizeof scope), kldve_result_flag_sentence(flag));
        s.size = sheet_small * l->font;
        while (s.size > 5 && sheet_text_width(pen, text, &s) > l->width - l->margin - x)
            s.size *= 0.96;
        sheet_text(pen, text, x, y, l->width - l->margin - x, &s);
        y += sheet_line * l->font;
    }
}

/* "2 / 5" */
static void draw_page_number(sheet_pen *pen, const sheet_layout *l, int32_t page)
{
    sheet_style s = sheet_style_of(sheet_small * l->font, false, INK_FAINT, ALIGN_RIGHT);
    char text[32];

    snprintf(text, sizeof text, "%d / %d", (int)page + 1, (int)l->pages);
    sheet_text(pen, text, l->margin, l->height - l->margin - 0.3 * l->font,
               l->width - 2 * l->margin, &s);
}

/* Below the pictures, but at least as wide as its texts. */
static double foot_left(const sheet_layout *l)
{
    double wanted = fmin(44 * l->font, l->width - 2 * l->margin);

    return fmin(sheet_content_left(l), (l->width - wanted) / 2);
}

void sheet_draw_foot(sheet_pen *pen, const sheet_layout *l, const grid *g, const sheet_options *o,
                     int32_t page)
{
    double left = foot_left(l), y = l->height - l->margin - l->footer;

    y += 1.1 * l->font;
    draw_legend(pen, l, g, o, left, y);
    y += 0.65 * l->font;
    draw_meaning(pen, l, g, left, y + (l->footer_lines > 2 ? 2.5 * l->font : 0));
    draw_flags(pen, l, g, left);
    if (l->pages > 1)
        draw_page_number(pen, l, page);
}
