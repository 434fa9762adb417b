/* given_inputs.c - the other inputs of a network, and dimensions that it leaves open. */
#include "tool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "NAME=VALUE"; the last '=' counts, because names may have one. */
static const char *value_of(const char *text)
{
    const char *equals = strrchr(text, '=');

    return equals && equals > text && equals[1] ? equals + 1 : NULL;
}

static bool is_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

const char *given_file(const char *text)
{
    const char *value = value_of(text);
    double number;

    return value && !is_number(value, &number) ? value : NULL;
}

static bool is_size(const char *text, int64_t *out)
{
    double x;

    if (!is_number(text, &x) || x < 1 || x > INT32_MAX || x != floor(x))
        return false;
    *out = (int64_t)x;
    return true;
}

static bool has_room(const char *text)
{
    return (size_t)(value_of(text) - text) <= LABEL_SIZE;
}

/* The same NAME in an entry before entry i: one of the two would do nothing. */
static bool is_repeated(const arg_list *list, int32_t i)
{
    size_t n = (size_t)(value_of(list->text[i]) - list->text[i]);

    for (int32_t k = 0; k < i; k++)
        if (strncmp(list->text[k], list->text[i], n) == 0 &&
            value_of(list->text[k]) == list->text[k] + n)
            return true;
    return false;
}

static int refuse_repeated(const char *command, const char *option, const char *text)
{
    return args_usage(command, "--%s: %.*s is given twice", option,
                      (int)(value_of(text) - 1 - text), text);
}

int given_check_args(const char *command, const network_args *args)
{
    int64_t size;

    for (int32_t i = 0; i < args->dim.count; i++) {
        const char *text = args->dim.text[i];

        if (!value_of(text) || !has_room(text) || !is_size(value_of(text), &size))
            return args_usage(command, "--dim: '%s' is not of the form NAME=N, N from 1 on", text);
        if (is_repeated(&args->dim, i))
            return refuse_repeated(command, "dim", text);
    }
    for (int32_t i = 0; i < args->input.count; i++) {
        static const char *const arrays[] = {".npy", NULL};
        const char *text = args->input.text[i];

        if (!value_of(text) || !has_room(text) ||
            (given_file(text) && !path_has_ending(given_file(text), arrays)))
            return args_usage(
                command, "--input: '%s' is not of the form NAME=FILE.npy or NAME=NUMBER", text);
        if (is_repeated(&args->input, i))
            return refuse_repeated(command, "input", text);
    }
    return EXIT_DONE;
}

static const char *name_of(const char *text, char out[LABEL_SIZE])
{
    size_t n = (size_t)(value_of(text) - 1 - text);

    memcpy(out, text, n);
    out[n] = '\0';
    return out;
}

/* What the card says of dimensions that no option names. */
static void add_card_dims(given_inputs *given, const kldve_card *card, kldve_onnx_options *options)
{
    int32_t count = 0, said = options->dim_count;
    const kldve_onnx_dim *dim = NULL;

    kldve_card_dims(card, &dim, &count);
    for (int32_t i = 0; i < count; i++) {
        bool found = false;

        for (int32_t k = 0; k < said; k++)
            found = found || strcmp(given->dim[k].name, dim[i].name) == 0;
        if (!found)
            given->dim[options->dim_count++] = dim[i];
    }
}

/* The same of values of inputs. */
static bool add_card_values(given_inputs *given, const kldve_card *card,
                            kldve_onnx_options *options)
{
    kldve_card_value v = {.struct_size = sizeof v};
    int32_t said = options->input_count;

    for (int32_t i = 0; kldve_card_value_at(card, i, &v) == KLDVE_OK; i++) {
        int32_t at = options->input_count;
        npy_array *a = &given->array[at];
        bool found = false;

        for (int32_t k = 0; k < said; k++)
            found = found || strcmp(given->input[k].name, v.name) == 0;
        if (found)
            continue;
        if (v.file && !npy_read(v.file, a))
            return false;
        given->input[at] = (kldve_onnx_input){.struct_size = sizeof given->input[at],
                                              .name = v.name,
                                              .type = KLDVE_ONNX_TYPE_FLOAT64,
                                              .rank = v.file ? a->rank : v.rank,
                                              .dims = v.file ? a->dim : v.dims,
                                              .data = v.file ? a->value : v.data};
        options->input_count++;
    }
    return true;
}

static bool allocate(given_inputs *given, const network_args *args, const kldve_card *card)
{
    kldve_card_value v = {.struct_size = sizeof v};
    const kldve_onnx_dim *dim = NULL;
    int32_t dims = 0, values = 0;
    size_t inputs, all;

    if (card)
        kldve_card_dims(card, &dim, &dims);
    while (card && kldve_card_value_at(card, values, &v) == KLDVE_OK)
        values++;
    given->dims = args->dim.count + dims;
    given->inputs = args->input.count + values;
    inputs = (size_t)given->inputs + 1; /* none is no failure of calloc() */
    all = inputs + (size_t)given->dims;
    given->dim = calloc((size_t)given->dims + 1, sizeof *given->dim);
    given->input = calloc(inputs, sizeof *given->input);
    given->array = calloc(inputs, sizeof *given->array);
    given->number = calloc(inputs, sizeof *given->number);
    given->name = calloc(all, sizeof *given->name);
    if (given->dim && given->input && given->array && given->number && given->name)
        return true;
    complain("out of memory");
    return false;
}

bool given_read(given_inputs *given, const network_args *args, const kldve_card *card,
                kldve_onnx_options *options)
{
    memset(given, 0, sizeof *given);
    if (!allocate(given, args, card))
        return false;
    for (int32_t i = 0; i < args->dim.count; i++) {
        given->dim[i].struct_size = sizeof given->dim[i];
        given->dim[i].name = name_of(args->dim.text[i], given->name[given->inputs + i]);
        is_size(value_of(args->dim.text[i]), &given->dim[i].size);
    }
    for (int32_t i = 0; i < args->input.count; i++) {
        const char *file = given_file(args->input.text[i]);
        npy_array *a = &given->array[i];

        if (file && !npy_read(file, a))
            return false;
        if (!file)
            is_number(value_of(args->input.text[i]), &given->number[i]);
        given->input[i] = (kldve_onnx_input){.struct_size = sizeof given->input[i],
                                             .name = name_of(args->input.text[i], given->name[i]),
                                             .type = KLDVE_ONNX_TYPE_FLOAT64,
                                             .rank = a->rank,
                                             .dims = a->dim,
                                             .data = file ? a->value : &given->number[i]};
    }
    options->picture_input = args->picture_input;
    options->layout = args->layout;
    options->in_frames = args->frames;
    options->dims = given->dim;
    options->dim_count = args->dim.count;
    options->inputs = given->input;
    options->input_count = args->input.count;
    if (card) {
        add_card_dims(given, card, options);
        if (!add_card_values(given, card, options))
            return false;
    }
    if (args->array) {
        options->shape = args->array->dim;
        options->shape_rank = args->array->rank;
    }
    if (args->item > 0 && args->array) {
        options->item = args->item - 1;
        options->pictures = given->pictures = npy_floats(args->array);
        return given->pictures != NULL;
    }
    return true;
}

void given_free(given_inputs *given)
{
    for (int32_t i = 0; given->array && i < given->inputs; i++)
        npy_free(&given->array[i]);
    free(given->dim);
    free(given->input);
    free(given->array);
    free(given->number);
    free(given->name);
    free(given->pictures);
}
