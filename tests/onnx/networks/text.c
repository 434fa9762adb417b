/* text.c - see text.h. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_writer.h"

enum { LINE = 1024, WORDS = 24, MAX_BYTES = 1 << 20 };

typedef struct command {
    char text[LINE];
    char *word[WORDS];
    int n;
} command;

static void die(const char *why, const char *what)
{
    fprintf(stderr, "text.c: %s: %s\n", why, what);
    abort();
}

/* The next command into c; NULL after the last. */
static const char *next(const char *at, command *c)
{
    size_t n;

    at += strspn(at, "; \n");
    if (!*at)
        return NULL;
    n = strcspn(at, ";");
    if (n >= LINE)
        die("too long", at);
    memcpy(c->text, at, n);
    c->text[n] = 0;
    c->n = 0;
    for (char *word = c->text; *(word += strspn(word, " \n"));) {
        if (c->n == WORDS)
            die("too many words", at);
        c->word[c->n++] = word;
        word += strcspn(word, " \n");
        if (*word)
            *word++ = 0;
    }
    return at + n;
}

static bool is(const command *c, const char *name, int words)
{
    if (c->n == 0 || strcmp(c->word[0], name) != 0)
        return false;
    if (c->n < words)
        die("too few words", name);
    return true;
}

static int dimensions(const char *text, int64_t dim[16])
{
    int rank = 0;

    if (*text == '-' && !text[1])
        return 0;
    for (; *text && rank < 16; text += *text == ',') {
        char *end;

        dim[rank] = *text == 'N' ? 0 : strtoll(text, &end, 10);
        text = *text == 'N' ? text + 1 : end;
        rank++;
    }
    return rank;
}

/* Comma-separated names, "_" for the empty one, "-" for none at all. */
static void names(writer *w, uint32_t field, const char *list)
{
    if (strcmp(list, "-") == 0)
        return;
    while (*list) {
        size_t n = strcspn(list, ",");

        write_bytes(w, field, list, n == 1 && *list == '_' ? 0 : n);
        list += n + (list[n] == ',');
    }
}

static void list_attribute(writer *w, const char *value)
{
    bool real = strchr(value, '.') != NULL;

    write_varint(w, ATTR_TYPE, real ? 6 : 7);
    for (value++; *value && *value != ']'; value += *value == ',') {
        char *end;

        if (real)
            write_fix32(w, 7, strtof(value, &end));
        else
            write_varint(w, 8, (uint64_t)strtoll(value, &end, 10));
        value = end;
    }
}

static void tensor_attribute(writer *w)
{
    const int64_t two = 2;
    const float value[] = {0.5f, 1.5f};

    write_varint(w, ATTR_TYPE, 4);
    onnx_tensor(w, 5, "", FLOAT, 1, &two);
    write_bytes(w, TENSOR_RAW, value, sizeof value);
    write_end(w);
}

/* {OP:IN,...:OUT,...} */
static void graph_attribute(writer *w, const char *value)
{
    char text[LINE], *in, *out;

    snprintf(text, sizeof text, "%s", value + 1);
    in = strchr(text, ':');
    out = in ? strchr(in + 1, ':') : NULL;
    if (!out || text[strlen(text) - 1] != '}')
        die("graph", value);
    out[strlen(out) - 1] = 0;
    *in++ = 0;
    *out++ = 0;
    write_varint(w, ATTR_TYPE, 5);
    write_begin(w, 6);
    onnx_node(w, text, in, out);
    onnx_node_end(w);
    write_begin(w, GRAPH_OUTPUT);
    write_bytes(w, 1, out, strcspn(out, ","));
    write_end(w);
    write_end(w);
}

static void attribute(writer *w, uint32_t field, const char *text)
{
    const char *value = strchr(text, '=');

    if (!value)
        die("attribute", text);
    write_begin(w, field);
    write_bytes(w, ATTR_NAME, text, (size_t)(value++ - text));
    if (strcmp(value, "none") == 0) {
        write_varint(w, ATTR_TYPE, 2);
    } else if (strcmp(value, "tensor") == 0) {
        tensor_attribute(w);
    } else if (strcmp(value, "{}") == 0) {
        write_varint(w, ATTR_TYPE, 5);
        write_begin(w, 6);
        write_end(w);
    } else if (*value == '{') {
        graph_attribute(w, value);
    } else if (*value == '@') {
        write_varint(w, ATTR_TYPE, 2);
        write_string(w, 21, value + 1);
    } else if (*value == '[') {
        list_attribute(w, value);
    } else if (*value == '\'') {
        write_varint(w, ATTR_TYPE, 3);
        write_bytes(w, 4, value + 1, strcspn(value + 1, "'"));
    } else if (strchr(value, '.')) {
        write_varint(w, ATTR_TYPE, 1);
        write_fix32(w, 2, strtof(value, NULL));
    } else {
        write_varint(w, ATTR_TYPE, 2);
        write_varint(w, 3, (uint64_t)strtoll(value, NULL, 10));
    }
    write_end(w);
}

