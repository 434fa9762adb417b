/* soak.c - a service under load: threads explain pictures with a network that they share, which is
 * replaced by a new one all the time, while other threads cancel what runs and memory is refused.
 *
 *     soak [--threads N] [--explanations N] [--reload N] [--cancel] [--starve] [--busy N] [--fork]
 *
 * Every map that comes out must be the same to the bit as the first one of its method and picture,
 * and at the end the process must not have more memory, descriptors or threads than when it was
 * warm.  Prints what was done and how long an explanation took: median, 99 %, 99.9 %. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "epoch.h"
#include "held.h"
#include "question.h"

#include <kldve/kldve.h>
#include <kldve/onnx.h>

enum {
    MOST_THREADS = 64,
    BURST = 25,      /* explanations of one explainer */
    STARVE = 499,    /* one of so many allocations is refused */
    FORK_EVERY = 50, /* explanations */
    WARM_UP = 200    /* explanations */
};

typedef struct settings {
    int32_t threads, explanations, reload, busy;
    bool cancel, starve, fork;
} settings;

typedef struct worker {
    pthread_t thread;
    pthread_mutex_t lock; /* of ctx, for those who cancel */
    kldve_ctx *ctx;       /* NULL between bursts */
    uint32_t random;
    int64_t allocations;
    double *ms;
    int32_t taken, cancelled, starved, forked, failed;
} worker;

static settings set = {.threads = 4, .explanations = 400, .reload = 100};
static double question_ms; /* an explanation, alone */
static atomic_int done;    /* explanations that were begun */
static atomic_bool ended;  /* for those who cancel and those who burn time */
static worker workers[MOST_THREADS];

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- the threads -------------------------------------------------------------------------- */

static void *starved_alloc(void *opaque, size_t size)
{
    worker *w = opaque;

    return ++w->allocations % STARVE == 0 ? NULL : malloc(size);
}

static void plain_free(void *opaque, void *block)
{
    (void)opaque;
    free(block);
}

/* In a child: what the parent made still works, and gives the same. */
static bool child_agrees(kldve_ctx *ctx, kldve_explainer *explainer, question q)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        kldve_heatmap *map = NULL;

        _exit(question_ask(ctx, explainer, q, &map) == KLDVE_OK && question_is_answered(q, map)
                  ? 0
                  : 1);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void take_one(worker *w, kldve_explainer *explainer)
{
    question q = question_draw(&w->random);
    kldve_heatmap *map = NULL;
    double begin = now_ms();
    kldve_status status = question_ask(w->ctx, explainer, q, &map);

    if (status == KLDVE_OK && question_is_answered(q, map)) {
        w->ms[w->taken++] = now_ms() - begin;
    } else if (set.cancel && status == KLDVE_E_CANCELLED) {
        w->cancelled++;
    } else if (set.starve && status == KLDVE_E_NOMEM) {
        w->starved++;
    } else {
        fprintf(stderr, "soak: %s, picture %d: %s\n", question_method(q), (int)q.picture,
                status == KLDVE_OK ? "another map" : kldve_ctx_message(w->ctx));
        w->failed++;
    }
    kldve_heatmap_free(map);
    if (set.fork && !set.starve && !set.cancel && w->taken % FORK_EVERY == 1) {
        w->failed += !child_agrees(w->ctx, explainer, q);
        w->forked++;
    }
}

static void set_ctx(worker *w, kldve_ctx *ctx)
{
    pthread_mutex_lock(&w->lock);
    w->ctx = ctx;
    pthread_mutex_unlock(&w->lock);
}

