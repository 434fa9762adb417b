/* report_data.c - the data of a report.
 *
 * The figures are those of `kldve compare --json`.  For the eyes there are pictures as JPEG and
 * maps as 16-bit numbers at their own size, both in base64.  Each picture is an element of its own,
 * which the page reads when it shows it; the list of all has thumbnails and what the networks say.
 */
#include "report.h"
#include "cli/getters.h"

#include <math.h>
#include <stdlib.h>

#include "grid/grid_json.h"

static const double DEFAULT_OPACITY = 0.75; /* of kldve_render_options */

enum {
    SIDE_MOST = 768,    /* of a picture, pixels, however few there are */
    SIDE_LEAST = 384,   /* however many there are */
    THUMB_SIDE = 128,   /* two of a list's pixels each way for one on a fine screen */
    THUMB_QUALITY = 72, /* of JPEG */
    FEW = 24,           /* pictures that have all their quality */
    MANY_QUALITY = 80,
    PICTURE_BYTES = 40000000, /* what the pictures of a report should take together */
};

/* A picture of side s has some 0.75 s^2 pixels, each takes 1/3 byte as base64 of JPEG. */
int32_t report_side(int32_t pictures)
{
    double side = sqrt(4.0 * PICTURE_BYTES / pictures);

    return side >= SIDE_MOST ? SIDE_MOST : side <= SIDE_LEAST ? SIDE_LEAST : (int32_t)side;
}

/* ---- what holds for all pictures ---------------------------------------------------------- */

/* The mask of --over, a byte for each pixel: at most as large as a picture of the page. */
static bool put_mask(json_object *object, const pick_mask *mask)
{
    int32_t longer = mask->width > mask->height ? mask->width : mask->height;
    int32_t step = 1 + (longer - 1) / SIDE_MOST, width = 0, height = 0;
    unsigned char *bytes;
    bool ok;

    if (!mask->value)
        return true;
    width = (mask->width + step - 1) / step;
    height = (mask->height + step - 1) / step;
    bytes = malloc((size_t)width * (size_t)height);
    for (int32_t y = 0; bytes && y < height; y++)
        for (int32_t x = 0; x < width; x++)
            bytes[(size_t)y * (size_t)width + (size_t)x] =
                mask->value[(size_t)y * (size_t)step * (size_t)mask->width +
                            (size_t)x * (size_t)step] != 0;
    ok = bytes && json_put(object, "mask_width", json_object_new_int(width)) &&
         page_put_base64(object, "mask", "", bytes, (size_t)width * (size_t)height);
    free(bytes);
    return ok;
}

static json_object *new_method(const void *of, size_t i)
{
    const grid_method *method = &((const grid *)of)->method[i];
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "id", method->id) &&
        json_put_text(object, "title", method->title))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_metric(const void *of, size_t i)
{
    const kldve_metric *metric = map_metric((int32_t)i);
    json_object *object = json_object_new_object();

    (void)of;
    if (object && json_put_text(object, "name", metric->name) &&
        json_put_text(object, "title", metric->title) &&
        json_put_text(object, "unit", metric->unit) &&
        json_put_text(object, "summary", metric->summary) &&
        json_put(object, "share", json_object_new_boolean(metric->is_share)))
        return object;
    json_object_put(object);
    return NULL;
}

