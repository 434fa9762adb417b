/* pick.c - --at, --over and --box: which scores of a segmentation or a detector. */
#include "pick.h"

#include "content.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The digits at *text as a number of an int32_t; moves *text behind them. */
static bool read_number(const char **text, int32_t *out)
{
    char *end;
    long number;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    number = strtol(*text, &end, 10);
    *text = end;
    *out = (int32_t)number;
    return errno == 0 && number <= INT32_MAX;
}

/* "X,Y" */
static bool read_pixel(const char *text, pick *p)
{
    return read_number(&text, &p->x) && *text++ == ',' && read_number(&text, &p->y) && !*text;
}

static int read_box(const char *command, const char *text, pick *p)
{
    const char *at = text;

    if (strcmp(text, "best") == 0)
        p->kind = KLDVE_PICK_BEST;
    else if (strchr(text, ',') && read_pixel(text, p))
        p->kind = KLDVE_PICK_BOX_AT;
    else if (!strchr(text, ',') && read_number(&at, &p->row) && !*at)
        p->kind = KLDVE_PICK_ROW;
    else
        return args_usage(
            command, "--box: '%.60s' is not the number of a row, 'best', or a pixel X,Y", text);
    return EXIT_DONE;
}

int pick_read_args(const char *command, pick *p, uint64_t *flags)
{
    int given = (p->at != NULL) + (p->over != NULL) + (p->box != NULL);

    if (given == 0)
        return EXIT_DONE;
    if (given > 1)
        return args_usage(command, "--at, --over and --box exclude each other: give one of them");
    *flags |= p->box ? KLDVE_ONNX_FLAG_PICK_ROW : KLDVE_ONNX_FLAG_PICK_PLACE;
    if (p->box)
        return read_box(command, p->box, p);
    p->kind = p->at ? KLDVE_PICK_AT : KLDVE_PICK_OVER;
    if (p->at && !read_pixel(p->at, p))
        return args_usage(command, "--at: '%.60s' is not a pixel of the picture, X,Y", p->at);
    return EXIT_DONE;
}

int pick_excludes(const char *command, const pick *p, const char *option)
{
    if (p->kind == KLDVE_PICK_NONE)
        return EXIT_DONE;
    return args_usage(command, "--%s and --%s exclude each other", option,
                      p->at     ? "at"
                      : p->over ? "over"
                                : "box");
}

bool pick_load(const pick *p, kldve_ctx *ctx, pick_mask *mask)
{
    kldve_image *image = NULL;
    kldve_status status;
    const uint8_t *rgb;
    size_t count;

    *mask = (pick_mask){NULL, 0, 0};
    if (!p->over)
        return true;
    if (!input_take(p->over))
        return false;
    status = kldve_image_load(ctx, p->over, &image);
    if (status != KLDVE_OK) {
        complain_picture(ctx, p->over, status);
        return false;
    }
    mask->width = kldve_image_width(image);
    mask->height = kldve_image_height(image);
    count = (size_t)mask->width * (size_t)mask->height;
    rgb = kldve_image_pixels(image);
    mask->value = malloc(count);
    for (size_t i = 0; mask->value && i < count; i++)
        mask->value[i] = (uint8_t)(rgb[3 * i] | rgb[3 * i + 1] | rgb[3 * i + 2]);
    kldve_image_free(image);
    if (!mask->value)
        complain("out of memory");
    return mask->value != NULL;
}

void pick_free(pick_mask *mask)
{
    free(mask->value);
    mask->value = NULL;
}

bool pick_covers(const pick *p, const pick_mask *mask, const char *picture, int32_t width,
                 int32_t height)
{
    if (!mask->value || (mask->width == width && mask->height == height))
        return true;
    complain("%s: the mask has %d x %d pixels, %s has %d x %d: they must be of one size", p->over,
             (int)mask->width, (int)mask->height, picture, (int)width, (int)height);
    return false;
}

bool pick_fits(const pick *p, const network *net)
{
    int32_t picks = net->shape.picks;

    if (picks == KLDVE_PICKS_PLACE && !p->at && !p->over) {
        complain("%s: there are scores for every place of the picture: say which with --at X,Y or "
                 "--over MASK.png",
                 net->name);
        return false;
    }
    if (picks == KLDVE_PICKS_ROW && !p->box) {
        complain("%s: there are scores for every row of the detector: say which with --box N, "
                 "--box best or --box X,Y",
                 net->name);
        return false;
    }
    if (picks == KLDVE_PICKS_NOTHING && p->kind != KLDVE_PICK_NONE) {
        complain("%s: the selection %s has nothing for --at, --over or --box to choose: write y, x "
                 "or n for an axis",
                 net->name, net->select ? net->select : "");
        return false;
    }
    return true;
}

