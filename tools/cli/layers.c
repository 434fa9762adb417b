/* layers.c - kldve layers: the tensors of a network, and which of them can be explained. */
#include "tool.h"
#include "getters.h"

#include <stdio.h>
#include <string.h>

#include "wrap.h"

typedef struct layers_args {
    network_args network;
    arg_list limit;
} layers_args;

static const arg_option options[] = {
    OPTION_MODEL(offsetof(layers_args, network.model), "the network; default: the built-in one"),
    NETWORK_OPTIONS(layers_args, network),
    LIMIT_OPTION(offsetof(layers_args, limit)),
    OPTION_END,
};

enum { NAME_WIDTH = 44, SHAPE_SIZE = 128, NOTE_COLUMN = 6 };

static void shape_text(const kldve_onnx_tensor *t, char out[SHAPE_SIZE])
{
    size_t used = 0;

    out[0] = '\0';
    for (int32_t i = 0; i < t->rank && i < 8 && used < SHAPE_SIZE; i++)
        used += (size_t)snprintf(out + used, SHAPE_SIZE - used, "%s%lld", i > 0 ? " x " : "",
                                 (long long)t->dim[i]);
}

/* Where the cells are, if not in the last two of four axes. */
static void grid_text(const kldve_onnx_tensor *t, char out[SHAPE_SIZE])
{
    char before[SHAPE_SIZE / 2] = "";

    out[0] = '\0';
    if (t->leading > 0)
        snprintf(before, sizeof before, "%d token%s, then ", (int)t->leading,
                 t->leading > 1 ? "s" : "");
    if (t->rank == 4 && t->channel_axis == 3 && t->leading == 0)
        snprintf(out, SHAPE_SIZE, "   channels last");
    else if (t->explainable && (t->rank != 4 || t->channel_axis != 1))
        snprintf(out, SHAPE_SIZE, "   %s%d x %d cells", before, (int)t->grid_height,
                 (int)t->grid_width);
}

static int name_width(const kldve_onnx *net)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    size_t width = strlen("tensor");

    for (int32_t i = 0; kldve_onnx_tensor_at(net, i, &t) == KLDVE_OK; i++)
        if (strlen(t.name) > width)
            width = strlen(t.name);
    return width < NAME_WIDTH ? (int)width : NAME_WIDTH;
}

static void say_tensors(const kldve_onnx *net)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    int width = name_width(net);

    printf("    %-*s  %-18s  %s\n", width, "tensor", "operator", "shape");
    for (int32_t i = 0; kldve_onnx_tensor_at(net, i, &t) == KLDVE_OK; i++) {
        char shape[SHAPE_SIZE], grid[SHAPE_SIZE], name[LABEL_SIZE], op[LABEL_SIZE];

        shape_text(&t, shape);
        clean_text(t.name, name, sizeof name);
        clean_text(*t.op ? t.op : "(input)", op, sizeof op);
        grid_text(&t, grid);
        printf("  %c %-*s  %-18s  %s%s%s%s\n", t.explainable ? '*' : ' ', width, name, op, shape,
               grid, t.is_layer ? "   <- layer" : "", t.is_logits ? "   <- logits" : "");
    }
    printf("\n* can be explained (--layer NAME); <- layer and <- logits are used now\n");
}

/* What the engine chose, and how to pick scores where there is no vector of them. */
static void say_notes(const kldve_onnx *net)
{
    char text[MESSAGE_SIZE];
    const char *note;

    for (int32_t i = 0; (note = note_number(net, i)); i++) {
        clean_text(note, text, sizeof text);
        wrap_row("note:", text, NOTE_COLUMN);
    }
}

static int run(layers_args *args)
{
    kldve_ctx *ctx = NULL;
    network n;
    bool ok = false;

    if (limits_check("layers", &args->limit) != EXIT_DONE)
        return EXIT_USAGE;
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    memset(&n, 0, sizeof n);
    args->network.flags |= KLDVE_ONNX_FLAG_LIST;
    if (limits_set(ctx, &args->limit) && network_load(&n, ctx, &args->network)) {
        say_tensors(n.net);
        say_notes(n.net);
        ok = output_flush();
    }
    network_free(&n);
    kldve_ctx_free(ctx);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

static int command_layers(const arg_command *command, int argc, char **argv)
{
    layers_args args;
    int32_t count;
    int status;

    memset(&args, 0, sizeof args);
    count = args_parse(command, argc, argv, &args);
    if (count < 0)
        status = args_status(count);
    else
        status = run(&args);
    args_free(command, &args);
    return status;
}

static const arg_example examples[] = {
    {"What --layer can be:", "kldve layers NETWORK.onnx"},
    {NULL, NULL},
};

const arg_command layers_command = {
    .name = "layers",
    .group = "Look up:",
    .line = "the tensors of a network, and which can be explained",
    .files = ".onnx",
    .example = examples,
    .usage = "[NET.onnx] [options]",
    .summary =
        "List the tensors between the input and the class scores in the order of computation,\n"
        "with their shapes, and mark those that can be explained.  Without NET.onnx: the\n"
        "built-in network.",
    .option = options,
    .run = command_layers,
};