/* What each flag means, by its name. */
static json_object *new_sentences(void)
{
    json_object *object = json_object_new_object();
    bool ok = object;

    for (uint64_t flag = 1; ok && kldve_result_flag_name(flag); flag <<= 1)
        ok = json_put_text(object, kldve_result_flag_name(flag), kldve_result_flag_sentence(flag));
    if (ok)
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_target(const void *of, size_t i)
{
    char text[LABEL_SIZE];

    clean_text(((const grid *)of)->target[i], text, sizeof text);
    return json_object_new_string(text);
}

static bool put_colours(json_object *object, const char *key, int32_t colormap)
{
    unsigned char rgb[256][3];

    for (int i = 0; i < 256; i++)
        kldve_colormap_rgb(colormap, (float)i / 255, rgb[i]);
    return page_put_base64(object, key, "", rgb[0], sizeof rgb);
}

/* Of maps without and with signs. */
static json_object *new_colours(int32_t given)
{
    json_object *object = json_object_new_object();

    if (object && put_colours(object, "plain", given > 0 ? given : KLDVE_COLORMAP_PLASMA) &&
        put_colours(object, "signed", given > 0 ? given : KLDVE_COLORMAP_DIVERGING))
        return object;
    json_object_put(object);
    return NULL;
}

/* How the page draws maps: what is the same for all of them. */
static json_object *new_drawing(const drawing *d)
{
    bool overlay = d->view <= KLDVE_VIEW_OVERLAY;
    double opacity = !overlay ? 1 : d->opacity < 0 ? DEFAULT_OPACITY : d->opacity;
    int32_t upsampling = d->upsampling > 0 ? d->upsampling : KLDVE_UPSAMPLING_BICUBIC;
    json_object *object = json_object_new_object();

    if (object && json_put_number(object, "opacity", opacity, 4) &&
        json_put_text(object, "view", view_choice(overlay ? 0 : d->view - 1)) &&
        json_put_text(object, "upsampling", upsampling_choice(upsampling - 1)))
        return object;
    json_object_put(object);
    return NULL;
}

/* Of the head: what the page says without the folders of this machine. */
static bool put_over(json_object *object, const grid *g)
{
    return !g->pick.over || json_put_text(object, "over", base_name(g->pick.over));
}

json_object *report_head(const grid *g, const report_args *args, const report_list *l,
                         json_object *entries)
{
    json_object *object = grid_json_head(g, g->has_truth ? base_name(g->truth.net.name) : NULL);

    if (object && put_over(object, g) && put_mask(object, &g->mask) &&
        json_put(object, "methods", json_new_list(new_method, g, (size_t)g->methods)) &&
        json_put(object, "metrics", json_new_list(new_metric, g, (size_t)g->metrics)) &&
        json_put(object, "targets", json_new_list(new_target, g, (size_t)g->targets)) &&
        json_put(object, "sentences", new_sentences()) &&
        json_put(object, "colours", new_colours(args->draw.colormap)) &&
        json_put(object, "drawing", new_drawing(&args->draw)) &&
        json_put(object, "labelled", json_object_new_boolean(l->has_labels)) &&
        json_put(object, "pictures", json_object_get(entries)))
        return object;
    json_object_put(object);
    complain("out of memory");
    return NULL;
}

/* ---- the list of pictures ------------------------------------------------------------------ */

/* What a network says first, and whether that is right. */
typedef struct answer {
    const grid *g;
    const report_list *l;
    int32_t picture;
} answer;

static bool put_right(json_object *object, const answer *a, int32_t net, int32_t said)
{
    int32_t class = report_class(a->l, a->picture, net);
    char label[LABEL_SIZE];

    return class < 0 ||
           (json_put_text(object, "should", grid_label(a->g, net, class, label)) &&
            json_put(object, "right",
                     json_object_new_boolean(report_is_right(a->l, a->picture, net, said))));
}

static json_object *new_answer(const void *of, size_t i)
{
    const answer *a = of;
    const grid_class *top = grid_prediction_at(a->g, 0, (int32_t)i)->top;
    bool number = a->g->network[i].net.shape.scores == KLDVE_SCORES_NUMBER;
    json_object *object = json_object_new_object();
    char label[LABEL_SIZE];

    if (object &&
        (number ? json_put_number(object, "value", (double)top->logit, 6)
                : json_put_text(object, "label", grid_label(a->g, (int32_t)i, top->index, label)) &&
                      json_put_number(object, "probability", top->probability, 6) &&
                      put_right(object, a, (int32_t)i, top->index)))
        return object;
    json_object_put(object);
    return NULL;
}

static bool put_thumb(json_object *object, const grid *g)
{
    const kldve_image *image = g->picture->image;
    int32_t width = kldve_image_width(image), height = kldve_image_height(image);
    int32_t longer = width > height ? width : height;
    kldve_image *small = NULL;
    kldve_status status;
    bool ok;

    if (longer <= THUMB_SIDE)
        return page_put_picture(object, "thumb", g->ctx, image, THUMB_QUALITY);
    status =
        kldve_image_resize(g->ctx, image, (int32_t)fmax((double)width * THUMB_SIDE / longer, 1),
                           (int32_t)fmax((double)height * THUMB_SIDE / longer, 1), &small);
    if (status != KLDVE_OK)
        complain_ctx(g->ctx, g->picture->path, status);
    ok = status == KLDVE_OK && page_put_picture(object, "thumb", g->ctx, small, THUMB_QUALITY);
    kldve_image_free(small);
    return ok;
}

json_object *report_entry(const grid *g, const report_list *l, int32_t picture, const char *why)
{
    const answer a = {g, l, picture};
    json_object *object = json_object_new_object();
    char expected[LABEL_SIZE];
    bool ok =
        object && json_put_text(object, "name", l->picture[picture].shown) &&
        (!report_expects(l, picture, expected) || json_put_text(object, "expected", expected));

    if (ok && why)
        ok = json_put_text(object, "failed", why);
    else if (ok)
        ok = json_put(object, "says", json_new_list(new_answer, &a, (size_t)g->networks)) &&
             put_thumb(object, g);
    if (ok)
        return object;
    json_object_put(object);
    complain("cannot make the page, for lack of memory");
    return NULL;
}

/* ---- a picture ----------------------------------------------------------------------------- */

/* The values of a map, 0..1 in 16 bits, the lower byte first, and where it lies. */
static bool put_values(json_object *object, const grid_cell *cell)
{
    const kldve_record *r = &cell->record;
    const float *value = map_values(cell->map);
    const float seen[] = {r->seen_x, r->seen_y, r->seen_width, r->seen_height};
    size_t count = (size_t)r->height * (size_t)r->width;
    unsigned char *bytes = malloc(2 * count);
    json_object *list = json_object_new_array();
    bool ok = bytes && list;

    for (size_t i = 0; ok && i < count; i++) {
        unsigned level = (unsigned)(value[i] * 65535 + 0.5f);

        bytes[2 * i] = (unsigned char)(level & 255);
        bytes[2 * i + 1] = (unsigned char)(level >> 8);
    }
    for (size_t i = 0; ok && i < sizeof seen / sizeof *seen; i++)
        ok = json_append(list, json_object_new_double((double)seen[i]));
    if (!ok) {
        json_object_put(list);
        list = NULL;
    }
    ok = json_put(object, "seen", list) && page_put_base64(object, "values", "", bytes, 2 * count);
    free(bytes);
    return ok;
}

/* The standard deviations of a blur, down and along, in cells of the map. */
static bool put_blur(json_object *object, const grid *g, const grid_cell *cell, double sigma)
{
    const kldve_shape *input = &g->network[cell->network].net.shape;
    json_object *list = json_object_new_array();

    return json_put(object, "blur", list) &&
           json_append(list,
                       json_object_new_double(sigma * cell->record.height / input->in_height)) &&
           json_append(list, json_object_new_double(sigma * cell->record.width / input->in_width));
}

/* How this map is drawn, as far as that depends on the map. */
static bool put_drawn(json_object *object, const grid *g, const grid_cell *cell, const drawing *d)
{
    const kldve_image *image = g->picture->image;
    kldve_render_options o, drawn = KLDVE_RENDER_OPTIONS_INIT;
    json_object *to = json_object_new_object();

    drawing_render_options(d, &o);
    if (kldve_heatmap_render_defaults(g->ctx, cell->map, kldve_image_width(image),
                                      kldve_image_height(image), &o, &drawn) != KLDVE_OK) {
        complain("%s", kldve_ctx_message(g->ctx));
        json_object_put(to);
        return false;
    }
    return json_put(object, "drawn", to) &&
           json_put_number(to, "clip", fmax((double)drawn.clip, 0), 6) &&
           json_put(to, "line", json_object_new_int(drawn.line)) &&
           (drawn.blur <= 0 || put_blur(to, g, cell, (double)drawn.blur));
}

/* Into the maps of the figures, which are in the order of the cells. */
static bool add_values(json_object *figures, const grid *g, const drawing *d)
{
    json_object *maps = json_object_object_get(figures, "maps");
    size_t count = json_object_array_length(maps);

    for (size_t i = 0; i < count; i++) {
        json_object *map = json_object_array_get_idx(maps, i);
        char why[LABEL_SIZE];

        if (g->cell[i].map ? !(put_values(map, &g->cell[i]) && put_drawn(map, g, &g->cell[i], d))
                           : (report_hide_folders(g, g->picture->path, g->cell[i].why, why),
                              !json_put_text(map, "left_out", why)))
            return false;
    }
    return true;
}

json_object *report_picture_data(const grid *g, const drawing *d, int32_t pictures)
{
    const grid_picture *picture = g->picture;
    json_object *object = json_object_new_object();

    if (object && grid_json_put_pictures(object, g) && add_values(object, g, d) &&
        json_put(object, "width", json_object_new_int(picture->width)) &&
        json_put(object, "height", json_object_new_int(picture->height)) &&
        page_put_picture(object, "source", g->ctx, picture->image,
                         pictures > FEW ? MANY_QUALITY : 0))
        return object;
    json_object_put(object);
    return NULL;
}
