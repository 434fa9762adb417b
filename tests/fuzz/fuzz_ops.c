/* fuzz_ops.c - a few nodes of any operators, with any attributes and constants, as a network: valid
 * enough to get past the reader, in order to test the checks of attributes and shapes in the
 * operators.  An entry for libFuzzer, see fuzz_onnx.c.  Each byte is a choice; the files of ops/
 * are random bytes. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/networks/text.h"
#include "graph/graph.h"
#include "run_onnx.h"
#include "watch.h"
#include "words.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { TEXT = 4096, MAX_NODES = 5 };

typedef struct choices {
    const uint8_t *at, *end;
    char text[TEXT];
    size_t used;
} choices;

static unsigned choose(choices *c, unsigned n)
{
    return c->at < c->end ? *c->at++ % n : 0;
}

static void add(choices *c, const char *format, ...) KLDVE_PRINTF(2, 3);

static void add(choices *c, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(c->text + c->used, TEXT - c->used, format, args);
    va_end(args);
    c->used = n >= 0 && (size_t)n < TEXT - c->used ? c->used + (size_t)n : TEXT - 1;
}

static const char *number(choices *c)
{
    static const char *const numbers[] = {
        "0",  "1",  "2",  "3",     "4",     "5",          "6",           "8",
        "-1", "-2", "-3", "-4",    "7",     "9",          "12",          "16",
        "1",  "2",  "3",  "0",     "100",   "1000",       "65536",       "-65536",
        "1",  "2",  "1",  "32768", "99999", "2147483647", "-2147483648", "1099511627776",
        "1",  "2",  "0",  "-1",    "3",     "4294967296", "-9999999999", "9223372036854775807",
    };

    return numbers[choose(c, sizeof numbers / sizeof numbers[0])];
}

static void numbers(choices *c)
{
    unsigned n = 1 + choose(c, 8);

    for (unsigned i = 0; i < n; i++)
        add(c, "%s%s", i ? "," : "", number(c));
}

static const char *one_of(choices *c, const char *const *list)
{
    unsigned n = 0;

    while (list[n])
        n++;
    return list[choose(c, n)];
}

static void attribute(choices *c)
{
    add(c, " %s=", one_of(c, fuzz_attributes));
    switch (choose(c, 6)) {
    case 0:
    case 1:
        add(c, "%s", number(c));
        break;
    case 2:
        add(c, "%s.5", number(c));
        break;
    case 3:
        add(c, "'%s'", one_of(c, fuzz_words));
        break;
    case 4:
        add(c, "tensor");
        break;
    default:
        add(c, "[");
        numbers(c);
        add(c, "]");
        break;
    }
}

static const char *operator(choices *c)
{
    unsigned n = choose(c, 255), family = 0;

    while (kx_families[family + 1] && n >= 10) {
        n -= 10;
        family++;
    }
    for (const kx_op *op = kx_families[family]; op->type; op++)
        if (n-- == 0 || !op[1].type)
            return op->type;
    return "Relu";
}

/* Lists l0, l1 and tensors w0, w1 are there to be used as inputs 1, 2, ... */
static void constants(choices *c)
{
    static const char *const shapes[] = {
        "-",   "1",   "3",       "4",     "4,3,3,3", "3,1,3,3", "3,3,1,1", "2",     "0",
        "3,8", "8,8", "1,3,8,8", "3,1,1", "1,0,1,1", "3,3,2,2", "192,5",   "5,192", "3,4,2,2"};

    for (int i = 0; i < 2; i++) {
        add(c, "; i l%d ", i);
        numbers(c);
        add(c, "; w w%d %s", i, shapes[choose(c, sizeof shapes / sizeof shapes[0])]);
    }
}

static void write_choices(choices *c)
{
    static const char *const inputs[] = {"l0", "l1", "w0", "w1", "x", "_", "a0", "s"};
    unsigned nodes;

    add(c, "opset %u; in x 1,3,8,8", 7 + choose(c, 15));
    constants(c);
    add(c, "; n Shape x s; n Relu x a0");
    nodes = 1 + choose(c, MAX_NODES);
    for (unsigned i = 1; i <= nodes; i++) {
        unsigned more = choose(c, 6);

        add(c, "; n %s a%u", operator(c), i - 1);
        for (unsigned k = 0; k < more; k++)
            add(c, ",%s", inputs[choose(c, sizeof inputs / sizeof inputs[0])]);
        add(c, " a%u", i);
        if (choose(c, 8) == 7)
            add(c, ",b%u", i);
        for (unsigned k = choose(c, 5); k > 0; k--)
            attribute(c);
    }
    add(c,
        choose(c, 2) ? "; n GlobalAveragePool a%u g; n Flatten g y; out y"
                     : "; n Flatten a%u y; out y",
        nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    choices c = {.at = bytes, .end = bytes + n};
    unsigned char *model;
    kldve_ctx *ctx;
    size_t size;

    write_choices(&c);
    if (c.used >= TEXT - 1)
        return 0;
    model = writer_memory(write_text, c.text, &size);
    ctx = watch_open();
    if (getenv("KLDVE_FUZZ_SHOW"))
        printf("%s\n", c.text);
    run_onnx(ctx, model, size, choose(&c, 8) == 7);
    watch_close(ctx);
    free(model);
    return 0;
}
