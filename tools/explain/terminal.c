/* terminal.c - the heat over the picture in a terminal.  A cell shows two pixels: the upper one as
 * an upper half block in the foreground colour, the lower one as the background. */
#include "explain.h"

#include <stdio.h>
#include <stdlib.h>

#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS = 80, MOST_COLUMNS = 400, MOST_ROWS = 200 };

/* The width of the terminal; without a terminal, COLUMNS from the environment, or 80 cells. */
static int32_t columns(void)
{
    const char *said = getenv("COLUMNS");
    struct winsize size;
    long n = said ? strtol(said, NULL, 10) : 0;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        n = size.ws_col;
    return n < 1 ? COLUMNS : n > MOST_COLUMNS ? MOST_COLUMNS : (int32_t)n;
}

/* The largest size with the picture's proportions that fits, with an even height.  Cells are twice
 * as high as wide, so half cells are square. */
static void fit(int32_t width, int32_t height, int32_t *cells, int32_t *halves)
{
    double scale = (double)columns() / width;

    if (height * scale > 2.0 * MOST_ROWS)
        scale = 2.0 * MOST_ROWS / height;
    if (scale > 1)
        scale = 1;
    *cells = (int32_t)(width * scale + 0.5);
    *cells = *cells < 1 ? 1 : *cells;
    *halves = 2 * (int32_t)(height * scale / 2 + 0.5);
    *halves = *halves < 2 ? 2 : *halves;
}

static void draw(const kldve_image *image)
{
    int32_t width = kldve_image_width(image), height = kldve_image_height(image);
    const uint8_t *rgb = kldve_image_pixels(image);

    for (int32_t y = 0; y + 1 < height; y += 2) {
        for (int32_t x = 0; x < width; x++) {
            const uint8_t *a = rgb + 3 * ((size_t)y * (size_t)width + (size_t)x);
            const uint8_t *b = a + 3 * (size_t)width;

            printf("\033[38;2;%d;%d;%d;48;2;%d;%d;%dm\xe2\x96\x80", a[0], a[1], a[2], b[0], b[1],
                   b[2]);
        }
        printf("\033[0m\n");
    }
}

bool terminal_draw(const explanation *e, const explain_args *args)
{
    kldve_image *image = NULL, *small = NULL;
    kldve_status status = explain_render(e, args, e->picture, &image);
    int32_t cells, halves;

    if (status == KLDVE_OK) {
        fit(kldve_image_width(image), kldve_image_height(image), &cells, &halves);
        status = kldve_image_resize(e->net.ctx, image, cells, halves, &small);
    }
    if (status == KLDVE_OK)
        draw(small);
    else
        complain_ctx(e->net.ctx, args->picture.text[0], status);
    kldve_image_free(small);
    kldve_image_free(image);
    return status == KLDVE_OK;
}
