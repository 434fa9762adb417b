/* given_truth.c - another network's scores as the truth of the divergence. */
#include "tool.h"
#include "getters.h"

#include <stdlib.h>
#include <string.h>

static const char prefix[] = "model:";

int truth_check_args(const char *command, const char *text, int32_t reading)
{
    if (!text)
        return EXIT_DONE;
    if (strncmp(text, prefix, sizeof prefix - 1) != 0 || text[sizeof prefix - 1] == '\0')
        return args_usage(command, "--truth: '%s' is not of the form model:FILE.onnx", text);
    if (reading == KLDVE_READING_RIVALS || reading == KLDVE_READING_NEIGHBOURS)
        return args_usage(command,
                          "--truth: the reading %s is about a class, not about a truth; choose "
                          "another reading",
                          kldve_reading_name(reading));
    return EXIT_DONE;
}

int truth_guard(const char *command, const char *text, const guard_output *outputs, int32_t count)
{
    network_args args;

    if (!text)
        return EXIT_DONE;
    memset(&args, 0, sizeof args);
    args.model = text + sizeof prefix - 1;
    return guard_network(command, &args, outputs, count);
}

bool truth_load(truth *t, kldve_ctx *ctx, const char *text, int32_t threads)
{
    network_args args;

    memset(t, 0, sizeof *t);
    memset(&args, 0, sizeof args);
    args.model = text + sizeof prefix - 1;
    args.threads = threads;
    args.flags = KLDVE_ONNX_FLAG_NO_VJP;
    if (!network_load(&t->net, ctx, &args) || !network_prepare(&t->net, &args))
        return false;
    t->score = calloc((size_t)t->net.shape.classes, sizeof *t->score);
    t->probability = calloc((size_t)t->net.shape.classes, sizeof *t->probability);
    if (t->score && t->probability)
        return true;
    complain("out of memory");
    return false;
}

void truth_say_assumptions(const truth *t, bool quiet)
{
    network_args args;

    memset(&args, 0, sizeof args);
    args.quiet = quiet;
    network_say_assumptions(&t->net, &args);
}

bool truth_fits(const truth *t, const network *n)
{
    const network *number = t->net.shape.scores == KLDVE_SCORES_NUMBER ? &t->net
                            : n->shape.scores == KLDVE_SCORES_NUMBER   ? n
                                                                       : NULL;

    if (number) {
        complain("%s: gives one number, and --truth is about the scores of classes", number->name);
        return false;
    }
    if (t->net.shape.classes == n->shape.classes)
        return true;
    complain("%s: %d classes, but %s has %d; --truth needs a network with the same classes",
             t->net.name, (int)t->net.shape.classes, n->name, (int)n->shape.classes);
    return false;
}

bool truth_score(truth *t, const kldve_image *picture, const float *input)
{
    kldve_options o;
    kldve_heatmap *map = NULL;
    kldve_status status;
    const float *logits;
    size_t count;

    classes_ask(&t->net, &o);
    status = input ? kldve_explain_input(t->net.explainer, input, &o, &map)
                   : kldve_explain(t->net.explainer, picture, &o, &map);
    if (status != KLDVE_OK) {
        complain_ctx(t->net.ctx, t->net.name, status);
        return false;
    }
    logits = map_logits(map, &count);
    for (size_t i = 0; i < count; i++)
        t->score[i] = (double)logits[i];
    memcpy(t->probability, map_probabilities(map, NULL), count * sizeof *t->probability);
    kldve_heatmap_free(map);
    return true;
}

void truth_free(truth *t)
{
    free(t->score);
    free(t->probability);
    network_free(&t->net);
}
