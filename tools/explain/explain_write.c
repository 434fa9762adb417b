/* explain_write.c - the files of one explanation: the heat over the picture, the heat alone, the
 * map, the intermediates, the record. */
#include "explain.h"
#include "cli/getters.h"
#include "cli/streams.h"
#include "expected.h"

kldve_status explain_render(const explanation *e, const explain_args *args,
                            const kldve_image *picture, kldve_image **out)
{
    kldve_render_options o;
    kldve_status status;

    drawing_render_options(&args->draw, &o);
    if (e->net.shape.in_frames > 1)
        return film_draw(e, &o, picture != NULL, out);
    status = kldve_heatmap_render(e->net.ctx, e->map, picture, &o, out);
    if (status == KLDVE_OK && picture)
        pick_draw(&args->pick, &e->mask, kldve_image_width(picture), kldve_image_height(picture),
                  *out);
    return status;
}

bool explain_drawn(const explanation *e, const explain_args *args, kldve_render_options *o)
{
    const int32_t frames = e->frames > 0 ? 1 : e->net.shape.in_frames;
    int32_t width = kldve_image_width(e->picture), height = kldve_image_height(e->picture) / frames;
    kldve_render_options asked;

    o->struct_size = sizeof *o;
    drawing_render_options(&args->draw, &asked);
    asked.frame = e->net.shape.in_frames > 1;
    return (args->overlay || args->heat || args->terminal) &&
           kldve_heatmap_render_defaults(e->net.ctx, e->map, width, height, &asked, o) == KLDVE_OK;
}

/* The heat and nothing else, which can be drawn row by row into the file. */
static bool is_plain(const explanation *e, const explain_args *args, const kldve_image *picture,
                     const char *path)
{
    return !e->expected.map && e->net.shape.in_frames <= 1 && !is_stream(path) &&
           (!picture || args->pick.kind == KLDVE_PICK_NONE);
}

static bool save_plain(const explanation *e, const explain_args *args, const char *path,
                       const kldve_image *picture)
{
    kldve_render_options o;
    kldve_status status;

    drawing_render_options(&args->draw, &o);
    status = kldve_heatmap_save(e->net.ctx, e->map, picture, &o, path, 0);
    if (status != KLDVE_OK)
        complain_ctx(e->net.ctx, path, status);
    return status == KLDVE_OK;
}

static bool write_picture(const explanation *e, const explain_args *args, const char *path,
                          const kldve_image *picture)
{
    kldve_image *image = NULL;
    kldve_status status;
    bool ok = false;

    if (is_plain(e, args, picture, path))
        return save_plain(e, args, path, picture);
    status = e->expected.map ? expected_draw(e, args, picture, &image)
                             : explain_render(e, args, picture, &image);
    if (status == KLDVE_OK)
        ok = picture_save(e->net.ctx, image, path);
    else
        complain_ctx(e->net.ctx, path, status);
    kldve_image_free(image);
    return ok;
}

static bool write_map(const explanation *e, const char *path)
{
    size_t dim[2] = {(size_t)e->record.height, (size_t)e->record.width};

    if (e->net.shape.in_frames > 1)
        return film_write(e, path);
    return npy_write(path, NPY_FLOAT32, 2, dim, map_values(e->map));
}

bool explanation_write(explanation *e, const explain_args *args)
{
    double begin = now_ms();

    if ((args->overlay && !write_picture(e, args, args->overlay, e->picture)) ||
        (args->heat && !write_picture(e, args, args->heat, NULL)) ||
        (args->map && !write_map(e, args->map)) || (args->dump && !dump_write(e, args->dump)))
        return false;
    e->ms.render = now_ms() - begin;
    e->ms.total = now_ms() - e->ms.begin;
    return !args->json || record_write(e, args);
}
