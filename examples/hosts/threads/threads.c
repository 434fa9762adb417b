/* threads.c - a service in small: pictures come in over a queue, THREADS threads explain them with
 * one network.  Every thread has a context and an explainer of its own; the network is shared.
 *
 *     threads NETWORK.onnx THREADS PICTURE...
 *
 * Prints a line for each picture as it is done.  A picture that fails does not stop the others. */
#include <stdio.h>
#include <stdlib.h>

#include "../network.h"
#include "queue.h"

enum { MOST_THREADS = 64 };

struct worker {
    pthread_t thread;
    kldve_ctx *ctx; /* allocator and message: never shared */
    kldve_explainer *net;
    struct queue *pictures;
    int failed; /* pictures */
};

static int explain(const struct worker *worker, const char *path)
{
    kldve_record r = {.struct_size = sizeof r};
    kldve_image *photo = NULL;
    kldve_heatmap *map = NULL;
    int failed;

    failed = kldve_image_load(worker->ctx, path, &photo) ||
             kldve_explain(worker->net, photo, NULL, &map) || kldve_heatmap_record(map, &r);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(worker->ctx));
    else
        printf("%s: class %d, logit %.4f\n", path, (int)r.target, (double)r.logit);
    kldve_heatmap_free(map);
    kldve_image_free(photo);
    return failed;
}

static void *work(void *opaque)
{
    struct worker *worker = opaque;
    const char *path;

    while ((path = queue_pop(worker->pictures)))
        worker->failed += explain(worker, path);
    return NULL;
}

static int open_worker(struct worker *worker, const struct network *net, struct queue *pictures)
{
    int failed;

    *worker = (struct worker){.pictures = pictures};
    if (kldve_ctx_new(NULL, &worker->ctx))
        return 1;
    failed = network_open(worker->ctx, net, &worker->net);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(worker->ctx));
    return failed;
}

static void close_worker(struct worker *worker)
{
    kldve_explainer_free(worker->net);
    kldve_ctx_free(worker->ctx);
}

/* All pictures through the threads that could be started; the number of failures. */
static int serve(struct worker *worker, int threads, char **path)
{
    struct queue *pictures = worker[0].pictures;
    int started = 0, failed = 0;

    while (started < threads &&
           pthread_create(&worker[started].thread, NULL, work, &worker[started]) == 0)
        started++;
    if (started < threads)
        fprintf(stderr, "only %d of %d threads could be started\n", started, threads);
    for (; started > 0 && *path; path++)
        queue_push(pictures, *path);
    queue_close(pictures);
    for (int i = 0; i < started; i++) {
        pthread_join(worker[i].thread, NULL);
        failed += worker[i].failed;
    }
    return failed + (started < threads);
}

int main(int argc, char **argv)
{
    struct worker worker[MOST_THREADS];
    struct network net = {.onnx = NULL};
    struct queue pictures;
    kldve_ctx *ctx = NULL;
    int threads = argc > 3 ? atoi(argv[2]) : 0, opened = 0, failed;

    if (threads < 1 || threads > MOST_THREADS || kldve_ctx_new(NULL, &ctx)) {
        fprintf(stderr, "usage: threads NETWORK.onnx 1..%d PICTURE...\n", MOST_THREADS);
        return 2;
    }
    queue_init(&pictures);
    failed = network_load(ctx, argv[1], 1, 0, &net);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    while (!failed && opened < threads)
        failed = open_worker(&worker[opened++], &net, &pictures);
    if (!failed)
        failed = serve(worker, threads, argv + 3);
    while (opened > 0)
        close_worker(&worker[--opened]);
    network_free(&net);
    kldve_ctx_free(ctx);
    queue_destroy(&pictures);
    return failed != 0;
}
