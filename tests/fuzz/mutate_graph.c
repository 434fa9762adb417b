/* mutate_graph.c - one change of a model, chosen at random, that leaves it protobuf. */
#include "mutate_graph.h"

#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "message.h"
#include "mutator.h"
#include "words.h"

typedef struct mutation {
    tree *t;
    uint64_t seed;
} mutation;

static uint64_t below(mutation *m, uint64_t n)
{
    m->seed ^= m->seed << 13;
    m->seed ^= m->seed >> 7;
    m->seed ^= m->seed << 17;
    return n ? (m->seed >> 11) % n : 0;
}

/* ---- choosing ----------------------------------------------------------------------------- */

typedef struct chosen {
    field *at, *within;
    uint64_t seen;
} chosen;

static bool wanted(const field *f, field_kind kind)
{
    return kind == FIELD_KINDS || f->kind == kind;
}

/* Any field of a kind (FIELD_KINDS: of any), each as likely as the next. */
static void choose_within(mutation *m, field *message, field_kind kind, chosen *c)
{
    for (field *f = message->first; f; f = f->next) {
        if (wanted(f, kind) && below(m, ++c->seen) == 0) {
            c->at = f;
            c->within = message;
        }
        choose_within(m, f, kind, c);
    }
}

static chosen choose(mutation *m, field_kind kind)
{
    chosen c = {NULL, NULL, 0};

    choose_within(m, m->t->root, kind, &c);
    return c;
}

/* ---- what fields become ------------------------------------------------------------------- */

static void set_text(mutation *m, field *f, const char *text)
{
    size_t n = strlen(text);
    uint8_t *bytes = tree_room(m->t, n);

    if (!bytes || f->wire != WIRE_BYTES)
        return;
    memcpy(bytes, text, n);
    f->bytes = bytes;
    f->nbytes = n;
}

/* An operator of the engine. */
static const char *any_operator(mutation *m)
{
    uint64_t families = 0, ops = 0;
    const kx_op *family;

    while (kx_families[families])
        families++;
    family = kx_families[below(m, families)];
    while (family[ops].type)
        ops++;
    return ops ? family[below(m, ops)].type : "Relu";
}

static const char *any_word(mutation *m, const char *const *words)
{
    uint64_t n = 0;

    while (words[n])
        n++;
    return words[below(m, n)];
}

/* The text of another field of the same kind: an edge goes elsewhere. */
static void borrow_text(mutation *m, field *f)
{
    chosen other = choose(m, f->kind);

    if (other.at && other.at->wire == WIRE_BYTES) {
        f->bytes = other.at->bytes;
        f->nbytes = other.at->nbytes;
    }
}

static void change_text(mutation *m, field *f)
{
    bool known = below(m, 2) == 0;

    if (f->kind == FIELD_OPERATOR && known)
        set_text(m, f, any_operator(m));
    else if (f->kind == FIELD_ATTRIBUTE_NAME && known)
        set_text(m, f, any_word(m, fuzz_attributes));
    else if (f->kind == FIELD_WORD && known)
        set_text(m, f, any_word(m, fuzz_words));
    else if (f->kind == FIELD_DOMAIN && known)
        set_text(m, f, any_word(m, fuzz_domains));
    else
        borrow_text(m, f);
}

static uint64_t any_number(mutation *m, uint64_t now)
{
    static const int64_t odd[] = {0,     1,     2,          3,         4,         7,        8,
                                  16,    -1,    -2,         64,        255,       256,      1000,
                                  65535, 65536, 2147483647, INT32_MIN, INT64_MAX, INT64_MIN};

    switch (below(m, 4)) {
    case 0:
        return now + 1;
    case 1:
        return now - 1;
    case 2:
        return below(m, 24);
    default:
        return (uint64_t)odd[below(m, sizeof odd / sizeof *odd)];
    }
}

/* Float bits: ordinary numbers and those that are not. */
static uint64_t any_real(mutation *m)
{
    static const uint32_t odd[] = {0,          0x3f800000, 0xbf800000, 0x40000000,
                                   0x7f800000, 0xff800000, 0x7fc00000, 1,
                                   0x80000000, 0x7f7fffff, 0x4f000000, 0x00800000};

    return odd[below(m, sizeof odd / sizeof *odd)];
}

/* Packed numbers and elements of tensors. */
static void change_bytes(mutation *m, field *f)
{
    size_t room = f->nbytes + 16;
    uint8_t *bytes = tree_room(m->t, room);

    if (!bytes)
        return;
    memcpy(bytes, f->bytes, f->nbytes);
    if (f->kind == FIELD_NUMBERS && f->nbytes >= 4 && below(m, 2) == 0) {
        uint32_t bits = (uint32_t)any_real(m);

        memcpy(bytes + below(m, f->nbytes / 4) * 4, &bits, 4);
    } else {
        f->nbytes = LLVMFuzzerMutate(bytes, f->nbytes, room);
    }
    f->bytes = bytes;
}

