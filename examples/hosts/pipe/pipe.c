/* pipe.c - a filter between two programs of a film: raw frames come in, the same frames with heat
 * go out.
 *
 *     ffmpeg -i FILM -f rawvideo -pix_fmt nv12 - |
 *     pipe NETWORK.onnx nv12 640x360 |
 *     ffplay -f rawvideo -pixel_format rgb24 -video_size 640x360 -
 *
 * It takes nv12, i420 (yuv420p), rgb24 and bgr24, and gives rgb24 or, for bgr24, bgr24.  The
 * colours have one scale for the whole film, up to the largest value so far: what glows less than
 * before matters less than before, and nothing flickers. */
#include <kldve/onnx.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct film {
    int32_t format, width, height;
    size_t in_bytes, out_bytes; /* of a frame */
    unsigned char *in, *out;    /* one frame each; the same memory where the format is the same */
    double largest;             /* value of any map so far */
    long frames;
};

static int describe(struct film *film, const char *format, const char *size)
{
    static const struct {
        const char *name;
        int32_t format, is_yuv;
    } known[] = {{"nv12", KLDVE_PIXEL_NV12, 1},
                 {"i420", KLDVE_PIXEL_I420, 1},
                 {"yuv420p", KLDVE_PIXEL_I420, 1},
                 {"rgb24", KLDVE_PIXEL_RGB, 0},
                 {"bgr24", KLDVE_PIXEL_BGR, 0}};
    size_t width, height;
    char more;

    if (sscanf(size, "%dx%d%c", &film->width, &film->height, &more) != 2 || film->width < 1 ||
        film->height < 1 || film->width > 16384 || film->height > 16384)
        return -1;
    width = (size_t)film->width;
    height = (size_t)film->height;
    film->out_bytes = 3 * width * height;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(format, known[i].name) == 0) {
            film->format = known[i].format;
            film->in_bytes = known[i].is_yuv
                                 ? width * height + 2 * ((width + 1) / 2) * ((height + 1) / 2)
                                 : film->out_bytes;
            return known[i].is_yuv;
        }
    return -1;
}

/* Draw the map of film->in into film->out. */
static kldve_status draw(kldve_ctx *ctx, struct film *film, kldve_explainer *net,
                         const kldve_image *frame)
{
    const int32_t format = film->in == film->out ? film->format : KLDVE_PIXEL_RGB;
    const kldve_pixels out = kldve_pixels_of(format, film->width, film->height, film->out, 0);
    kldve_render_options look = {.struct_size = sizeof look};
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = NULL;
    kldve_status status = kldve_explain(net, frame, NULL, &map);

    if (status == KLDVE_OK)
        status = kldve_heatmap_record(map, &r);
    if (status == KLDVE_OK) {
        film->largest = r.high > film->largest ? r.high : film->largest;
        look.high = (float)film->largest;
        status = kldve_heatmap_render_into(ctx, map, frame, &look, &out);
    }
    kldve_heatmap_free(map);
    return status;
}

/* All frames from standard input to standard output. */
static kldve_status filter(kldve_ctx *ctx, struct film *film, kldve_explainer *net)
{
    const kldve_pixels in = kldve_pixels_of(film->format, film->width, film->height, film->in, 0);
    kldve_image *frame = NULL;
    kldve_status status = kldve_image_borrow(ctx, &in, NULL, NULL, &frame);

    while (status == KLDVE_OK) {
        const size_t got = fread(film->in, 1, film->in_bytes, stdin);

        if (got < film->in_bytes) {
            if (got > 0)
                status = kldve_ctx_fail(ctx, KLDVE_E_IO, "the input ends within a frame");
            else if (ferror(stdin))
                status = kldve_ctx_fail(ctx, KLDVE_E_IO, "the input cannot be read");
            break;
        }
        status = draw(ctx, film, net, frame);
        if (status == KLDVE_OK && fwrite(film->out, 1, film->out_bytes, stdout) < film->out_bytes)
            status = kldve_ctx_fail(ctx, KLDVE_E_IO, "the output cannot be written");
        film->frames++;
    }
    kldve_image_free(frame);
    if (status == KLDVE_OK && fflush(stdout))
        status = kldve_ctx_fail(ctx, KLDVE_E_IO, "the output cannot be written");
    return status;
}

int main(int argc, char **argv)
{
    struct film film = {0};
    kldve_ctx *ctx = NULL;
    kldve_explainer *net = NULL;
    const int is_yuv = argc == 4 ? describe(&film, argv[2], argv[3]) : -1;
    kldve_status status = KLDVE_E_NOMEM;

    if (is_yuv < 0 || kldve_ctx_new(NULL, &ctx)) {
        fprintf(stderr, "usage: pipe NETWORK.onnx nv12|i420|rgb24|bgr24 WIDTHxHEIGHT\n");
        return 2;
    }
    film.in = malloc(film.in_bytes);
    film.out = is_yuv ? malloc(film.out_bytes) : film.in;
    if (film.in && film.out)
        status = kldve_onnx_explainer(ctx, argv[1], NULL, &net);
    if (status == KLDVE_OK)
        status = filter(ctx, &film, net);
    if (status != KLDVE_OK)
        fprintf(stderr, "pipe: %s\n",
                *kldve_ctx_message(ctx) ? kldve_ctx_message(ctx) : kldve_status_name(status));
    kldve_explainer_free(net);
    kldve_ctx_free(ctx);
    if (is_yuv)
        free(film.out);
    free(film.in);
    return status != KLDVE_OK;
}