/* Open an explainer, use it for a while, close it. */
static void burst(worker *w)
{
    const kldve_allocator starved = {
        .struct_size = sizeof starved, .alloc = starved_alloc, .free = plain_free, .opaque = w};
    epoch *e = epoch_hold();
    kldve_explainer *explainer = NULL;
    kldve_ctx *ctx = NULL;
    kldve_status status = kldve_ctx_new(set.starve ? &starved : NULL, &ctx);

    if (status == KLDVE_OK) {
        set_ctx(w, ctx);
        status = epoch_open(ctx, e, &explainer);
    }
    if (status == KLDVE_E_NOMEM && set.starve)
        w->starved++;
    else if (status == KLDVE_E_CANCELLED && set.cancel)
        w->cancelled++;
    else if (status != KLDVE_OK)
        die("opening", ctx);
    for (int32_t i = 0; explainer && i < BURST; i++) {
        int32_t number = atomic_fetch_add(&done, 1);

        if (number >= set.explanations)
            break;
        if (number % set.reload == set.reload - 1)
            epoch_replace();
        take_one(w, explainer);
    }
    kldve_explainer_free(explainer);
    set_ctx(w, NULL);
    kldve_ctx_free(ctx);
    epoch_let_go(e);
}

static void *work(void *opaque)
{
    worker *w = opaque;

    while (atomic_load(&done) < set.explanations)
        burst(w);
    return NULL;
}

static struct timespec pause_of(double ms)
{
    time_t seconds = (time_t)(ms / 1e3);

    return (struct timespec){.tv_sec = seconds,
                             .tv_nsec = (long)((ms - 1e3 * (double)seconds) * 1e6)};
}

