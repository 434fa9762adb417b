/* pair.c - two pictures beside each other.  The pictures are copied; only the strips with text are
 * drawn by cairo. */
#include "pair.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "pair_parts.h"
#include "sheet_parts.h"

/* Fontconfig is shared by all threads. */
static pthread_mutex_t fonts = PTHREAD_MUTEX_INITIALIZER;

/* A strip of text into the rows of the picture from `top` on; false: out of memory. */
static bool copy_strip(cairo_surface_t *surface, kldve_image *to, int32_t top, int32_t height)
{
    size_t width = (size_t)kldve_image_width(to);
    const unsigned char *from;
    size_t stride;

    cairo_surface_flush(surface);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        return false;
    from = cairo_image_surface_get_data(surface);
    stride = (size_t)cairo_image_surface_get_stride(surface);
    for (size_t y = 0; y < (size_t)height; y++) {
        uint8_t *row = kldve_image_edit(to) + 3 * ((size_t)top + y) * width;

        for (size_t x = 0; x < width; x++) {
            uint32_t pixel;

            memcpy(&pixel, from + y * stride + 4 * x, sizeof pixel);
            row[3 * x] = (uint8_t)(pixel >> 16);
            row[3 * x + 1] = (uint8_t)(pixel >> 8);
            row[3 * x + 2] = (uint8_t)pixel;
        }
    }
    return true;
}

typedef void (*strip_text)(sheet_pen *pen, const pair_layout *l, const pair_text *text);

static void draw_heads(sheet_pen *pen, const pair_layout *l, const pair_text *text)
{
    const sheet_style small = sheet_style_of(l->font * sheet_small, false, INK_FAINT, ALIGN_LEFT);
    const sheet_style bold = sheet_style_of(l->font, true, INK_STRONG, ALIGN_LEFT);

    for (int side = 0; side < 2; side++) {
        const char *const *lines = side == 0 ? text->left : text->right;
        double x = side == 0 ? l->margin : l->right;

        sheet_text(pen, lines[0], x, 1.3 * l->font, l->width, &small);
        sheet_text(pen, lines[1], x, 2.6 * l->font, l->width, &bold);
    }
}

static void draw_foot(sheet_pen *pen, const pair_layout *l, const pair_text *text)
{
    const sheet_style normal = sheet_style_of(l->font, false, INK_NORMAL, ALIGN_LEFT);

    sheet_text(pen, text->foot, l->margin, 1.4 * l->font, l->whole_width - 2.0 * l->margin,
               &normal);
}

static bool draw_strip(const pair_layout *l, const pair_text *text, strip_text draw, int32_t top,
                       int32_t height, kldve_image *to)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, l->whole_width, height);
    cairo_t *cairo = cairo_create(surface);
    sheet_pen pen;
    bool ok;

    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    sheet_pen_open(&pen, cairo, NULL);
    draw(&pen, l, text);
    sheet_pen_close(&pen);
    ok = copy_strip(surface, to, top, height);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return ok;
}

kldve_status pair_write(kldve_ctx *ctx, const pair_layout *l, const pair_text *text,
                        kldve_image *to)
{
    bool ok;

    pthread_mutex_lock(&fonts);
    ok = draw_strip(l, text, draw_heads, 0, l->head, to) &&
         draw_strip(l, text, draw_foot, l->head + l->height, l->foot, to);
    pthread_mutex_unlock(&fonts);
    return ok ? KLDVE_OK : kldve_ctx_failf(ctx, KLDVE_E_NOMEM, "no memory for the captions");
}
