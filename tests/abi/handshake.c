/* handshake.c - every way into the engine refuses a core of another release, by a message that has
 * both versions, and takes one of its own.
 *
 *     handshake [CORE ENGINE]  the version numbers that the loaded libraries must have */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

#define NO_FILE "/nonexistent/net.onnx"

static kldve_status load_file(kldve_ctx *ctx)
{
    kldve_onnx *net = NULL;

    return kldve_onnx_load(ctx, NO_FILE, NULL, &net);
}

static kldve_status load_memory(kldve_ctx *ctx)
{
    kldve_onnx *net = NULL;

    return kldve_onnx_load_memory(ctx, "", 0, NULL, &net);
}

static kldve_status memory_file(kldve_ctx *ctx)
{
    kldve_onnx_needs needs = KLDVE_ONNX_NEEDS_INIT;

    return kldve_onnx_memory(ctx, NO_FILE, NULL, &needs);
}

static kldve_status memory_bytes(kldve_ctx *ctx)
{
    kldve_onnx_needs needs = KLDVE_ONNX_NEEDS_INIT;

    return kldve_onnx_memory_bytes(ctx, "", 0, NULL, &needs);
}

static kldve_status explainer_file(kldve_ctx *ctx)
{
    kldve_explainer *ex = NULL;

    return kldve_onnx_explainer(ctx, NO_FILE, NULL, &ex);
}

static kldve_status explainer_memory(kldve_ctx *ctx)
{
    kldve_onnx_files files = KLDVE_ONNX_FILES_INIT;
    kldve_explainer *ex = NULL;

    files.model = "";
    return kldve_onnx_explainer_memory(ctx, &files, NULL, &ex);
}

static kldve_status tap(kldve_ctx *ctx)
{
    static const char *const names[] = {"layer"};
    size_t nmore = 0;
    void *more = NULL;

    return kldve_onnx_tap(ctx, "", 0, names, 1, &more, &nmore);
}

static kldve_status tap_file(kldve_ctx *ctx)
{
    static const char *const names[] = {"layer"};

    return kldve_onnx_tap_file(ctx, NO_FILE, names, 1, NO_FILE);
}

static kldve_status visit(void *opaque, const char *file)
{
    (void)opaque;
    (void)file;
    return KLDVE_OK;
}

static kldve_status weight_files(kldve_ctx *ctx)
{
    return kldve_onnx_weight_files(ctx, NO_FILE, visit, NULL);
}

static kldve_status card_load(kldve_ctx *ctx)
{
    kldve_card *card = NULL;

    return kldve_card_load(ctx, NO_FILE, &card);
}

static kldve_status card_beside(kldve_ctx *ctx)
{
    kldve_card *card = NULL;

    return kldve_card_beside(ctx, NO_FILE, &card);
}

static kldve_status card_parse(kldve_ctx *ctx)
{
    kldve_card *card = NULL;

    return kldve_card_parse(ctx, "[", 1, NULL, &card);
}

static const struct {
    const char *name;
    kldve_status (*call)(kldve_ctx *ctx);
} ways[] = {
    {"kldve_onnx_load", load_file},
    {"kldve_onnx_load_memory", load_memory},
    {"kldve_onnx_memory", memory_file},
    {"kldve_onnx_memory_bytes", memory_bytes},
    {"kldve_onnx_explainer", explainer_file},
    {"kldve_onnx_explainer_memory", explainer_memory},
    {"kldve_onnx_tap", tap},
    {"kldve_onnx_tap_file", tap_file},
    {"kldve_onnx_weight_files", weight_files},
    {"kldve_card_load", card_load},
    {"kldve_card_beside", card_beside},
    {"kldve_card_parse", card_parse},
};

/* The message of a refusal, written from the numbers that both libraries answer. */
static void expect(char *text, size_t size)
{
    int engine = kldve_onnx_version_number(), core = kldve_version_number();

    snprintf(text, size,
             "libkldve-onnx %d.%d.%d does not fit libkldve %d.%d.%d: install both of one release",
             engine / 1000000, engine / 1000 % 1000, engine % 1000, core / 1000000,
             core / 1000 % 1000, core % 1000);
}

static int wrong_versions(char **argv)
{
    if (atol(argv[1]) == kldve_version_number() && atol(argv[2]) == kldve_onnx_version_number())
        return 0;
    printf("loaded: core %" PRId32 ", engine %" PRId32 "\n", kldve_version_number(),
           kldve_onnx_version_number());
    return 1;
}

int main(int argc, char **argv)
{
    int foreign = kldve_version_number() / 1000 != kldve_onnx_version_number() / 1000, bad = 0;
    kldve_ctx *ctx = NULL;
    char refusal[128];

    if ((argc == 3 && wrong_versions(argv)) || kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        return 2;
    expect(refusal, sizeof refusal);
    puts(foreign ? refusal : "accepted");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        kldve_status st = ways[i].call(ctx);
        int refused = st == KLDVE_E_UNSUPPORTED && strcmp(kldve_ctx_message(ctx), refusal) == 0;

        if (refused != foreign) {
            printf("%s: %s, \"%s\"\n", ways[i].name, kldve_status_name(st), kldve_ctx_message(ctx));
            bad = 1;
        }
    }
    kldve_ctx_free(ctx);
    return bad;
}
