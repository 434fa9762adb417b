/* terminal.c - the heat over the picture in a terminal.  A cell shows two pixels: the upper one as
 * an upper half block in the foreground colour, the lower one as the background.  Where the locale
 * has no such character, a cell shows one pixel twice. */
#include "explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/screen.h"

enum { LEAST_ROWS = 8 /* of a picture above a long summary */ };

int terminal_check(void)
{
    const char *no = getenv("NO_COLOR");

    if (no && *no)
        return args_usage("explain", "--terminal: the environment has NO_COLOR, and a picture in "
                                     "the terminal is nothing but colours: unset it, or give -o "
                                     "FILE.png");
    if (screen_colours_of(STDOUT_FILENO) == SCREEN_PLAIN)
        return args_usage("explain",
                          "--terminal: this terminal has no colours (TERM is %s): give -o FILE.png",
                          getenv("TERM") ? getenv("TERM") : "not set");
    return EXIT_DONE;
}

/* ---- size --------------------------------------------------------------------------------- */

/* Lines of the terminal that `text` takes; a longer line goes on in the next. */
static int32_t lines_of(const char *text, int32_t columns)
{
    int32_t lines = 0;

    while (*text) {
        char line[MESSAGE_SIZE];
        size_t n = strcspn(text, "\n"), kept = n < sizeof line ? n : sizeof line - 1;
        int32_t width;

        memcpy(line, text, kept);
        line[kept] = '\0';
        width = screen_width(line);
        lines += width > columns ? (width + columns - 1) / columns : 1;
        text += n + (text[n] != '\0');
    }
    return lines;
}

/* The largest size with the picture's proportions that fits above `below`, with an even height.
 * Cells are twice as high as wide, so half cells are square. */
static void fit(int32_t width, int32_t height, const char *below, int32_t *cells, int32_t *halves)
{
    int32_t columns, rows, room;
    double scale;

    screen_size(STDOUT_FILENO, &columns, &rows);
    room = rows - 1 - lines_of(below, columns); /* the last row is the prompt's */
    if (room < LEAST_ROWS)
        room = LEAST_ROWS < rows ? LEAST_ROWS : rows;
    scale = (double)columns / width;
    if (height * scale > 2.0 * room)
        scale = 2.0 * room / height;
    *cells = (int32_t)(width * scale + 0.5);
    *cells = *cells < 1 ? 1 : *cells > columns ? columns : *cells;
    *halves = 2 * (int32_t)(height * scale / 2 + 0.5);
    *halves = *halves < 2 ? 2 : *halves;
}

/* ---- colours ------------------------------------------------------------------------------ */

static int32_t distance(const uint8_t *rgb, int32_t r, int32_t g, int32_t b)
{
    return (rgb[0] - r) * (rgb[0] - r) + (rgb[1] - g) * (rgb[1] - g) + (rgb[2] - b) * (rgb[2] - b);
}

/* The levels of xterm's cube are 0, 95, 135, ... 255. */
static int32_t level_of(uint8_t value)
{
    return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
}

static int32_t value_of(int32_t level)
{
    return level == 0 ? 0 : 55 + 40 * level;
}

/* The nearest of 6 x 6 x 6 colours, 16 to 231, and 24 greys, 8, 18 ... 238, from 232 on. */
static int32_t nearest_256(const uint8_t *rgb)
{
    int32_t r = level_of(rgb[0]), g = level_of(rgb[1]), b = level_of(rgb[2]);
    int32_t mean = (rgb[0] + rgb[1] + rgb[2]) / 3, grey = mean < 8 ? 0 : (mean - 3) / 10;

    grey = grey > 23 ? 23 : grey;
    if (distance(rgb, 8 + 10 * grey, 8 + 10 * grey, 8 + 10 * grey) <
        distance(rgb, value_of(r), value_of(g), value_of(b)))
        return 232 + grey;
    return 16 + 36 * r + 6 * g + b;
}

/* Begin with `which` 38, the foreground, or 48, the background. */
static void say_colour(screen_colours colours, int which, const uint8_t *rgb)
{
    if (colours == SCREEN_24_BIT)
        printf("%d;2;%d;%d;%d", which, rgb[0], rgb[1], rgb[2]);
    else
        printf("%d;5;%d", which, (int)nearest_256(rgb));
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void draw_cell(screen_colours colours, bool blocks, const uint8_t *upper,
                      const uint8_t *lower)
{
    printf("\033[");
    if (blocks) {
        say_colour(colours, 38, upper);
        printf(";");
    }
    say_colour(colours, 48, lower);
    printf("m%s", blocks ? "\xe2\x96\x80" : " ");
}

static void draw(const kldve_image *image)
{
    int32_t width = kldve_image_width(image), height = kldve_image_height(image);
    const uint8_t *rgb = kldve_image_pixels(image);
    screen_colours colours = screen_colours_of(STDOUT_FILENO);
    bool blocks = !isatty(STDOUT_FILENO) || screen_unicode();

    for (int32_t y = 0; y + 1 < height; y += 2) {
        for (int32_t x = 0; x < width; x++) {
            const uint8_t *upper = rgb + 3 * ((size_t)y * (size_t)width + (size_t)x);

            draw_cell(colours, blocks, upper, upper + 3 * (size_t)width);
        }
        printf("\033[0m\n");
    }
}

bool terminal_draw(const explanation *e, const explain_args *args, const char *below)
{
    kldve_image *image = NULL, *small = NULL;
    kldve_status status = explain_render(e, args, e->picture, &image);
    int32_t cells, halves;

    if (status == KLDVE_OK) {
        fit(kldve_image_width(image), kldve_image_height(image), below, &cells, &halves);
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
