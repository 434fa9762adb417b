/* card_inputs.c - which input is the picture, what its axes are, the values of the others and the
 * sizes of open dimensions.  See card_parts.h.
 *
 * A value is a number, a list of numbers or of lists as long as each other, or the name of a .npy
 * file. */
#include "card_parts.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { AXES = 8 };

static kldve_status nomem(const kx_card_reader *r)
{
    return kldve_ctx_failf(r->ctx, KLDVE_E_NOMEM, "%sout of memory", r->where);
}

/* The entries of an object; 0 where there is none. */
static kldve_status count_of(const kx_card_reader *r, const kx_json *object, const char *key,
                             int32_t *count)
{
    size_t n = object ? object->count : 0;

    if (n > KX_CARD_MOST)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT, "%s%s: %zu names, at most %d are supported",
                               r->where, key, n, (int)KX_CARD_MOST);
    *count = (int32_t)n;
    return KLDVE_OK;
}

/* ---- dimensions --------------------------------------------------------------------------- */

static kldve_status read_dim(const kx_card_reader *r, const kx_json *value, kldve_onnx_dim *dim)
{
    char *copy = NULL;
    double number = value->number;
    kldve_status status;

    if (value->kind != KX_JSON_NUMBER)
        return kx_card_wrong_type(r, "dims", "an object of numbers", value);
    if (!(number >= 1 && number <= INT32_MAX) || number != floor(number))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sdims.%.60s: %g is not a whole number from 1 on", r->where,
                               value->name, number);
    if ((status = kx_card_keep(r, NULL, value->name, &copy)) != KLDVE_OK)
        return status;
    *dim = (kldve_onnx_dim){.struct_size = sizeof *dim, .name = copy, .size = (int64_t)number};
    return KLDVE_OK;
}

static kldve_status read_dims(const kx_card_reader *r, const kx_json *root, kldve_card *card)
{
    const kx_json *object = NULL;
    int32_t count = 0;
    kldve_status status = kx_card_get_object(r, root, "dims", &object);

    if (status == KLDVE_OK)
        status = count_of(r, object, "dims", &count);
    if (status != KLDVE_OK || count == 0)
        return status;
    card->dims.dim = kldve_ctx_alloc(r->ctx, (size_t)count, sizeof *card->dims.dim);
    if (!card->dims.dim)
        return nomem(r);
    for (const kx_json *value = object->first; value; value = value->next) {
        if (kx_json_find(object, value->name) != value)
            continue; /* the same name comes again */
        if ((status = read_dim(r, value, &card->dims.dim[card->dims.count])) != KLDVE_OK)
            return status;
        card->dims.count++;
    }
    return KLDVE_OK;
}

/* ---- values ------------------------------------------------------------------------------- */

/* The shape of nested lists, by their first elements. */
static bool shape_of(const kx_json *value, int32_t *rank, int64_t *dim, size_t *count)
{
    *rank = 0;
    *count = 1;
    while (value->kind == KX_JSON_LIST) {
        size_t n = value->count;

        if (*rank == AXES || n == 0)
            return false;
        dim[(*rank)++] = (int64_t)n;
        *count *= n; /* a card has at most 1 MiB: lists that are as long as each other cannot
                        overflow, others are refused by fill() before it writes */
        value = value->first;
    }
    return true;
}

/* Numbers of the lists to *out.  False: a list of another length, or something else. */
static bool fill(const kx_json *value, int32_t rank, const int64_t *dim, double **out,
                 const double *end)
{
    if (rank == 0) {
        double number = value->number;

        if (value->kind != KX_JSON_NUMBER || !isfinite(number) || *out == end)
            return false;
        *(*out)++ = number;
        return true;
    }
    if (value->kind != KX_JSON_LIST || value->count != (size_t)dim[0])
        return false;
    for (const kx_json *item = value->first; item; item = item->next)
        if (!fill(item, rank - 1, dim + 1, out, end))
            return false;
    return true;
}