void pick_options(const pick *p, const pick_mask *mask, kldve_options *o)
{
    o->pick = p->kind;
    o->pick_row = p->row;
    o->pick_x = p->x;
    o->pick_y = p->y;
    o->region = mask->value;
    o->region_width = mask->width;
    o->region_height = mask->height;
}

/* ---- drawn ----------------------------------------------------------------------------------- */

enum { LIGHT = 255, DARK = 0, PIXELS_PER_LINE = 800, CROSSES = 24 /* the length of an arm */ };

static void set_grey(kldve_image *image, int32_t x, int32_t y, uint8_t level)
{
    uint8_t *at =
        kldve_image_edit(image) + 3 * ((size_t)y * (size_t)kldve_image_width(image) + (size_t)x);

    at[0] = at[1] = at[2] = level;
}

/* How far a pixel is from the arms of a cross around 0, 0, which leave its middle free. */
static double from_arms(double x, double y, double arm)
{
    double along = fmax(fabs(x), fabs(y)), aside = fmin(fabs(x), fabs(y));

    return fmax(aside, fmax(along - arm, arm / 3 - along));
}

static void draw_cross(double x, double y, int32_t line, double arm, kldve_image *image)
{
    double reach = arm + 2 * line;

    for (int32_t i = 0; i < kldve_image_height(image); i++)
        for (int32_t k = 0; k < kldve_image_width(image); k++) {
            double dx = k + 0.5 - x, dy = i + 0.5 - y, far;

            if (fabs(dx) > reach || fabs(dy) > reach)
                continue;
            far = from_arms(dx, dy, arm);
            if (far < 1.5 * line)
                set_grey(image, k, i, far < 0.75 * line ? LIGHT : DARK);
        }
}

/* Whether the mask counts under a pixel of an image of another size; nothing lies outside of it. */
static bool inside(const pick_mask *mask, const kldve_image *image, int32_t x, int32_t y)
{
    int32_t width = kldve_image_width(image), height = kldve_image_height(image);
    int64_t mx = ((int64_t)2 * x + 1) * mask->width / (2 * (int64_t)width);
    int64_t my = ((int64_t)2 * y + 1) * mask->height / (2 * (int64_t)height);

    return x >= 0 && y >= 0 && x < width && y < height && mask->value[my * mask->width + mx] != 0;
}

static void draw_outline(const pick_mask *mask, int32_t line, kldve_image *image)
{
    for (int32_t y = 0; y < kldve_image_height(image); y++)
        for (int32_t x = 0; x < kldve_image_width(image); x++) {
            bool in = inside(mask, image, x, y);

            if (inside(mask, image, x - line, y) != in || inside(mask, image, x + line, y) != in ||
                inside(mask, image, x, y - line) != in || inside(mask, image, x, y + line) != in)
                set_grey(image, x, y, in ? LIGHT : DARK);
        }
}

void pick_draw(const pick *p, const pick_mask *mask, int32_t width, int32_t height,
               kldve_image *image)
{
    int32_t w = kldve_image_width(image), h = kldve_image_height(image), side = w < h ? w : h;
    int32_t line = 1 + side / PIXELS_PER_LINE;

    if (p->kind == KLDVE_PICK_AT)
        draw_cross((p->x + 0.5) * w / width, (p->y + 0.5) * h / height, line,
                   fmax(3, (double)side / CROSSES), image);
    if (p->kind == KLDVE_PICK_OVER)
        draw_outline(mask, line, image);
}

/* ---- in records ------------------------------------------------------------------------------ */

static json_object *new_coordinate(const void *of, size_t i)
{
    const pick *p = of;

    return json_object_new_int(i == 0 ? p->x : p->y);
}

bool pick_put_place(json_object *object, const pick *p)
{
    return (!p->at || json_put(object, "at", json_new_list(new_coordinate, p, 2))) &&
           (!p->over || json_put_text(object, "over", p->over));
}

static json_object *new_side(const void *of, size_t i)
{
    const kldve_record *r = of;

    return json_object_new_double((double)r->box[i]);
}

bool pick_put_row(json_object *object, const kldve_record *r)
{
    if (r->row < 0)
        return true;
    return json_put(object, "row", json_object_new_int(r->row)) &&
           (isnan(r->box[0]) || (json_put(object, "box", json_new_list(new_side, r, 4)) &&
                                 json_put_number(object, "box_score", (double)r->box_score, 9)));
}