static void node(writer *w, uint32_t field, const command *c)
{
    const char *colon = strchr(c->word[1], ':');

    write_begin(w, field);
    names(w, NODE_INPUT, c->word[2]);
    names(w, NODE_OUTPUT, c->word[3]);
    write_string(w, NODE_OP, colon ? colon + 1 : c->word[1]);
    if (colon)
        write_bytes(w, NODE_DOMAIN, c->word[1], (size_t)(colon - c->word[1]));
    for (int i = 4; i < c->n; i++)
        attribute(w, NODE_ATTRIBUTE, c->word[i]);
    write_end(w);
}

static void floats(writer *w, const command *c)
{
    int64_t dim[16];
    int rank = dimensions(c->word[2], dim);
    size_t n = 4;

    for (int i = 0; i < rank; i++)
        n = dim[i] < 0 || dim[i] > MAX_BYTES || n > MAX_BYTES ? MAX_BYTES + 4 : n * (size_t)dim[i];
    if (c->n > 3)
        n = strtoul(c->word[3], NULL, 10);
    if (n > MAX_BYTES)
        n = 0;
    onnx_tensor(w, GRAPH_INITIALIZER, c->word[1], FLOAT, rank, dim);
    write_begin(w, TENSOR_RAW);
    for (size_t i = 0; i < n; i += 4) {
        float value = 0.01f * (float)(i / 4 + 1);

        write_plain(w, &value, n - i < 4 ? n - i : 4);
    }
    write_end(w);
    write_end(w);
}

/* One number of a list that starts again at its end. */
static const char *number(const char *at, const char *list, double *value)
{
    char *end;

    *value = strtod(*at ? at : list, &end);
    return end + (*end == ',');
}

static void typed(writer *w, const command *c)
{
    static const struct {
        const char *name;
        int type, bytes;
    } types[] = {{"f32", FLOAT, 4}, {"u8", 2, 1},  {"s8", 3, 1},
                 {"u16", 4, 2},     {"s16", 5, 2}, {"s32", 6, 4}};
    int64_t dim[16];
    int rank = dimensions(c->word[3], dim);
    const char *at = c->word[4];
    size_t n = 1, t = 0;

    while (t < sizeof types / sizeof *types && strcmp(c->word[2], types[t].name) != 0)
        t++;
    if (t == sizeof types / sizeof *types)
        die("unknown type", c->word[2]);
    for (int i = 0; i < rank; i++)
        n *= (size_t)dim[i];
    onnx_tensor(w, GRAPH_INITIALIZER, c->word[1], types[t].type, rank, dim);
    write_begin(w, TENSOR_RAW);
    for (size_t i = 0; i < n && n <= MAX_BYTES; i++) {
        double value;

        at = number(at, c->word[4], &value);
        if (types[t].type == FLOAT)
            write_plain(w, &(float){(float)value}, 4);
        else
            write_plain(w, &(int32_t){(int32_t)value}, (size_t)types[t].bytes); /* little-endian */
    }
    write_end(w);
    write_end(w);
}

static void external(writer *w, const command *c)
{
    int64_t dim[16];
    int rank = dimensions(c->word[2], dim);

    onnx_tensor(w, GRAPH_INITIALIZER, c->word[1], FLOAT, rank, dim);
    for (int i = 3; i < c->n; i++) {
        size_t n = strcspn(c->word[i], "=");

        write_begin(w, 13);
        write_bytes(w, 1, c->word[i], n);
        write_string(w, 2, c->word[i] + n + 1);
        write_end(w);
    }
    write_varint(w, 14, 1);
    write_end(w);
}

static void input(writer *w, const command *c)
{
    int64_t dim[16];

    if (strcmp(c->word[2], "?") != 0) {
        onnx_value(w, GRAPH_INPUT, c->word[1], dimensions(c->word[2], dim), dim);
        return;
    }
    write_begin(w, GRAPH_INPUT);
    write_string(w, 1, c->word[1]);
    write_begin(w, 2);
    write_begin(w, 1);
    write_varint(w, 1, FLOAT);
    write_end(w);
    write_end(w);
    write_end(w);
}

