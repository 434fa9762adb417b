/* report_page.c - the page of a report: report/page.html with the data of a grid inside.
 *
 * The data are the figures of `kldve compare --json` and, for the eyes, pictures as JPEG and maps
 * as 16-bit numbers at their own size, both in base64. */
#include "report.h"
#include "cli/getters.h"

#include <stdlib.h>

#include "grid/grid_json.h"
#include "cli/page.h"

extern const unsigned char report_html[], report_style[], report_script[];
extern const size_t report_html_nbytes, report_style_nbytes, report_script_nbytes;

static const page_source source = {{report_html, &report_html_nbytes},
                                   {{report_style, &report_style_nbytes}},
                                   {{report_script, &report_script_nbytes}}};

/* ---- pictures ----------------------------------------------------------------------------- */

static json_object *new_picture(const void *of, size_t i)
{
    const grid *g = of;
    const grid_picture *picture = &g->picture[i];
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "name", picture->name) &&
        json_put_text(object, "path", picture->path) &&
        json_put(object, "width", json_object_new_int(picture->width)) &&
        json_put(object, "height", json_object_new_int(picture->height)) &&
        page_put_picture(object, "source", g->ctx, picture->image, 0))
        return object;
    json_object_put(object);
    return NULL;
}

/* The mask of --over, a byte for each pixel: at most as large as a picture of the page. */
static bool put_mask(json_object *object, const pick_mask *mask)
{
    int32_t longer = mask->width > mask->height ? mask->width : mask->height;
    int32_t step = 1 + (longer - 1) / REPORT_PICTURE_SIDE, width = 0, height = 0;
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

/* ---- maps and choices --------------------------------------------------------------------- */

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

/* Into the maps of the figures, which are in the order of the cells. */
static bool add_values(json_object *figures, const grid *g)
{
    json_object *maps = json_object_object_get(figures, "maps");
    size_t count = json_object_array_length(maps);

    for (size_t i = 0; i < count; i++)
        if (g->cell[i].map && !put_values(json_object_array_get_idx(maps, i), &g->cell[i]))
            return false;
    return true;
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

static json_object *new_colours(int32_t colormap)
{
    json_object *object = json_object_new_object();

    if (object && put_colours(object, "plain", colormap) &&
        put_colours(object, "signed", KLDVE_COLORMAP_DIVERGING))
        return object;
    json_object_put(object);
    return NULL;
}

/* NULL: out of memory, or after a message. */
static json_object *new_data(const grid *g, const report_args *args)
{
    json_object *object = grid_json(g);

    if (object && add_values(object, g) &&
        json_put(object, "pictures", json_new_list(new_picture, g, (size_t)g->pictures)) &&
        put_mask(object, &g->mask) &&
        json_put(object, "methods", json_new_list(new_method, g, (size_t)g->methods)) &&
        json_put(object, "metrics", json_new_list(new_metric, g, (size_t)g->metrics)) &&
        json_put(object, "targets", json_new_list(new_target, g, (size_t)g->targets)) &&
        json_put(object, "sentences", new_sentences()) &&
        json_put(object, "colours", new_colours(args->colormap)))
        return object;
    json_object_put(object);
    return NULL;
}

bool report_write(const grid *g, const report_args *args)
{
    return page_write(args->page, &source, new_data(g, args));
}
