/* scenes_main.c - kldve-scenes: draw one scene, for people or for another program.
 *
 *     kldve-scenes [--seed N] [--size PIXELS] KIND[,KIND...] [PICTURE.png [MASK.png...]]
 *
 * KIND is a label, "any", or "none" for an empty scene.  Without PICTURE the bytes go to standard
 * output: R,G,B of every pixel, then one mask after another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef DEMO_PNG
#include <png.h>
#endif

#include "scenes.h"

static int usage(void)
{
    fprintf(stderr,
            "usage: kldve-scenes [--seed N] [--size %d..%d] KIND[,KIND...] [PICTURE.png "
            "[MASK.png...]]\nkinds: any none",
            SCENES_SIZE_MIN, SCENES_SIZE_MAX);
    for (int32_t k = 0; k < SCENES_KINDS; k++)
        fprintf(stderr, " %s", scenes_kind_name(k));
    fputc('\n', stderr);
    return 2;
}

static bool find_kind(const char *name, size_t length, int32_t *kind)
{
    for (int32_t k = SCENES_ANY; k < SCENES_KINDS; k++) {
        const char *known = k == SCENES_ANY ? "any" : scenes_kind_name(k);

        if (strlen(known) == length && memcmp(known, name, length) == 0) {
            *kind = k;
            return true;
        }
    }
    return false;
}

static bool parse_kinds(const char *list, scenes_request *request)
{
    request->objects = 0;
    if (strcmp(list, "none") == 0)
        return true;
    for (;;) {
        size_t length = strcspn(list, ",");

        if (request->objects == SCENES_OBJECTS_MAX ||
            !find_kind(list, length, &request->kind[request->objects]))
            return false;
        request->objects++;
        if (list[length] == 0)
            return true;
        list += length + 1;
    }
}

static bool write_png(const char *path, const uint8_t *pixels, int32_t size, bool colour)
{
#ifdef DEMO_PNG
    png_image image = {.version = PNG_IMAGE_VERSION};

    image.width = image.height = (png_uint_32)size;
    image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    if (png_image_write_to_file(&image, path, 0, pixels, 0, NULL))
        return true;
    fprintf(stderr, "kldve-scenes: %s: %s\n", path, image.message);
#else
    (void)pixels;
    (void)size;
    (void)colour;
    fprintf(stderr, "kldve-scenes: %s: built without PNG\n", path);
#endif
    return false;
}

static bool write_all(const scenes_request *request, const uint8_t *rgb, const uint8_t *masks,
                      int files, char **file)
{
    size_t cells = (size_t)request->size * (size_t)request->size;

    if (files == 0) {
        fwrite(rgb, 3, cells, stdout);
        fwrite(masks, cells, (size_t)request->objects, stdout);
        if (fflush(stdout) == 0 && !ferror(stdout))
            return true;
        fprintf(stderr, "kldve-scenes: standard output: cannot write\n");
        return false;
    }
    if (!write_png(file[0], rgb, request->size, true))
        return false;
    for (int i = 1; i < files; i++)
        if (!write_png(file[i], masks + (size_t)(i - 1) * cells, request->size, false))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    scenes_request request = {.seed = 1, .size = 384};
    uint8_t *rgb = NULL, *masks = NULL;
    size_t cells;
    int at = 1, failed = 1;

    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--seed") == 0)
            request.seed = strtoull(argv[at + 1], NULL, 0);
        else if (strcmp(argv[at], "--size") == 0)
            request.size = (int32_t)strtol(argv[at + 1], NULL, 10);
        else
            return usage();
    }
    if (at >= argc || !parse_kinds(argv[at], &request) || argc - at - 2 > request.objects ||
        request.size < SCENES_SIZE_MIN || request.size > SCENES_SIZE_MAX)
        return usage();
    cells = (size_t)request.size * (size_t)request.size;
    rgb = malloc(3 * cells);
    masks = calloc((size_t)request.objects + 1, cells);
    if (rgb && masks && scenes_draw(&request, rgb, masks, NULL))
        failed = !write_all(&request, rgb, masks, argc - at - 1, argv + at + 1);
    free(rgb);
    free(masks);
    return failed;
}
