/* npy_read.c - arrays from numpy, which may come from anywhere.
 *
 * Formats 1.0, 2.0 and 3.0 (NEP 1): "\x93NUMPY", the version, the header's length as a
 * little-endian uint16 or uint32, the header - a Python dictionary with descr, fortran_order and
 * shape - then the elements.  Every size is checked before it is multiplied, and the file must hold
 * exactly the elements that its header promises. */
#include "tool.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAGIC = 8, MOST_HEADER = 65536 };
static const size_t most_values = (size_t)1 << 28;

/* ---- elements ----------------------------------------------------------------------------- */

typedef double (*reader)(const unsigned char *bytes);

static uint64_t bits_of(const unsigned char *bytes, int n)
{
    uint64_t bits = 0;

    for (int i = n - 1; i >= 0; i--)
        bits = bits << 8 | bytes[i];
    return bits;
}

static double half(const unsigned char *bytes)
{
    uint64_t bits = bits_of(bytes, 2);
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023) / 1024, sign = bits >> 15 ? -1 : 1;

    if (exponent == 31)
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent == 0 ? ldexp(fraction, -14) : ldexp(1 + fraction, exponent - 15));
}

static double single(const unsigned char *bytes)
{
    uint32_t bits = (uint32_t)bits_of(bytes, 4);
    float value;

    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static double twice(const unsigned char *bytes)
{
    uint64_t bits = bits_of(bytes, 8);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

#define READ_UNSIGNED(name, n)                                                                     \
    static double name(const unsigned char *bytes)                                                 \
    {                                                                                              \
        return (double)bits_of(bytes, n);                                                          \
    }
#define READ_SIGNED(name, n, type)                                                                 \
    static double name(const unsigned char *bytes)                                                 \
    {                                                                                              \
        return (double)(type)bits_of(bytes, n);                                                    \
    }
READ_UNSIGNED(u1, 1)
READ_UNSIGNED(u2, 2)
READ_UNSIGNED(u4, 4)
READ_UNSIGNED(u8, 8)
READ_SIGNED(i1, 1, int8_t)
READ_SIGNED(i2, 2, int16_t)
READ_SIGNED(i4, 4, int32_t)
READ_SIGNED(i8, 8, int64_t)

static const struct {
    const char *name; /* descr without the byte order */
    size_t nbytes;
    reader read;
    bool whole; /* integers */
} types[] = {
    {"f4", 4, single, false}, {"f8", 8, twice, false}, {"f2", 2, half, false}, {"u1", 1, u1, true},
    {"b1", 1, u1, true},      {"i1", 1, i1, true},     {"u2", 2, u2, true},    {"i2", 2, i2, true},
    {"u4", 4, u4, true},      {"i4", 4, i4, true},     {"u8", 8, u8, true},    {"i8", 8, i8, true},
};

enum { TYPES = sizeof types / sizeof *types };

/* ---- the header --------------------------------------------------------------------------- */

/* Behind "'KEY':" and blanks; NULL: no such key. */
static const char *value_of(const char *header, const char *key)
{
    char quoted[32];
    const char *at;

    snprintf(quoted, sizeof quoted, "'%s'", key);
    at = strstr(header, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    return *at == ':' ? at + 1 + strspn(at + 1, " ") : NULL;
}

/* '<f4' -> its place in the table; -1: another type. */
static int type_of(const char *header)
{
    const char *at = value_of(header, "descr");

    if (!at || *at++ != '\'' || (*at != '<' && *at != '|' && *at != '='))
        return -1;
    for (int i = 0; i < TYPES; i++)
        if (strncmp(at + 1, types[i].name, 2) == 0 && at[3] == '\'')
            return i;
    return -1;
}

/* "(3, 4)" -> dim and rank; false where it is something else or too large. */
static bool read_shape(const char *header, npy_array *out)
{
    const char *at = value_of(header, "shape");
    size_t count = 1;

    if (!at || *at++ != '(')
        return false;
    for (out->rank = 0;; out->rank++) {
        unsigned long long n;
        char *end;

        at += strspn(at, " ");
        if (*at == ')')
            break;
        if (out->rank == NPY_RANK || *at < '0' || *at > '9')
            return false;
        errno = 0;
        n = strtoull(at, &end, 10);
        if (errno != 0 || n > most_values || (n > 0 && count > most_values / n))
            return false;
        count *= (size_t)n;
        out->dim[out->rank] = (int64_t)n;
        at = end + strspn(end, " ");
        if (*at != ',' && *at != ')')
            return false;
        at += *at == ',';
    }
    out->count = count;
    return true;
}

/* ---- the file ----------------------------------------------------------------------------- */

/* Up to n bytes; a signal does not end it. */
static size_t take(FILE *file, void *bytes, size_t n)
{
    size_t got = 0;

    while (got < n) {
        errno = 0;
        got += fread((unsigned char *)bytes + got, 1, n - got, file);
        if (got < n && !(ferror(file) && errno == EINTR))
            break;
        clearerr(file);
    }
    return got;
}

/* The header as text; NULL after a message. */
static char *read_header(const char *path, FILE *file)
{
    unsigned char magic[MAGIC], length[4] = {0};
    size_t n;
    char *header = NULL;

    if (take(file, magic, MAGIC) != MAGIC || memcmp(magic, "\x93NUMPY", 6) != 0 || magic[6] < 1 ||
        magic[6] > 3 || take(file, length, magic[6] == 1 ? 2 : 4) != (magic[6] == 1 ? 2u : 4u)) {
        complain("%s: not a .npy file (numpy.save() writes them)", path);
        return NULL;
    }
    n = (size_t)bits_of(length, 4);
    if (n <= MOST_HEADER)
        header = malloc(n + 1);
    if (!header || take(file, header, n) != n) {
        complain("%s: the header of the .npy file is %s", path, header ? "cut off" : "too long");
        free(header);
        return NULL;
    }
    header[n] = '\0';
    return header;
}

/* Fortran order: element (i, j, ...) lies at i + dim[0] (j + dim[1] ...). */
static size_t place_of(const npy_array *a, bool fortran, size_t index)
{
    size_t place = 0, factor = 1;
    size_t at[NPY_RANK];

    if (!fortran)
        return index;
    for (int32_t i = a->rank - 1; i >= 0; i--) {
        at[i] = index % (size_t)a->dim[i];
        index /= (size_t)a->dim[i];
    }
    for (int32_t i = 0; i < a->rank; i++) {
        place += at[i] * factor;
        factor *= (size_t)a->dim[i];
    }
    return place;
}

static bool read_elements(const char *path, FILE *file, int type, bool fortran, npy_array *a)
{
    size_t nbytes = a->count * types[type].nbytes;
    unsigned char *bytes = malloc(nbytes + 1);
    bool ok = false;

    a->value = malloc((a->count + 1) * sizeof *a->value);
    if (!bytes || !a->value)
        complain("%s: out of memory for %zu numbers", path, a->count);
    else if (take(file, bytes, nbytes + 1) != nbytes)
        complain("%s: the .npy file does not hold the %zu numbers that its header promises", path,
                 a->count);
    else
        ok = true;
    for (size_t i = 0; ok && i < a->count; i++)
        a->value[i] = types[type].read(bytes + place_of(a, fortran, i) * types[type].nbytes);
    free(bytes);
    return ok;
}

static bool read_array(const char *path, FILE *file, const char *header, npy_array *a)
{
    const char *order = value_of(header, "fortran_order");
    int type = type_of(header);

    if (type < 0) {
        complain("%s: the numbers are of a type that is not supported: save them as float32, "
                 "float64, float16, bool or integers, in little-endian order",
                 path);
        return false;
    }
    if (!order || (strncmp(order, "True", 4) != 0 && strncmp(order, "False", 5) != 0) ||
        !read_shape(header, a)) {
        complain("%s: the header of the .npy file makes no sense, or the array has more than %zu "
                 "numbers or %d axes",
                 path, most_values, NPY_RANK);
        return false;
    }
    a->whole = types[type].whole;
    return read_elements(path, file, type, *order == 'T', a);
}

bool npy_read(const char *path, npy_array *out)
{
    FILE *file = input_file(path);
    char *header;
    bool ok = false;

    memset(out, 0, sizeof *out);
    if (!file)
        return false;
    header = read_header(path, file);
    if (header)
        ok = read_array(path, file, header, out);
    free(header);
    fclose(file);
    if (!ok)
        npy_free(out);
    return ok;
}

float *npy_floats(const npy_array *array)
{
    float *out = malloc((array->count + 1) * sizeof *out);

    if (!out) {
        complain("out of memory");
        return NULL;
    }
    for (size_t i = 0; i < array->count; i++)
        out[i] = (float)array->value[i];
    return out;
}

void npy_free(npy_array *array)
{
    free(array->value);
    memset(array, 0, sizeof *array);
}
