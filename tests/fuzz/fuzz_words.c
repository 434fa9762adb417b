/* fuzz_words.c - any text behind options of the command: --target, --limit, numbers, sizes and
 * lists.  The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "cli/arg_values.h"
#include "cli/tool.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

static char said[MESSAGE_SIZE];

/* A refusal says why. */
static void heard(bool ok)
{
    watch_that(ok == !*said, "a failure says why, a success nothing");
    watch_text(said);
}

static void target(kldve_ctx *ctx, const char *text, bool single)
{
    static const char list[] = "cat\ndog\n"
                               "n01440764 tench, Tinca tinca\n\xc3\xa4\ncat\n";
    network n = {.ctx = ctx, .name = "NET"};
    kldve_options o = KLDVE_OPTIONS_INIT;
    bool ok;

    n.shape.struct_size = sizeof n.shape;
    n.shape.classes = single ? 2 : 5;
    n.shape.single = single;
    watch_that(kldve_labels_parse(ctx, list, single ? 8 : sizeof list - 1, &n.labels) == KLDVE_OK,
               "labels");
    ok = classes_target(&n, "target", text, &o);
    heard(ok);
    if (ok)
        watch_that(o.target >= 0 && o.target < n.shape.classes, "a class that does not exist");
    kldve_labels_free(n.labels);
}

static void limit(kldve_ctx *ctx, const char *text)
{
    arg_list list = {0, 0, NULL};
    bool ok;

    watch_that(arg_list_add(&list, text), "no memory");
    ok = limits_check("explain", &list) == EXIT_DONE;
    heard(ok);
    if (ok)
        watch_that(limits_set(ctx, &list), "a limit that was checked is refused");
    arg_list_free(&list);
}

static const char *choice(int32_t index)
{
    static const char *const names[] = {"one", "two", "three"};

    return index < 3 ? names[index] : NULL;
}

static void value(const char *text, arg_kind kind)
{
    arg_option o = {.kind = kind,
                    .name = "option",
                    .meta = "X",
                    .help = "",
                    .min = -3,
                    .max = 1000,
                    .choice = choice};
    union {
        int32_t whole;
        double number;
        arg_numbers numbers;
        arg_size size;
        const char *string;
    } member;

    memset(&member, 0, sizeof member);
    if (!arg_parse_value(&o, text, &member)) {
        (void)arg_refuse_value("explain", &o, text);
        heard(false);
        return;
    }
    if (kind == ARG_INT)
        watch_that(member.whole >= -3 && member.whole <= 1000, "a number out of range");
    if (kind == ARG_NUMBER)
        watch_that(member.number >= -3 && member.number <= 1000, "a number out of range");
    if (kind == ARG_NUMBERS)
        watch_that(member.numbers.count >= 1 && member.numbers.count <= 4,
                   "more numbers than four");
    if (kind == ARG_CHOICE)
        watch_that(member.whole >= 1 && member.whole <= 3, "a choice that does not exist");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    static const arg_kind kinds[] = {ARG_INT, ARG_NUMBER, ARG_NUMBERS, ARG_SIZE, ARG_CHOICE};
    enum { TARGET, SINGLE, LIMIT, FIRST_KIND };
    kldve_ctx *ctx;
    char *text;
    unsigned which;

    if (nbytes < 1)
        return 0;
    ctx = watch_open();
    text = calloc(1, nbytes);
    watch_that(text != NULL, "no memory");
    memcpy(text, bytes + 1, nbytes - 1);
    complain_into(said, sizeof said);
    which = bytes[0] % (FIRST_KIND + 5);
    if (which == TARGET || which == SINGLE)
        target(ctx, text, which == SINGLE);
    else if (which == LIMIT)
        limit(ctx, text);
    else
        value(text, kinds[which - FIRST_KIND]);
    free(text);
    watch_close(ctx);
    return 0;
}