static void value(writer *w, uint32_t field, const char *name)
{
    write_begin(w, field);
    write_string(w, 1, name);
    write_end(w);
}

static void tensor_of_type(writer *w, const char *name, int type)
{
    const int64_t two = 2;

    onnx_tensor(w, GRAPH_INITIALIZER, name, type, 1, &two);
    write_bytes(w, TENSOR_RAW, "\1\2\3\4\5\6\7\10", 8);
    write_end(w);
}

static void odd(writer *w, const command *c)
{
    const int64_t one = 1;

    if (is(c, "segment", 2)) {
        onnx_tensor(w, GRAPH_INITIALIZER, c->word[1], FLOAT, 1, &one);
        write_begin(w, 3);
        write_varint(w, 1, 0);
        write_end(w);
        write_end(w);
    } else if (is(c, "sparse", 1)) {
        write_begin(w, 15);
        write_end(w);
    } else if (is(c, "sequence", 2)) {
        write_begin(w, GRAPH_INPUT);
        write_string(w, 1, c->word[1]);
        write_begin(w, 2);
        write_begin(w, 4);
        write_end(w);
        write_end(w);
        write_end(w);
    } else {
        die("unknown command", c->text);
    }
}

static void graph_command(writer *w, const command *c)
{
    int64_t list[16];

    if (is(c, "in", 3))
        input(w, c);
    else if (is(c, "out", 2))
        value(w, GRAPH_OUTPUT, c->word[1]);
    else if (is(c, "w", 3))
        floats(w, c);
    else if (is(c, "t", 5))
        typed(w, c);
    else if (is(c, "i", 3))
        onnx_int64s(w, c->word[1], dimensions(c->word[2], list), list);
    else if (is(c, "ext", 3))
        external(w, c);
    else if (is(c, "type", 3))
        tensor_of_type(w, c->word[1], atoi(c->word[2]));
    else if (is(c, "n", 4))
        node(w, GRAPH_NODE, c);
    else
        odd(w, c);
}

static void opset(writer *w, uint32_t field, const char *domain, uint64_t version)
{
    write_begin(w, field);
    write_string(w, 1, domain);
    write_varint(w, 2, version);
    write_end(w);
}

static const char *function(writer *w, const char *at, const command *head)
{
    command c;

    write_begin(w, MODEL_FUNCTION);
    write_string(w, 1, head->word[1]);
    write_string(w, 10, "f");
    names(w, 4, head->word[2]);
    names(w, 5, head->word[3]);
    for (int i = 4; i < head->n; i++)
        if (strchr(head->word[i], '='))
            attribute(w, 11, head->word[i]);
        else
            write_string(w, 6, head->word[i]);
    opset(w, 9, "", 13);
    while ((at = next(at, &c)) && !is(&c, "end", 1))
        if (is(&c, "n", 4))
            node(w, 7, &c);
        else
            die("not a node", c.text);
    write_end(w);
    return at ? at : "";
}

/* Header first, then each command; the graph is one message, functions are beside it. */
void write_text(writer *w, const void *text)
{
    bool ir = false, version = false;
    command c;

    for (const char *at = text; (at = next(at, &c));) {
        if (is(&c, "ir", 2)) {
            if (strcmp(c.word[1], "0") != 0)
                write_varint(w, MODEL_IR_VERSION, strtoull(c.word[1], NULL, 10));
            ir = true;
        } else if (is(&c, "opset", 2)) {
            if (strcmp(c.word[1], "0") != 0)
                opset(w, MODEL_OPSET, "", strtoull(c.word[1], NULL, 10));
            version = true;
        }
    }
    if (!ir)
        write_varint(w, MODEL_IR_VERSION, 8);
    if (!version)
        opset(w, MODEL_OPSET, "", 13);
    for (const char *at = text; (at = next(at, &c));)
        if (is(&c, "fn", 4))
            at = function(w, at, &c);
    write_begin(w, MODEL_GRAPH);
    for (const char *at = text; (at = next(at, &c));)
        if (is(&c, "fn", 4))
            while ((at = next(at, &c)) && !is(&c, "end", 1))
                ;
        else if (!is(&c, "ir", 2) && !is(&c, "opset", 2))
            graph_command(w, &c);
    write_end(w);
}