static void change_value(mutation *m, field *f)
{
    if (f->wire == WIRE_VARINT)
        f->value = any_number(m, f->value);
    else if (f->wire == WIRE_FIX32)
        f->value = any_real(m);
    else if (f->wire == WIRE_FIX64)
        f->value = below(m, UINT64_MAX);
    else if (f->kind >= FIELD_VALUE_NAME && f->kind <= FIELD_WORD)
        change_text(m, f);
    else if (f->kind >= FIELD_MESSAGES || f->kind == FIELD_BYTES)
        change_bytes(m, f);
}

/* ---- changes ------------------------------------------------------------------------------ */

static void change_one(mutation *m)
{
    /* Edges, operators, attributes and numbers rather than anything. */
    static const field_kind kinds[] = {
        FIELD_VALUE_NAME, FIELD_OPERATOR, FIELD_ATTRIBUTE_NAME, FIELD_NUMBER, FIELD_NUMBER,
        FIELD_WORD,       FIELD_REAL,     FIELD_NUMBERS,        FIELD_DOMAIN, FIELD_KINDS};
    chosen c = choose(m, kinds[below(m, sizeof kinds / sizeof *kinds)]);

    if (c.at)
        change_value(m, c.at);
}

static void remove_one(mutation *m)
{
    chosen c = choose(m, FIELD_KINDS);

    for (field **f = c.at ? &c.within->first : NULL; f && *f; f = &(*f)->next)
        if (*f == c.at) {
            *f = c.at->next;
            return;
        }
}

/* Behind a field a copy of one of the same kind: another node, dimension, attribute, function. */
static void insert_one(mutation *m)
{
    chosen at = choose(m, FIELD_KINDS), from;
    field *made;

    if (!at.at)
        return;
    from = choose(m, at.at->kind);
    made = tree_copy(m->t, from.at);
    if (!made)
        return;
    made->number = at.at->number;
    made->next = at.at->next;
    at.at->next = made;
}

/* Another node's attributes, another tensor's shape: all of a message. */
static void replace_one(mutation *m)
{
    chosen to = choose(m, FIELD_KINDS), from;
    field *made, *next;
    uint32_t number;

    if (!to.at)
        return;
    from = choose(m, to.at->kind);
    made = tree_copy(m->t, from.at);
    if (!made)
        return;
    next = to.at->next;
    number = to.at->number;
    *to.at = *made;
    to.at->next = next;
    to.at->number = number;
}

static void swap_two(mutation *m)
{
    chosen a = choose(m, FIELD_KINDS);
    field *b = a.at ? a.at->next : NULL, saved;

    if (!b)
        return;
    saved = *a.at;
    *a.at = *b;
    a.at->next = b;
    saved.next = b->next;
    *b = saved;
}

static field *text_field(mutation *m, uint32_t number, field_kind kind, const uint8_t *bytes,
                         size_t nbytes)
{
    field *f = tree_field(m->t);

    if (f)
        *f = (field){
            .number = number, .wire = WIRE_BYTES, .kind = kind, .bytes = bytes, .nbytes = nbytes};
    return f;
}

/* A node of any operator on an edge: what read the edge's tensor now reads the node's. */
static void split_edge(mutation *m)
{
    chosen node = choose(m, FIELD_NODE), input;
    field *made, *in, *out, *op;
    uint8_t *name;

    if (!node.at)
        return;
    input = (chosen){NULL, NULL, 0};
    choose_within(m, node.at, FIELD_VALUE_NAME, &input);
    made = tree_field(m->t);
    name = tree_room(m->t, 8);
    if (!input.at || !made || !name)
        return;
    for (int i = 0; i < 8; i++)
        name[i] = (uint8_t)('a' + below(m, 26));
    in = text_field(m, 1, FIELD_VALUE_NAME, input.at->bytes, input.at->nbytes);
    out = text_field(m, 2, FIELD_VALUE_NAME, name, 8);
    op = text_field(m, 4, FIELD_OPERATOR, name, 0);
    if (!in || !out || !op)
        return;
    set_text(m, op, any_operator(m));
    in->next = out;
    out->next = op;
    *made = (field){.number = node.at->number,
                    .wire = WIRE_BYTES,
                    .kind = FIELD_NODE,
                    .first = in,
                    .next = node.at->next};
    node.at->next = made;
    input.at->bytes = name;
    input.at->nbytes = 8;
}

static void change_tree(mutation *m)
{
    switch (below(m, 12)) {
    case 0:
        remove_one(m);
        break;
    case 1:
        insert_one(m);
        break;
    case 2:
        replace_one(m);
        break;
    case 3:
        swap_two(m);
        break;
    case 4:
    case 5:
        split_edge(m);
        break;
    default:
        change_one(m);
        break;
    }
}

size_t mutate_graph(uint8_t *bytes, size_t nbytes, size_t room, unsigned seed)
{
    mutation m = {malloc(sizeof *m.t), UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)seed << 20)};
    uint8_t *written = malloc(room ? room : 1);
    size_t n = 0;

    if (m.t && written && below(&m, 32) > 0 && tree_read(m.t, bytes, nbytes)) {
        for (uint64_t changes = 1 + below(&m, 3); changes > 0; changes--)
            change_tree(&m);
        n = tree_write(m.t, written, room);
        memcpy(bytes, written, n);
    }
    free(written);
    free(m.t);
    return n > 0 ? n : LLVMFuzzerMutate(bytes, nbytes, room);
}
