/* report_page.c - the page of a report: report/page.html with the data of a grid inside.
 *
 * The data are the figures of `kldve compare --json` and, for the eyes, pictures as JPEG and maps
 * as 16-bit numbers at their own size, both in base64.  What comes from files, such as labels, is
 * text in JSON: with <, >, &, U+2028 and U+2029 written as \u003c and so on it cannot end the
 * script that holds it.
 */
#include "report.h"
#include "cli/getters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grid/grid_json.h"
#include "cli/json.h"

extern const unsigned char report_page[];
extern const size_t report_page_nbytes;

/* ---- base64 ------------------------------------------------------------------------------- */

/* The text `head` followed by the bytes in base64, for the caller to free.  NULL: out of memory. */
static char *base64(const char *head, const unsigned char *bytes, size_t nbytes)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = strlen(head);
    char *text = nbytes > SIZE_MAX / 2 - used ? NULL : malloc(used + (nbytes + 2) / 3 * 4 + 1);

    if (!text)
        return NULL;
    memcpy(text, head, used);
    for (size_t i = 0; i < nbytes; i += 3) {
        size_t left = nbytes - i;
        unsigned long three = (unsigned long)bytes[i] << 16 |
                              (unsigned long)(left > 1 ? bytes[i + 1] : 0) << 8 |
                              (unsigned long)(left > 2 ? bytes[i + 2] : 0);

        text[used++] = digit[three >> 18];
        text[used++] = digit[three >> 12 & 63];
        text[used++] = left > 1 ? digit[three >> 6 & 63] : '=';
        text[used++] = left > 2 ? digit[three & 63] : '=';
    }
    text[used] = '\0';
    return text;
}

static bool put_base64(json_object *object, const char *key, const char *head,
                       const unsigned char *bytes, size_t nbytes)
{
    char *text = base64(head, bytes, nbytes);
    bool ok = text && json_put(object, key, json_object_new_string(text));

    free(text);
    return ok;
}

/* ---- pictures ----------------------------------------------------------------------------- */

/* All bytes of a file; NULL after a message. */
static unsigned char *read_all(const char *path, size_t *nbytes)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = NULL;
    long size = -1;

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size > 0 && fseek(file, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)size);
    *nbytes = size > 0 ? (size_t)size : 0;
    if (bytes && fread(bytes, 1, *nbytes, file) != *nbytes) {
        free(bytes);
        bytes = NULL;
    }
    if (file)
        fclose(file);
    if (!bytes)
        complain("%s: cannot read back the temporary picture", path);
    return bytes;
}

/* Store the picture as JPEG.  The library writes JPEG files only, so it goes through a temporary
 * file. */
static bool put_picture(json_object *object, const grid *g, const grid_picture *picture)
{
    const char *tmp = getenv("TMPDIR");
    char folder[4096], path[4096 + 16];
    unsigned char *bytes = NULL;
    size_t nbytes = 0;
    bool ok;

    if (snprintf(folder, sizeof folder, "%s/kldve-XXXXXX", tmp && *tmp ? tmp : "/tmp") >=
            (int)sizeof folder ||
        !mkdtemp(folder)) {
        complain("%s: cannot make a folder for temporary files there; set TMPDIR to one where that "
                 "works",
                 tmp && *tmp ? tmp : "/tmp");
        return false;
    }
    snprintf(path, sizeof path, "%s/picture.jpg", folder);
    ok = kldve_image_save(g->ctx, picture->image, path, 0) == KLDVE_OK;
    if (!ok)
        complain("%s", kldve_ctx_message(g->ctx));
    else
        bytes = read_all(path, &nbytes);
    unlink(path);
    rmdir(folder);
    ok = bytes && put_base64(object, "source", "data:image/jpeg;base64,", bytes, nbytes);
    free(bytes);
    return ok;
}

static json_object *new_picture(const void *of, size_t i)
{
    const grid *g = of;
    const grid_picture *picture = &g->picture[i];
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "name", picture->name) &&
        json_put_text(object, "path", picture->path) &&
        json_put(object, "width", json_object_new_int(picture->width)) &&
        json_put(object, "height", json_object_new_int(picture->height)) &&
        put_picture(object, g, picture))
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
         put_base64(object, "mask", "", bytes, (size_t)width * (size_t)height);
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
    ok = json_put(object, "seen", list) && put_base64(object, "values", "", bytes, 2 * count);
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
    return put_base64(object, key, "", rgb[0], sizeof rgb);
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

/* ---- the page ----------------------------------------------------------------------------- */

/* Escape JSON so that it cannot end the script around it; these characters occur only in its
 * strings.  NULL: out of memory. */
static char *guarded(const char *json)
{
    size_t n = strlen(json), used = 0;
    char *text = n > (SIZE_MAX - 1) / 6 ? NULL : malloc(6 * n + 1);

    for (size_t i = 0; text && i < n; i++) {
        bool separator = strncmp(json + i, "\xe2\x80\xa8", 3) == 0 ||
                         strncmp(json + i, "\xe2\x80\xa9", 3) == 0; /* U+2028, U+2029 */

        if (separator) {
            i += 2;
            used += (size_t)sprintf(text + used, "\\u20%02x", (unsigned char)json[i] & 0x7fU);
        } else if (json[i] == '<' || json[i] == '>' || json[i] == '&') {
            used += (size_t)sprintf(text + used, "\\u%04x", (unsigned)json[i]);
        } else {
            text[used++] = json[i];
        }
    }
    if (text)
        text[used] = '\0';
    return text;
}

static bool write_page(const char *path, const char *data)
{
    static const char marker[] = "@DATA@";
    const char *page = (const char *)report_page, *place = strstr(page, marker);
    const char *behind = place + sizeof marker - 1;
    const output_part part[] = {
        {page, (size_t)(place - page)},
        {data, strlen(data)},
        {behind, report_page_nbytes - (size_t)(behind - page)},
    };

    return output_write(path, part, 3);
}

bool report_write(const grid *g, const report_args *args)
{
    json_object *data = new_data(g, args);
    const char *json = data ? json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN) : NULL;
    char *text = json ? guarded(json) : NULL;
    bool ok = false;

    if (text)
        ok = write_page(args->page, text);
    else
        complain("%s: cannot make the page, for lack of memory", args->page);
    free(text);
    json_object_put(data);
    return ok;
}