/* A number or nested lists. */
static kldve_status read_numbers(const kx_card_reader *r, const char *name, const kx_json *value,
                                 kldve_card_value *out)
{
    enum { LONGEST = 1 << 19 }; /* numbers in a card of 1 MiB */
    int64_t dim[AXES], *dims;
    double *data, *at;
    size_t count;
    int32_t rank;

    if (!shape_of(value, &rank, dim, &count) || count > LONGEST)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinputs.%.60s: an empty list, or more than %d axes or %d numbers",
                               r->where, name, (int)AXES, (int)LONGEST);
    data = at = kldve_ctx_alloc(r->ctx, count, sizeof *data);
    dims = kldve_ctx_alloc(r->ctx, (size_t)rank + 1, sizeof *dims);
    out->data = data;
    out->dims = dims;
    if (!data || !dims)
        return nomem(r);
    memcpy(dims, dim, (size_t)rank * sizeof *dims);
    out->rank = rank;
    if (fill(value, rank, dim, &at, data + count) && at == data + count)
        return KLDVE_OK;
    return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                           "%sinputs.%.60s: must be a number, numbers in lists as long as each "
                           "other, or the name of a .npy file",
                           r->where, name);
}

static kldve_status read_file(const kx_card_reader *r, const char *name, const char *folder,
                              const kx_json *value, kldve_card_value *out)
{
    const char *text = value->text;
    size_t n = strlen(text);
    char *file = NULL;
    kldve_status status;

    if (n < 5 || strcmp(text + n - 4, ".npy") != 0)
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%sinputs.%.60s: '%.60s' does not end in .npy", r->where, name,
                               text);
    status = kx_card_keep(r, folder, text, &file);
    out->file = file;
    return status;
}

static kldve_status read_values(const kx_card_reader *r, const kx_json *root, const char *folder,
                                kldve_card *card)
{
    const kx_json *object = NULL;
    int32_t count = 0;
    kldve_status status = kx_card_get_object(r, root, "inputs", &object);

    if (status == KLDVE_OK)
        status = count_of(r, object, "inputs", &count);
    if (status != KLDVE_OK || count == 0)
        return status;
    card->inputs.value = kldve_ctx_alloc(r->ctx, (size_t)count, sizeof *card->inputs.value);
    if (!card->inputs.value)
        return nomem(r);
    for (const kx_json *value = object->first; value; value = value->next) {
        kldve_card_value *to = &card->inputs.value[card->inputs.count];
        const char *name = value->name;
        char *copy = NULL;

        if (kx_json_find(object, name) != value)
            continue; /* the same name comes again */
        card->inputs.count++;
        *to = (kldve_card_value){.struct_size = sizeof *to};
        if ((status = kx_card_keep(r, NULL, name, &copy)) != KLDVE_OK)
            return status;
        to->name = copy;
        status = value->kind == KX_JSON_STRING ? read_file(r, name, folder, value, to)
                                               : read_numbers(r, name, value, to);
        if (status != KLDVE_OK)
            return status;
    }
    return KLDVE_OK;
}

/* ---- all ---------------------------------------------------------------------------------- */

static kldve_status read_layout(const kx_card_reader *r, const kx_json *root, kldve_card *card)
{
    const char *layout;
    kldve_status status = kx_card_get_string(r, root, "layout", &layout);

    if (status != KLDVE_OK || !layout)
        return status;
    if (strspn(layout, "NCTHW") != strlen(layout))
        return kldve_ctx_failf(r->ctx, KLDVE_E_FORMAT,
                               "%slayout: '%.20s' must be letters of N, C, T, H, W", r->where,
                               layout);
    return kx_card_keep(r, NULL, layout, &card->layout);
}

kldve_status kx_card_read_inputs(const kx_card_reader *r, const kx_json *root, const char *folder,
                                 kldve_card *card)
{
    const char *picture;
    kldve_status status;

    if ((status = read_layout(r, root, card)) != KLDVE_OK ||
        (status = kx_card_get_string(r, root, "picture_input", &picture)) != KLDVE_OK ||
        (status = kx_card_keep(r, NULL, picture, &card->picture_input)) != KLDVE_OK ||
        (status = read_dims(r, root, card)) != KLDVE_OK)
        return status;
    return read_values(r, root, folder, card);
}

void kx_card_free_inputs(kldve_card *card)
{
    for (int32_t i = 0; i < card->dims.count; i++)
        kldve_ctx_release(card->ctx, (char *)card->dims.dim[i].name);
    for (int32_t i = 0; i < card->inputs.count; i++) {
        const kldve_card_value *v = &card->inputs.value[i];

        kldve_ctx_release(card->ctx, (char *)v->name);
        kldve_ctx_release(card->ctx, (char *)v->file);
        kldve_ctx_release(card->ctx, (int64_t *)v->dims);
        kldve_ctx_release(card->ctx, (double *)v->data);
    }
    kldve_ctx_release(card->ctx, card->dims.dim);
    kldve_ctx_release(card->ctx, card->inputs.value);
    kldve_ctx_release(card->ctx, card->layout);
    kldve_ctx_release(card->ctx, card->picture_input);
}
