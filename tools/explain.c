/* explain.c - kldve explain: one picture, one network, one heat map. */
#include "explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kldve/method.h>

/* ---- the explanation ---------------------------------------------------------------------- */

double class_probability(const explanation *e, int32_t index)
{
    size_t count;
    const float *logits = kldve_heatmap_logits(e->map, &count);

    return classes_probability(logits, count, index);
}

static void set_options(const explanation *e, const explain_args *args, kldve_options *o)
{
    memset(o, 0, sizeof *o);
    o->struct_size = sizeof *o;
    o->method = e->method;
    o->reading = args->reading > 0 ? args->reading : KLDVE_READING_CONTRAST;
    o->temperature = (float)args->temperature;
    o->perplexity = args->perplexity;
    o->flags = args->check ? KLDVE_FLAG_CHECK : 0;
}

/* What the engine has to plan for this method, and no more: planning takes time. */
static uint64_t engine_flags(const explanation *e, const explain_args *args)
{
    const kldve_method *method = kldve_method_at(NULL, args->method > 0 ? args->method - 1 : 0);
    kldve_options o;
    uint32_t needs;

    set_options(e, args, &o);
    needs = method->needs_with ? method->needs_with(&o) : method->needs;
    if (needs & KLDVE_NEED_INPUT_GRADIENT)
        return KLDVE_ONNX_VJP_INPUT;
    return needs & KLDVE_NEED_GRADIENT ? 0 : KLDVE_ONNX_NO_VJP;
}

static bool load(explanation *e, kldve_ctx *ctx, const explain_args *args)
{
    network_args wanted = args->network;
    double begin = now_ms();
    kldve_status status;

    /* The picture first: it is cheap to read, and as easily mistyped. */
    status = kldve_image_load(ctx, args->picture, NULL, &e->picture);
    if (status != KLDVE_OK) {
        complain_ctx(ctx, args->picture, status);
        return false;
    }
    e->ms.decode = now_ms() - begin;
    begin = now_ms();
    e->method = kldve_method_name(args->method > 0 ? args->method - 1 : 0);
    wanted.flags = engine_flags(e, args);
    if (!network_load(&e->net, ctx, &wanted) || !network_prepare(&e->net, &wanted))
        return false;
    e->ms.load = now_ms() - begin;
    return true;
}

static bool explain(explanation *e, const explain_args *args)
{
    kldve_options o;
    kldve_status status;
    const float *logits;
    size_t count;

    set_options(e, args, &o);
    if (!classes_target(&e->net, args->target ? args->target : "top1", &o))
        return false;
    status = kldve_explain(e->net.explainer, e->picture, &o, &e->map);
    if (status != KLDVE_OK) {
        complain_ctx(e->net.ctx, e->net.name, status);
        return false;
    }
    e->record.struct_size = sizeof e->record;
    kldve_heatmap_record(e->map, &e->record);
    logits = kldve_heatmap_logits(e->map, &count);
    e->tops = classes_top(logits, count, e->top);
    return true;
}

/* ---- what is written ---------------------------------------------------------------------- */

/* photos/cat.jpg -> cat.kldve.png, in the working folder; NULL: out of memory. */
static char *default_overlay(const char *picture)
{
    const char *slash = strrchr(picture, '/'), *name = slash ? slash + 1 : picture;
    const char *dot = strrchr(name, '.');
    size_t n = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    static const char ending[] = ".kldve.png";
    char *path = malloc(n + sizeof ending);

    if (path) {
        memcpy(path, name, n);
        memcpy(path + n, ending, sizeof ending);
    }
    return path;
}

static bool write_picture(const explanation *e, const explain_args *args, const char *path,
                          const kldve_image *picture)
{
    kldve_render_options o;
    kldve_image *image = NULL;
    kldve_status status;

    memset(&o, 0, sizeof o);
    o.struct_size = sizeof o;
    o.colormap = args->colormap;
    if (args->opacity >= 0)
        o.opacity = args->opacity > 0 ? (float)args->opacity : -1;
    status = kldve_heatmap_render(e->map, picture, &o, &image);
    if (status == KLDVE_OK)
        status = kldve_image_save(image, path, 0);
    if (status != KLDVE_OK)
        complain_ctx(e->net.ctx, path, status);
    kldve_image_free(image);
    return status == KLDVE_OK;
}

static bool write_map(const explanation *e, const char *path)
{
    size_t dim[2] = {(size_t)e->record.height, (size_t)e->record.width};

    return npy_write(path, NPY_FLOAT32, 2, dim, kldve_heatmap_values(e->map));
}

static bool write_outputs(explanation *e, const explain_args *args)
{
    double begin = now_ms();

    if ((args->overlay && !write_picture(e, args, args->overlay, e->picture)) ||
        (args->heat && !write_picture(e, args, args->heat, NULL)) ||
        (args->map && !write_map(e, args->map)) || (args->dump && !dump_write(e, args->dump)))
        return false;
    e->ms.render = now_ms() - begin;
    e->ms.total = now_ms() - e->ms.begin;
    return !args->json || record_write(e, args);
}

/* ---- the command -------------------------------------------------------------------------- */

static bool run(explanation *e, kldve_ctx *ctx, const explain_args *args, progress *p)
{
    bool ok;

    progress_begin(p, ctx, args->network.quiet);
    ok = load(e, ctx, args);
    if (ok) {
        progress_end(p);
        network_say_assumptions(&e->net, &args->network);
        ok = explain(e, args);
    }
    progress_end(p);
    if (!ok || !write_outputs(e, args))
        return false;
    /* A record on standard output stands there alone. */
    if (!args->network.quiet && !(args->json && strcmp(args->json, "-") == 0))
        summary_print(e, args);
    return output_flush();
}

static int command_explain(const arg_command *command, int argc, char **argv)
{
    explanation e;
    explain_args args;
    progress p;
    kldve_ctx *ctx = NULL;
    char *overlay = NULL;
    bool go, ok = false;
    int code;

    memset(&e, 0, sizeof e);
    e.ms.begin = now_ms();
    code = explain_read_args(command, argc, argv, &args, &go);
    if (!go || code != EXIT_DONE)
        return code;
    if (!args.overlay && !args.heat && !args.map && !args.dump && !args.json)
        args.overlay = overlay = default_overlay(args.picture);
    if (kldve_ctx_new(NULL, &ctx) != KLDVE_OK)
        complain("out of memory");
    else
        ok = run(&e, ctx, &args, &p);
    kldve_heatmap_free(e.map);
    kldve_image_free(e.picture);
    network_free(&e.net);
    kldve_ctx_free(ctx);
    free(overlay);
    return ok ? EXIT_DONE : EXIT_FAILED;
}

const arg_command explain_command = {
    "explain",
    "[MODEL.onnx] PICTURE [options]",
    "Show which pixels of a picture made a network decide.  Without MODEL.onnx the built-in\n"
    "demonstration network is used.",
    "A model card, NAME.card.json beside NAME.onnx, saves all options of the network and of the\n"
    "preparation; docs/model-cards.md says how to write one.\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
    explain_options,
    2,
    command_explain,
    NULL,
};
