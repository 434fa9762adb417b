/* pick.c - --at, --over and --box: which scores of a segmentation or a detector. */
#include "explain.h"

#include <errno.h>
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

static int read_box(const char *text, pick *p)
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
            "explain", "--box: '%.60s' is not the number of a row, 'best', or a pixel X,Y", text);
    return EXIT_DONE;
}

int pick_read_args(explain_args *args)
{
    pick *p = &args->pick;
    int given = (args->at != NULL) + (args->over != NULL) + (args->box != NULL);

    if (given == 0)
        return EXIT_DONE;
    if (given > 1)
        return args_usage("explain", "--at, --over and --box exclude each other: give one of them");
    if (args->truth || args->smooth)
        return args_usage("explain", "--%s and --%s exclude each other",
                          args->truth ? "truth" : "smooth",
                          args->at     ? "at"
                          : args->over ? "over"
                                       : "box");
    args->network.flags |= args->box ? KLDVE_ONNX_PICK_ROW : KLDVE_ONNX_PICK_PLACE;
    if (args->box)
        return read_box(args->box, p);
    p->kind = args->at ? KLDVE_PICK_AT : KLDVE_PICK_OVER;
    if (args->at && !read_pixel(args->at, p))
        return args_usage("explain", "--at: '%.60s' is not a pixel of the picture, X,Y", args->at);
    return EXIT_DONE;
}

bool pick_load(explanation *e, const explain_args *args)
{
    kldve_image *mask = NULL;
    kldve_status status;
    const uint8_t *rgb;
    size_t count;

    if (!args->over)
        return true;
    status = kldve_image_load(e->net.ctx, args->over, NULL, &mask);
    if (status != KLDVE_OK) {
        complain_ctx(e->net.ctx, args->over, status);
        return false;
    }
    e->region_width = kldve_image_width(mask);
    e->region_height = kldve_image_height(mask);
    if (e->region_width != kldve_image_width(e->picture) ||
        e->region_height != kldve_image_height(e->picture)) {
        complain("%s: the mask has %d x %d pixels, %s has %d x %d: they must be of one size",
                 args->over, (int)e->region_width, (int)e->region_height, args->picture,
                 (int)kldve_image_width(e->picture), (int)kldve_image_height(e->picture));
        kldve_image_free(mask);
        return false;
    }
    count = (size_t)e->region_width * (size_t)e->region_height;
    rgb = kldve_image_pixels(mask);
    e->region = malloc(count);
    for (size_t i = 0; e->region && i < count; i++)
        e->region[i] = (uint8_t)(rgb[3 * i] | rgb[3 * i + 1] | rgb[3 * i + 2]);
    kldve_image_free(mask);
    if (!e->region)
        complain("out of memory");
    return e->region != NULL;
}

bool pick_fits(const explanation *e, const explain_args *args)
{
    int32_t picks = e->net.shape.picks;

    if (picks == KLDVE_PICKS_PLACE && !args->at && !args->over) {
        complain("%s: there are scores for every place of the picture: say which with --at X,Y or "
                 "--over MASK.png",
                 e->net.name);
        return false;
    }
    if (picks == KLDVE_PICKS_ROW && !args->box) {
        complain("%s: there are scores for every row of the detector: say which with --box N, "
                 "--box best or --box X,Y",
                 e->net.name);
        return false;
    }
    if (picks == KLDVE_PICKS_NOTHING && args->pick.kind != KLDVE_PICK_NONE) {
        complain("%s: the selection %s has nothing for --at, --over or --box to choose: write y, x "
                 "or n for an axis",
                 e->net.name, e->net.select ? e->net.select : "");
        return false;
    }
    return true;
}

void pick_options(const explanation *e, const explain_args *args, kldve_options *o)
{
    o->pick = args->pick.kind;
    o->pick_row = args->pick.row;
    o->pick_x = args->pick.x;
    o->pick_y = args->pick.y;
    o->region = e->region;
    o->region_width = e->region_width;
    o->region_height = e->region_height;
}
