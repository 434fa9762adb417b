/* dump.c - every intermediate of an explanation as .npy:
 *
 *     logits [classes] float32, z, alpha_logits [classes] float64, kl [1] float64
 *     contrast_cotangent or rivals_cotangent [classes] float64
 *     alpha_channel, alpha_contrast or alpha_rivals [maps] float64: one weight for each feature map
 *     map_READING [height][width] float32
 *     error_METHOD [height][width] float32: standard error, for methods that draw random numbers
 *
 * For methods other than the default one the files are cotangent_METHOD, alpha_METHOD and
 * map_METHOD, with the letters and digits of the name only, and + as p (grad-cam++ -> gradcampp).
 */
#include "explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 64 };

/* Files of the default method are named after its reading, those of the others after the method. */
static bool is_default(const explanation *e)
{
    return e->method == kldve_method_at(NULL, 0);
}

/* What the files of this explanation are named after. */
static void stem(const explanation *e, char *out, size_t size)
{
    size_t used = 0;

    if (is_default(e)) {
        snprintf(out, size, "%s", kldve_reading_name(e->record.reading));
        return;
    }
    for (const char *c = e->method->name; *c && used + 1 < size; c++)
        if (*c == '+')
            out[used++] = 'p';
        else if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))
            out[used++] = *c;
    out[used] = '\0';
}

void dump_map_name(const explanation *e, char *out, size_t size)
{
    char name[NAME_SIZE / 2];

    stem(e, name, sizeof name);
    snprintf(out, size, "map_%s.npy", name);
}

/* Write no file for an array that does not exist. */
static bool write_array(const char *folder, const char *name, npy_type type, int32_t rank,
                        const size_t *dim, const void *data)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path;
    bool ok;

    if (!data)
        return true;
    path = malloc(size);
    if (!path) {
        complain("%s: out of memory", folder);
        return false;
    }
    snprintf(path, size, "%s/%s", folder, name);
    ok = npy_write(path, type, rank, dim, data);
    free(path);
    return ok;
}

static bool write_doubles(const explanation *e, const char *folder, const char *name,
                          const double *(*get)(const kldve_heatmap *, size_t *))
{
    size_t count;
    const double *data = get(e->map, &count);

    return write_array(folder, name, NPY_FLOAT64, 1, &count, data);
}

static bool write_logits(const explanation *e, const char *folder)
{
    size_t count;
    const float *data = kldve_heatmap_logits(e->map, &count);

    return write_array(folder, "logits.npy", NPY_FLOAT32, 1, &count, data);
}

static bool write_kl(const explanation *e, const char *folder)
{
    const size_t one = 1;

    return write_array(folder, "kl.npy", NPY_FLOAT64, 1, &one, &e->record.kl);
}

/* Write no file for the cotangent of `paper` (zero) or of `channel` (alpha_logits). */
static bool write_cotangent(const explanation *e, const char *folder, const char *name)
{
    char file[NAME_SIZE];

    if (!is_default(e))
        snprintf(file, sizeof file, "cotangent_%s.npy", name);
    else if (e->record.reading == KLDVE_READING_CONTRAST ||
             e->record.reading == KLDVE_READING_RIVALS)
        snprintf(file, sizeof file, "%s_cotangent.npy", name);
    else
        return true;
    return write_doubles(e, folder, file, kldve_heatmap_cotangent);
}

static bool write_map(const explanation *e, const char *folder)
{
    size_t dim[2] = {(size_t)e->record.height, (size_t)e->record.width};
    char file[NAME_SIZE];

    dump_map_name(e, file, sizeof file);
    return write_array(folder, file, NPY_FLOAT32, 2, dim, kldve_heatmap_values(e->map));
}

static bool write_error(const explanation *e, const char *folder, const char *name)
{
    size_t dim[2] = {(size_t)e->record.height, (size_t)e->record.width}, count;
    char file[NAME_SIZE];

    snprintf(file, sizeof file, "error_%s.npy", name);
    return write_array(folder, file, NPY_FLOAT32, 2, dim, kldve_heatmap_error(e->map, &count));
}

bool dump_write(const explanation *e, const char *folder)
{
    char name[NAME_SIZE / 2], weights[NAME_SIZE];
    bool made;

    if (!output_folder(folder, &made))
        return false;
    stem(e, name, sizeof name);
    snprintf(weights, sizeof weights, "alpha_%s.npy", name);
    if (write_logits(e, folder) && write_kl(e, folder) &&
        write_doubles(e, folder, "z.npy", kldve_heatmap_z) &&
        write_doubles(e, folder, "alpha_logits.npy", kldve_heatmap_alpha) &&
        write_cotangent(e, folder, name) &&
        write_doubles(e, folder, weights, kldve_heatmap_weights) && write_map(e, folder) &&
        write_error(e, folder, name))
        return true;
    if (made)
        rmdir(folder); /* only if nothing got into it */
    return false;
}
