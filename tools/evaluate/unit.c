/* unit.c - a unit in memory and as bytes.  Bytes: the head, then for each method its explanation,
 * then the cells row by row; whole numbers with their lowest byte first, floating-point numbers as
 * the whole number of their bits, texts with their length (16 bits) in front. */
#include "unit.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAGIC = 0x31756e6b /* "knu1" */,
    HEAD_BYTES = 6 * 4,
    METHOD_BYTES = 4 + 4 + 4 + 8 + 8,
    CELL_BYTES = 1 + 8,
    LENGTH_BYTES = 2
};

static size_t cells(const unit *u)
{
    return (size_t)u->methods * (size_t)u->metrics;
}

bool unit_new(unit *out, int32_t methods, int32_t metrics)
{
    unit u = {.methods = methods, .metrics = metrics};
    size_t n;

    if (methods < 1 || metrics < 1 || methods > UNIT_CELLS_MAX / metrics)
        return false;
    n = cells(&u);
    u.method = calloc((size_t)methods, sizeof *u.method);
    u.asked = malloc(n);
    u.value = malloc(n * sizeof *u.value);
    if (!u.method || !u.asked || !u.value) {
        unit_free(&u);
        return false;
    }
    for (int32_t i = 0; i < methods; i++) {
        u.method[i].target = -1;
        u.method[i].logit = u.method[i].probability = NAN;
    }
    memset(u.asked, 1, n);
    for (size_t i = 0; i < n; i++)
        u.value[i] = (double)NAN;
    *out = u;
    return true;
}

void unit_free(unit *u)
{
    free(u->method);
    free(u->asked);
    free(u->value);
    memset(u, 0, sizeof *u);
}

bool unit_asks(const unit *u, int32_t method)
{
    return memchr(u->asked + (size_t)method * (size_t)u->metrics, 1, (size_t)u->metrics) != NULL;
}

/* ---- to bytes ----------------------------------------------------------------------------- */

static unsigned char *put(unsigned char *at, uint64_t value, size_t nbytes)
{
    for (size_t i = 0; i < nbytes; i++)
        *at++ = (unsigned char)(value >> 8 * i);
    return at;
}

static unsigned char *put_float(unsigned char *at, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return put(at, bits, sizeof bits);
}

static unsigned char *put_double(unsigned char *at, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return put(at, bits, sizeof bits);
}

static unsigned char *put_text(unsigned char *at, const char *text)
{
    size_t n = strlen(text);

    at = put(at, n, LENGTH_BYTES);
    memcpy(at, text, n);
    return at + n;
}

static unsigned char *put_method(unsigned char *at, const unit_method *m)
{
    at = put(at, (uint32_t)m->target, 4);
    at = put_float(at, m->logit);
    at = put_float(at, m->probability);
    at = put(at, m->flags, 8);
    at = put_double(at, m->ms);
    return put_text(at, m->why);
}

static size_t packed_size(const unit *u)
{
    size_t n = HEAD_BYTES + LENGTH_BYTES + strlen(u->why) + cells(u) * CELL_BYTES;

    for (int32_t i = 0; i < u->methods; i++)
        n += METHOD_BYTES + LENGTH_BYTES + strlen(u->method[i].why);
    return n;
}

bool unit_pack(const unit *u, unsigned char **bytes, size_t *nbytes)
{
    const int32_t head[] = {MAGIC, u->network, u->question, u->state, u->methods, u->metrics};
    size_t n = packed_size(u);
    unsigned char *made = malloc(n), *at = made;

    if (!made)
        return false;
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        at = put(at, (uint32_t)head[i], 4);
    at = put_text(at, u->why);
    for (int32_t i = 0; i < u->methods; i++)
        at = put_method(at, &u->method[i]);
    for (size_t i = 0; i < cells(u); i++) {
        at = put(at, u->asked[i], 1);
        at = put_double(at, u->value[i]);
    }
    assert((size_t)(at - made) == n);
    *bytes = made;
    *nbytes = n;
    return true;
}

/* ---- from bytes --------------------------------------------------------------------------- */

/* What is left to read.  After a failure `ok` is false and every number read is 0. */
typedef struct reader {
    const unsigned char *at, *end;
    bool ok;
} reader;

static uint64_t get(reader *r, size_t nbytes)
{
    uint64_t value = 0;

    if (!r->ok || (size_t)(r->end - r->at) < nbytes) {
        r->ok = false;
        return 0;
    }
    for (size_t i = 0; i < nbytes; i++)
        value |= (uint64_t)*r->at++ << 8 * i;
    return value;
}

static int32_t get_int(reader *r)
{
    uint32_t bits = (uint32_t)get(r, 4);
    int32_t value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static float get_float(reader *r)
{
    uint32_t bits = (uint32_t)get(r, 4);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static double get_double(reader *r)
{
    uint64_t bits = get(r, 8);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static void get_text(reader *r, char out[UNIT_WHY_SIZE])
{
    size_t n = (size_t)get(r, LENGTH_BYTES);

    if (!r->ok || n >= UNIT_WHY_SIZE || (size_t)(r->end - r->at) < n) {
        r->ok = false;
        return;
    }
    for (size_t i = 0; i < n; i++)
        r->ok = r->ok && !is_control(r->at[i]);
    memcpy(out, r->at, n);
    out[n] = '\0';
    r->at += n;
}

static void get_method(reader *r, unit_method *out)
{
    out->target = get_int(r);
    out->logit = get_float(r);
    out->probability = get_float(r);
    out->flags = get(r, 8);
    out->ms = get_double(r);
    get_text(r, out->why);
    r->ok = r->ok && out->target >= -1;
}

static void get_cells(reader *r, unit *u)
{
    for (size_t i = 0; r->ok && i < cells(u); i++) {
        uint64_t asked = get(r, 1);

        r->ok = r->ok && asked <= 1;
        u->asked[i] = (uint8_t)asked;
        u->value[i] = get_double(r);
    }
}

bool unit_unpack(const unsigned char *bytes, size_t nbytes, unit *out)
{
    reader r = {bytes, bytes + nbytes, true};
    int32_t head[6];
    unit u;

    for (int i = 0; i < 6; i++)
        head[i] = get_int(&r);
    /* Sizes that the bytes cannot hold take no memory. */
    if (!r.ok || head[0] != MAGIC || head[1] < 0 || head[2] < 0 || head[3] < UNIT_MEASURED ||
        head[3] > UNIT_UNREADABLE || head[4] < 1 || head[5] < 1 ||
        (size_t)head[4] > nbytes / CELL_BYTES / (size_t)head[5] || !unit_new(&u, head[4], head[5]))
        return false;
    u.network = head[1];
    u.question = head[2];
    u.state = head[3];
    get_text(&r, u.why);
    for (int32_t i = 0; r.ok && i < u.methods; i++)
        get_method(&r, &u.method[i]);
    get_cells(&r, &u);
    if (!r.ok || r.at != r.end) {
        unit_free(&u);
        return false;
    }
    *out = u;
    return true;
}
