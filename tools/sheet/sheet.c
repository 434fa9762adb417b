/* sheet.c - the grid as one file: the surface to draw on, the bytes that it leaves. */
#include "grid/grid_flags.h"
#include "sheet_parts.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct buffer {
    unsigned char *bytes;
    size_t size, room;
} buffer;

static cairo_status_t append(void *closure, const unsigned char *data, unsigned int length)
{
    buffer *b = closure;

    if (length > b->room - b->size) {
        size_t room = (b->size + length) * 2;
        unsigned char *bytes = realloc(b->bytes, room);

        if (!bytes)
            return CAIRO_STATUS_NO_MEMORY;
        b->bytes = bytes;
        b->room = room;
    }
    memcpy(b->bytes + b->size, data, length);
    b->size += length;
    return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *new_surface(sheet_format f, const sheet_layout *l, buffer *b)
{
    switch (f) {
    case SHEET_SVG:
        return cairo_svg_surface_create_for_stream(append, b, l->width, l->height);
    case SHEET_PDF:
        return cairo_pdf_surface_create_for_stream(append, b, l->width, l->height);
    case SHEET_PNG:
        break;
    }
    return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(l->width * l->scale),
                                      (int)lround(l->height * l->scale));
}

static int32_t flag_lines(const grid *g)
{
    int32_t lines = 0;

    for (uint64_t flag = 1; kldve_result_flag_name(flag); flag <<= 1)
        lines += (grid_flags(g) & flag) != 0;
    return lines;
}

static sheet_extent extent_of(const grid *g)
{
    return (sheet_extent){
        .pictures = g->pictures,
        .networks = g->networks,
        .methods = g->methods,
        .targets = g->targets,
        .aspect = sheet_tallest(g),
        .flag_lines = flag_lines(g),
        .has_truth = g->has_truth,
        .says_target = g->targets > 1 || strcmp(g->target[0], "top1") != 0,
    };
}

/* The layout depends on the width of texts.  So measure them first, with a pen on a surface that is
 * then thrown away. */
static bool lay_out(sheet_layout *l, const grid *g, const sheet_options *o, sheet_format f)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cairo = cairo_create(surface);
    const sheet_extent of = extent_of(g);
    sheet_pen pen;

    sheet_layout_across(l, &of, o, f);
    sheet_pen_open(&pen, cairo, o->font);
    l->heading_lines = sheet_heading_lines(&pen, l, g);
    sheet_pen_close(&pen);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return sheet_layout_down(l, o, f);
}

/* Give the PNG a physical size of 300 dpi, so that it prints as wide as was asked for: a pHYs
 * chunk, 11811 pixels for a metre both ways, with its checksum, after the header of 33 bytes. */
static bool write_png(const char *path, const buffer *b, bool paper)
{
    static const unsigned char physical[] = {0,    0,    0, 9,    'p',  'H',  'Y',
                                             's',  0,    0, 0x2e, 0x23, 0,    0,
                                             0x2e, 0x23, 1, 0x78, 0xa5, 0x3f, 0x76};
    enum { HEADER = 33 };
    const output_part part[3] = {{b->bytes, HEADER},
                                 {physical, paper ? sizeof physical : 0},
                                 {b->bytes + HEADER, b->size - HEADER}};

    return output_write(path, part, 3);
}

static cairo_status_t draw(cairo_surface_t *surface, sheet_format f, const sheet_layout *l,
                           const grid *g, const sheet_options *o, buffer *b, bool *said)
{
    cairo_t *cairo = cairo_create(surface);
    cairo_status_t status;
    sheet_pen pen;

    if (f == SHEET_PNG)
        cairo_scale(cairo, l->scale, l->scale);
    sheet_pen_open(&pen, cairo, o->font);
    for (int32_t page = 0; page < l->pages && !*said; page++) {
        *said = !sheet_draw_page(&pen, l, g, o, page);
        if (l->pages > 1)
            cairo_show_page(cairo);
    }
    sheet_pen_close(&pen);
    status = cairo_status(cairo);
    cairo_destroy(cairo);
    if (status == CAIRO_STATUS_SUCCESS && !*said && f == SHEET_PNG)
        status = cairo_surface_write_to_png_stream(surface, append, b);
    cairo_surface_finish(surface);
    return status != CAIRO_STATUS_SUCCESS ? status : cairo_surface_status(surface);
}

bool sheet_write(const grid *g, const sheet_options *o, const char *path)
{
    sheet_format f = sheet_format_of(path);
    buffer b = {NULL, 0, 0};
    sheet_layout l;
    cairo_surface_t *surface;
    cairo_status_t status;
    bool said = false, ok;

    if (!lay_out(&l, g, o, f))
        return false;
    surface = new_surface(f, &l, &b);
    status = draw(surface, f, &l, g, o, &b, &said);
    cairo_surface_destroy(surface);
    ok = status == CAIRO_STATUS_SUCCESS && !said;
    if (!ok && !said)
        complain("%s: cannot draw: %s", path, cairo_status_to_string(status));
    if (ok && f == SHEET_PNG)
        ok = write_png(path, &b, !o->slide);
    else if (ok)
        ok = output_write(path, &(output_part){b.bytes, b.size}, 1);
    sheet_layout_free(&l);
    free(b.bytes);
    return ok;
}
