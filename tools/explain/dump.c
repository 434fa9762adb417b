/* dump.c - every intermediate of an explanation as .npy:
 *
 *     input [channels][height][width] float32: what the network is given; not of a film
 *     logits [classes] float32, z, alpha_logits [classes] float64, kl [1] float64
 *     contrast_cotangent, rivals_cotangent or neighbours_cotangent [classes] float64
 *     alpha_channel, alpha_contrast, alpha_rivals or alpha_neighbours [maps] float64: one weight
 *         for each feature map
 *     map_READING [height][width] float32
 *     error_METHOD [height][width] float32: standard error, for methods that draw random numbers
 *
 * For methods other than the default one the files are cotangent_METHOD, alpha_METHOD and
 * map_METHOD, with the letters and digits of the name only, and + as p (grad-cam++ -> gradcampp).
 */
#include "explain.h"
#include "cli/getters.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 64 };

/* The files in the order in which they are written. */
enum { INPUT, LOGITS, KL, Z, ALPHA, COTANGENT, WEIGHTS, MAP, SPREAD, FILES };
static_assert((int)FILES == (int)DUMP_FILES, "DUMP_FILES counts them");

/* Files of the default method are named after its reading, those of the others after the method. */
static bool is_default(const kldve_method *method)
{
    return method == method_number(0);
}

/* What the files of a method and reading are named after. */
static void stem(const kldve_method *method, int32_t reading, char *out, size_t size)
{
    size_t used = 0;

    if (is_default(method)) {
        snprintf(out, size, "%s", kldve_reading_name(reading));
        return;
    }
    for (const char *c = method->name; *c && used + 1 < size; c++)
        if (*c == '+')
            out[used++] = 'p';
        else if ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9'))
            out[used++] = *c;
    out[used] = '\0';
}

static void file_name(const kldve_method *method, int32_t reading, int32_t file, char *out)
{
    static const char *const plain[] = {
        [INPUT] = "input", [LOGITS] = "logits", [KL] = "kl", [Z] = "z", [ALPHA] = "alpha_logits"};
    static const char *const before[] = {
        [COTANGENT] = "cotangent_", [WEIGHTS] = "alpha_", [MAP] = "map_", [SPREAD] = "error_"};
    char name[NAME_SIZE / 2];

    stem(method, reading, name, sizeof name);
    if (file < COTANGENT)
        snprintf(out, NAME_SIZE, "%s.npy", plain[file]);
    else if (file == COTANGENT && is_default(method))
        snprintf(out, NAME_SIZE, "%s_cotangent.npy", name);
    else
        snprintf(out, NAME_SIZE, "%s%s.npy", before[file], name);
}

void dump_file(const explain_args *args, int32_t index, char *out, size_t size)
{
    char name[NAME_SIZE];

    file_name(explain_method(args), explain_reading(args), index, name);
    snprintf(out, size, "%s/%s", args->dump, name);
}

/* Write no file for an array that does not exist. */
static bool write_array(const explanation *e, const char *folder, int32_t file, npy_type type,
                        int32_t rank, const size_t *dim, const void *data)
{
    char name[NAME_SIZE];
    size_t size = strlen(folder) + sizeof name + 2;
    char *path;
    bool ok;

    if (!data)
        return true;
    path = malloc(size);
    if (!path) {
        complain("%s: out of memory", folder);
        return false;
    }
    file_name(e->method, e->record.reading, file, name);
    snprintf(path, size, "%s/%s", folder, name);
    ok = npy_write(path, type, rank, dim, data);
    free(path);
    return ok;
}

static bool write_doubles(const explanation *e, const char *folder, int32_t file,
                          kldve_status (*get)(const kldve_heatmap *, const double **, int32_t *))
{
    const double *data = NULL; /* where there is none, no file is written */
    int32_t length = 0;
    size_t count;

    get(e->map, &data, &length);
    count = (size_t)length;
    return write_array(e, folder, file, NPY_FLOAT64, 1, &count, data);
}

/* Of a film there is none. */
static bool write_input(const explanation *e, const char *folder)
{
    const kldve_shape *shape = &e->net.shape;
    size_t dim[3] = {(size_t)shape->in_channels, (size_t)shape->in_height, (size_t)shape->in_width};
    float *input;
    bool ok = false;

    if (e->input)
        return write_array(e, folder, INPUT, NPY_FLOAT32, 3, dim, e->input);
    if (shape->in_frames > 1)
        return true;
    input = malloc(dim[0] * dim[1] * dim[2] * sizeof *input);
    if (!input)
        complain("%s: out of memory", folder);
    else if (kldve_explainer_input(e->net.explainer, e->picture, input))
        complain_ctx(e->net.ctx, folder, KLDVE_E_ARG);
    else
        ok = write_array(e, folder, INPUT, NPY_FLOAT32, 3, dim, input);
    free(input);
    return ok;
}

static bool write_logits(const explanation *e, const char *folder)
{
    size_t count;
    const float *data = map_logits(e->map, &count);

    return write_array(e, folder, LOGITS, NPY_FLOAT32, 1, &count, data);
}

static bool write_kl(const explanation *e, const char *folder)
{
    const size_t one = 1;

    return write_array(e, folder, KL, NPY_FLOAT64, 1, &one, &e->record.kl);
}

/* Write no file for the cotangent of `paper` (zero) or of `channel` (alpha_logits). */
static bool write_cotangent(const explanation *e, const char *folder)
{
    int32_t reading = e->record.reading;

    if (is_default(e->method) &&
        (reading == KLDVE_READING_PAPER || reading == KLDVE_READING_CHANNEL))
        return true;
    return write_doubles(e, folder, COTANGENT, kldve_heatmap_cotangent);
}

static bool write_cells(const explanation *e, const char *folder, int32_t file, const float *value)
{
    size_t dim[2] = {(size_t)e->record.height, (size_t)e->record.width};

    return write_array(e, folder, file, NPY_FLOAT32, 2, dim, value);
}

bool dump_write(const explanation *e, const char *folder)
{
    bool made;

    if (!output_folder(folder, &made))
        return false;
    if (write_input(e, folder) && write_logits(e, folder) && write_kl(e, folder) &&
        write_doubles(e, folder, Z, kldve_heatmap_z) &&
        write_doubles(e, folder, ALPHA, kldve_heatmap_alpha) && write_cotangent(e, folder) &&
        write_doubles(e, folder, WEIGHTS, kldve_heatmap_weights) &&
        write_cells(e, folder, MAP, map_values(e->map)) &&
        write_cells(e, folder, SPREAD, map_error(e->map)))
        return true;
    if (made)
        rmdir(folder); /* only if nothing got into it */
    return false;
}
