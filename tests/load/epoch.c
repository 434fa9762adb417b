#include "epoch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct epoch {
    kldve_ctx *ctx;
    kldve_explainer *owner;
    int32_t users; /* guarded by lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static epoch *current; /* guarded by lock */
static int32_t epochs; /* guarded by lock */

_Noreturn void die(const char *what, const kldve_ctx *ctx)
{
    fprintf(stderr, "soak: %s: %s\n", what, ctx ? kldve_ctx_message(ctx) : "");
    exit(1);
}

static epoch *load(void)
{
    const kldve_onnx_options o = {
        .struct_size = sizeof o, .threads = 1, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    epoch *e = calloc(1, sizeof *e);

    if (!e || kldve_ctx_new(NULL, &e->ctx) != KLDVE_OK)
        die("no memory", NULL);
    if (kldve_onnx_explainer(e->ctx, NULL, &o, &e->owner) != KLDVE_OK)
        die("loading", e->ctx);
    e->users = 1; /* `current` */
    return e;
}

void epoch_let_go(epoch *e)
{
    bool last;

    pthread_mutex_lock(&lock);
    last = --e->users == 0;
    pthread_mutex_unlock(&lock);
    if (!last)
        return;
    kldve_explainer_free(e->owner);
    kldve_ctx_free(e->ctx);
    free(e);
}

epoch *epoch_hold(void)
{
    epoch *e;

    pthread_mutex_lock(&lock);
    e = current;
    e->users++;
    pthread_mutex_unlock(&lock);
    return e;
}

static void put(epoch *e)
{
    epoch *before;

    pthread_mutex_lock(&lock);
    before = current;
    current = e;
    epochs += e != NULL;
    pthread_mutex_unlock(&lock);
    if (before)
        epoch_let_go(before);
}

void epoch_replace(void)
{
    put(load());
}

void epoch_end(void)
{
    put(NULL);
}

int32_t epoch_count(void)
{
    int32_t count;

    pthread_mutex_lock(&lock);
    count = epochs;
    pthread_mutex_unlock(&lock);
    return count;
}

kldve_status epoch_open(kldve_ctx *ctx, const epoch *e, kldve_explainer **out)
{
    kldve_input_spec input = {.struct_size = sizeof input};
    kldve_explainer *explainer = NULL;
    kldve_status status = kldve_card_input(kldve_onnx_explainer_card(e->owner), &input);

    if (status == KLDVE_OK)
        status = kldve_explainer_new(ctx, kldve_onnx_backend(), kldve_onnx_explainer_net(e->owner),
                                     &explainer);
    if (status == KLDVE_OK)
        status = kldve_explainer_set_input(explainer, &input);
    if (status == KLDVE_OK)
        *out = explainer;
    else
        kldve_explainer_free(explainer);
    return status;
}
