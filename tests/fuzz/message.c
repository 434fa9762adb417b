/* message.c - protobuf's wire format to a tree and back. */
#include "message.h"

#include <string.h>

enum { DEPTH = 24 };

static bool is_message(const field *f)
{
    return f->wire == WIRE_BYTES && f->kind > FIELD_BYTES && f->kind < FIELD_MESSAGES;
}

field *tree_field(tree *t)
{
    field *made;

    if (t->fields == TREE_FIELDS)
        return NULL;
    made = &t->field[t->fields++];
    memset(made, 0, sizeof *made);
    return made;
}

uint8_t *tree_room(tree *t, size_t nbytes)
{
    if (nbytes > TREE_BYTES - t->nbytes)
        return NULL;
    t->nbytes += nbytes;
    return t->bytes + t->nbytes - nbytes;
}

field *tree_copy(tree *t, const field *from)
{
    field *made = tree_field(t), **last;

    if (!made)
        return NULL;
    *made = *from;
    made->first = made->next = NULL;
    last = &made->first;
    for (const field *f = from->first; f; f = f->next) {
        *last = tree_copy(t, f);
        if (!*last)
            return NULL;
        last = &(*last)->next;
    }
    return made;
}

/* ---- reading ------------------------------------------------------------------------------ */

typedef struct slice {
    const uint8_t *at, *end;
} slice;

static bool take_varint(slice *s, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64 && s->at < s->end; shift += 7) {
        *value |= (uint64_t)(*s->at & 0x7f) << shift;
        if (!(*s->at++ & 0x80))
            return true;
    }
    return false;
}

static bool take_fixed(slice *s, size_t nbytes, uint64_t *value)
{
    *value = 0;
    if ((size_t)(s->end - s->at) < nbytes)
        return false;
    for (size_t i = nbytes; i > 0; i--)
        *value = *value << 8 | s->at[i - 1];
    s->at += nbytes;
    return true;
}

static bool take_bytes(slice *s, field *f)
{
    uint64_t nbytes;

    if (!take_varint(s, &nbytes) || nbytes > (uint64_t)(s->end - s->at))
        return false;
    f->bytes = s->at;
    f->nbytes = (size_t)nbytes;
    s->at += nbytes;
    return true;
}

static bool take_value(slice *s, field *f)
{
    switch (f->wire) {
    case WIRE_VARINT:
        return take_varint(s, &f->value);
    case WIRE_FIX64:
        return take_fixed(s, 8, &f->value);
    case WIRE_FIX32:
        return take_fixed(s, 4, &f->value);
    case WIRE_BYTES:
        return take_bytes(s, f);
    default:
        return false;
    }
}

/* What claims to be a message and is none stays bytes. */
static bool read_fields(tree *t, field *message, int depth)
{
    slice s = {message->bytes, message->bytes + message->nbytes};
    field **last = &message->first;
    uint64_t tag;

    while (s.at < s.end) {
        field *f = tree_field(t);

        if (!f || !take_varint(&s, &tag))
            return false;
        f->number = (uint32_t)(tag >> 3);
        f->wire = (wire_type)(tag & 7);
        f->kind = schema_of(message->kind, f->number);
        if (!take_value(&s, f))
            return false;
        if (is_message(f) && (depth == DEPTH || !read_fields(t, f, depth + 1))) {
            f->kind = FIELD_BYTES;
            f->first = NULL;
        }
        *last = f;
        last = &f->next;
    }
    return true;
}

bool tree_read(tree *t, const uint8_t *bytes, size_t nbytes)
{
    t->fields = t->nbytes = 0;
    t->root = tree_field(t);
    t->root->wire = WIRE_BYTES;
    t->root->kind = FIELD_MODEL;
    t->root->bytes = bytes;
    t->root->nbytes = nbytes;
    return read_fields(t, t->root, 0);
}

/* ---- writing ------------------------------------------------------------------------------ */

typedef struct sink {
    uint8_t *bytes; /* NULL: only count */
    size_t n, room;
} sink;

static void put_byte(sink *to, uint64_t byte)
{
    if (to->bytes && to->n < to->room)
        to->bytes[to->n] = (uint8_t)byte;
    to->n++;
}

static void put_varint(sink *to, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        put_byte(to, value | 0x80);
    put_byte(to, value);
}

static void put_fields(sink *to, const field *message);

static void put_value(sink *to, const field *f)
{
    sink counted = {NULL, 0, 0};
    int fixed = f->wire == WIRE_FIX64 ? 8 : 4;

    if (f->wire == WIRE_VARINT) {
        put_varint(to, f->value);
    } else if (f->wire != WIRE_BYTES) {
        for (int i = 0; i < fixed; i++)
            put_byte(to, f->value >> (8 * i));
    } else if (is_message(f)) {
        put_fields(&counted, f);
        put_varint(to, counted.n);
        put_fields(to, f);
    } else {
        put_varint(to, f->nbytes);
        for (size_t i = 0; i < f->nbytes; i++)
            put_byte(to, f->bytes[i]);
    }
}

static void put_fields(sink *to, const field *message)
{
    for (const field *f = message->first; f; f = f->next) {
        put_varint(to, (uint64_t)f->number << 3 | (uint64_t)f->wire);
        put_value(to, f);
    }
}

size_t tree_write(const tree *t, uint8_t *bytes, size_t room)
{
    sink to = {bytes, 0, room};

    put_fields(&to, t->root);
    return to.n <= room ? to.n : 0;
}
