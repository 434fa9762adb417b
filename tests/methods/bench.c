/* bench.c - see bench.h. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const tiny_config two_channels = {2, H, W, MAPS, CLASSES, 101, true};
const tiny_config one_channel = {1, H, W, MAPS, CLASSES, 77, true};

static kldve_status look(const kldve_job *job, float *map)
{
    struct probe *p = (struct probe *)(uintptr_t)job->method->opaque;
    const float nothing[MOST_CHANNELS * PIXELS] = {0};
    float logits[CLASSES];
    kldve_status st = p->method->map(job, map);

    if (st < 0)
        return st;
    memcpy(p->map, map, sizeof p->map);
    if (job->error)
        memcpy(p->error, job->error, sizeof p->error);
    if ((st = kldve_job_forward(job, nothing, logits)) < 0)
        return st;
    p->change = kldve_job_score(job, job->logits, KLDVE_SCORE_LOGIT) -
                kldve_job_score(job, logits, KLDVE_SCORE_LOGIT);
    return KLDVE_OK;
}

void open_bench(struct bench *b, const tiny_config *net, const kldve_method *method)
{
    uint64_t seed = 8;

    b->ctx = test_ctx(&b->heap);
    for (int i = 0; i < MOST_CHANNELS * PIXELS; i++)
        b->input[i] = 3 * (float)test_normal(&seed);
    b->probe.method = method;
    b->method = *method;
    b->method.name = "probe";
    b->method.opaque = &b->probe;
    b->method.map = look;
    b->method.needs |= KLDVE_NEED_FORWARDS;
    assert_int_equal(kldve_explainer_new(b->ctx, &tiny_backend, net, &b->ex), KLDVE_OK);
    assert_int_equal(kldve_method_register(b->ctx, &b->method), KLDVE_OK);
}

void close_bench(struct bench *b)
{
    kldve_explainer_free(b->ex);
    kldve_ctx_free(b->ctx);
    assert_int_equal(b->heap.live, 0);
}

void run_probe(struct bench *b, kldve_options o)
{
    kldve_heatmap *map = NULL;

    o.struct_size = sizeof o;
    o.method = "probe";
    if (o.sign == KLDVE_SIGN_DEFAULT)
        o.sign = KLDVE_SIGN_SIGNED;
    assert_int_equal(kldve_explain_input(b->ex, b->input, &o, &map), KLDVE_OK);
    kldve_heatmap_free(map);
}

double map_sum(const float *v)
{
    double s = 0;

    for (int i = 0; i < PIXELS; i++)
        s += (double)v[i];
    return s;
}

double map_largest(const float *v)
{
    double m = 0;

    for (int i = 0; i < PIXELS; i++)
        m = fmax(m, fabs((double)v[i]));
    return m;
}

static int32_t stop_at_3(void *opaque, const char *stage, int64_t done, int64_t total)
{
    (void)total;
    return strcmp(stage, opaque) == 0 && done == 3;
}

void check_cancel(struct bench *b, const char *name)
{
    char stage[24];
    kldve_options o = {.struct_size = sizeof o, .method = name};
    kldve_heatmap *map = NULL;

    snprintf(stage, sizeof stage, "%s", name);
    kldve_ctx_set_progress(b->ctx, stop_at_3, stage);
    assert_int_equal(kldve_explain_input(b->ex, b->input, &o, &map), KLDVE_E_CANCELLED);
    assert_null(map);
}