/* Often enough on every build and machine: pauses are a part of what an explanation takes. */
static void *cancel_some(void *opaque)
{
    uint32_t random = 1;

    (void)opaque;
    while (!atomic_load(&ended)) {
        struct timespec pause = pause_of(question_ms / 2 * (next_random(&random) % 1024) / 1024);
        worker *w = &workers[next_random(&random) % (uint32_t)set.threads];

        pthread_mutex_lock(&w->lock);
        if (w->ctx)
            kldve_ctx_cancel(w->ctx);
        pthread_mutex_unlock(&w->lock);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void *burn(void *opaque)
{
    uint32_t random = 1;

    while (!atomic_load(&ended))
        next_random(&random);
    return opaque;
}

/* ---- rounds ------------------------------------------------------------------------------- */

/* As many explanations as are set, in all threads. */
static void run_round(void)
{
    pthread_t others[MOST_THREADS + 1];
    int32_t extra = 0;

    atomic_store(&done, 0);
    atomic_store(&ended, false);
    if (set.cancel && pthread_create(&others[extra++], NULL, cancel_some, NULL) != 0)
        die("no thread", NULL);
    for (int32_t i = 0; i < set.busy; i++)
        if (pthread_create(&others[extra++], NULL, burn, NULL) != 0)
            die("no thread", NULL);
    for (int32_t i = 0; i < set.threads; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            die("no thread", NULL);
    for (int32_t i = 0; i < set.threads; i++)
        pthread_join(workers[i].thread, NULL);
    atomic_store(&ended, true);
    for (int32_t i = 0; i < extra; i++)
        pthread_join(others[i], NULL);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double part_of(const double *ms, int32_t count, double part)
{
    return count > 0 ? ms[(int32_t)fmin((double)count - 1, floor(part * (double)count))] : 0;
}

/* Sum up all threads; how many explanations went wrong. */
static int32_t report(double seconds)
{
    double *ms = calloc((size_t)set.threads * (size_t)set.explanations, sizeof *ms);
    worker sum = {.taken = 0};

    if (!ms)
        die("no memory", NULL);
    for (int32_t i = 0; i < set.threads; i++) {
        const worker *w = &workers[i];

        memcpy(ms + sum.taken, w->ms, (size_t)w->taken * sizeof *ms);
        sum.taken += w->taken;
        sum.cancelled += w->cancelled;
        sum.starved += w->starved;
        sum.forked += w->forked;
        sum.failed += w->failed;
    }
    qsort(ms, (size_t)sum.taken, sizeof *ms, by_value);
    printf("%d explanations in %.1f s, %d cancelled, %d without memory, %d forks, %d networks\n",
           (int)sum.taken, seconds, (int)sum.cancelled, (int)sum.starved, (int)sum.forked,
           (int)epoch_count());
    printf("ms: median %.2f, 99 %% %.2f, 99.9 %% %.2f, most %.2f\n", part_of(ms, sum.taken, 0.5),
           part_of(ms, sum.taken, 0.99), part_of(ms, sum.taken, 0.999), part_of(ms, sum.taken, 1));
    free(ms);
    if (sum.taken == 0 || (set.cancel && sum.cancelled == 0) || (set.starve && sum.starved == 0) ||
        (set.fork && !set.cancel && !set.starve && sum.forked == 0))
        die("nothing was explained, cancelled, refused or forked", NULL);
    return sum.failed;
}

static void forget(void)
{
    for (int32_t i = 0; i < set.threads; i++) {
        worker *w = &workers[i];

        w->taken = w->cancelled = w->starved = w->forked = 0;
    }
}

static int32_t number(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*end || end == text || n < 0 || n > 100000000)
        die("not a number", NULL);
    return (int32_t)n;
}

static void read_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--cancel") == 0)
            set.cancel = true;
        else if (strcmp(argv[i], "--starve") == 0)
            set.starve = true;
        else if (strcmp(argv[i], "--fork") == 0)
            set.fork = true;
        else if (strcmp(argv[i], "--threads") == 0)
            set.threads = number(value), i++;
        else if (strcmp(argv[i], "--explanations") == 0)
            set.explanations = number(value), i++;
        else if (strcmp(argv[i], "--reload") == 0)
            set.reload = number(value), i++;
        else if (strcmp(argv[i], "--busy") == 0)
            set.busy = number(value), i++;
        else
            die(argv[i], NULL);
    }
    if (set.threads < 1 || set.threads > MOST_THREADS || set.busy > MOST_THREADS ||
        set.reload < 1 || set.explanations < 1)
        die("out of range", NULL);
}

int main(int argc, char **argv)
{
    int32_t wanted, failed, count;
    held warm = {0}, end = {0};
    double begin;

    read_arguments(argc, argv);
    for (int32_t i = 0; i < set.threads; i++) {
        pthread_mutex_init(&workers[i].lock, NULL);
        workers[i].random = (uint32_t)i + 1;
        workers[i].ms = calloc((size_t)(set.explanations + WARM_UP), sizeof *workers[i].ms);
        if (!workers[i].ms)
            die("no memory", NULL);
        memset(workers[i].ms, 1, (size_t)(set.explanations + WARM_UP) * sizeof *workers[i].ms);
    }
    epoch_replace();
    begin = now_ms();
    count = question_begin();
    question_ms = (now_ms() - begin) / count;

    wanted = set.explanations;
    set.explanations = wanted < WARM_UP ? wanted : WARM_UP;
    run_round();
    if (!held_look(&warm))
        die("/proc/self", NULL);
    forget();
    set.explanations = wanted;
    begin = now_ms();
    run_round();
    if (!held_look(&end))
        die("/proc/self", NULL);
    failed = report((now_ms() - begin) / 1e3);
    printf("memory %ld -> %ld kB, descriptors %d -> %d, threads %d -> %d\n", warm.memory,
           end.memory, (int)warm.descriptors, (int)end.descriptors, (int)warm.threads,
           (int)end.threads);

    epoch_end();
    question_end();
    for (int32_t i = 0; i < set.threads; i++)
        free(workers[i].ms);
    if (end.descriptors > warm.descriptors || end.threads > warm.threads)
        die("descriptors or threads were left", NULL);
#ifndef SOAK_NO_MEMORY_CHECK /* a sanitizer keeps what is freed */
    if (end.memory > warm.memory + warm.memory / 4 + 16384)
        die("memory grew", NULL);
#endif
    if (failed > 0)
        die("explanations went wrong", NULL);
    return 0;
}
