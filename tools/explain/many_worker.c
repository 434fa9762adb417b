/* many_worker.c - a thread that explains pictures of its own.
 *
 * It takes a few pictures at a time: reads them, sends them through the network together where the
 * method allows that, draws and writes one after the other.  Pictures that are in memory at a time
 * have PIXELS_MOST together, or are one.  What is wrong with one picture is its result; what would
 * go wrong with every picture - no room to write, no memory - ends the run. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/streams.h"
#include "many.h"

enum { PIXELS_MOST = 32 << 20 /* 96 MB */ };

/* A picture in progress. */
typedef struct slot {
    explanation e;
    explain_args args;     /* with the outputs of this picture */
    const char *path;      /* args.picture has it */
    kldve_options options; /* of the explanation */
    char print[SHA256_TEXT];
    char why[MESSAGE_SIZE];
    many_result *result;
    bool ready; /* to be explained */
} slot;

typedef struct worker {
    const many *m;
    kldve_ctx *ctx;
    network net; /* a twin */
    atomic_bool cancelled;
    slot slot[MANY_BATCH];
} worker;

/* ---- one picture -------------------------------------------------------------------------- */

static const char *name_of(const many *m, many_output output, int32_t picture)
{
    return m->names[output].count > 0 ? m->names[output].path[picture] : NULL;
}

static void begin(const worker *w, slot *s, many_result *r)
{
    const many *m = w->m;

    s->result = r;
    s->ready = false;
    s->path = m->picture.text[r->picture];
    s->args = *m->args;
    s->args.picture = (arg_list){1, 1, &s->path};
    s->args.overlay = name_of(m, MANY_OVERLAY, r->picture);
    s->args.heat = name_of(m, MANY_HEAT, r->picture);
    s->args.map = name_of(m, MANY_MAP, r->picture);
    s->args.dump = name_of(m, MANY_DUMP, r->picture);
    s->args.network = m->how;
    s->e.ms = (explain_times){.begin = now_ms(), .load = m->first.ms.load};
    *s->print = '\0';
}

static bool exists(const char *path)
{
    return !path || access(path, F_OK) == 0;
}

/* An earlier run has explained this very file, and what it wrote is still there. */
static bool is_done(const many *m, const slot *s)
{
    const explain_args *a = &s->args;

    return journal_has(&m->journal, s->result->picture, s->print) && exists(a->overlay) &&
           exists(a->heat) && exists(a->map) && exists(a->dump);
}

/* The message without the picture's name in front. */
static void fail(slot *s)
{
    size_t n = strlen(s->path);
    const char *why = strncmp(s->why, s->path, n) == 0 && strncmp(s->why + n, ": ", 2) == 0
                          ? s->why + n + 2
                          : s->why;

    s->ready = false;
    s->result->state = MANY_FAILED;
    s->result->why = strdup(why);
}

static bool take(worker *w, slot *s)
{
    double start = now_ms();

    if (!subject_read(&s->e, w->ctx, &s->args))
        return false;
    s->e.ms.decode = now_ms() - start;
    return explanation_take(&s->e, &s->args) && explanation_ask(&s->e, &s->args, &s->options);
}

static void prepare(worker *w, slot *s)
{
    const many *m = w->m;

    if (m->args->jsonl && !is_stream(s->path) && !input_is_pipe(s->path) &&
        !sha256_file(s->path, s->print)) {
        fail(s);
    } else if (m->args->resume && is_done(m, s)) {
        s->result->state = MANY_BEFORE;
    } else if (take(w, s)) {
        s->ready = true;
    } else {
        fail(s);
    }
}

/* False: the run cannot go on. */
static bool finish(worker *w, slot *s)
{
    if (!explanation_write(&s->e, &s->args))
        return false;
    s->result->state = MANY_DONE;
    s->result->said = many_said(&s->e, &s->args);
    if (w->m->args->jsonl)
        s->result->line = many_record(w->m, &s->e, &s->args, s->print);
    if (s->result->said && (!w->m->args->jsonl || s->result->line))
        return true;
    complain("out of memory");
    return false;
}

/* ---- several together --------------------------------------------------------------------- */

/* The maps of all that are ready, by one call.  False: one by one, then. */
static bool explain_together(worker *w, slot *const *ready, int32_t count)
{
    const kldve_image *picture[MANY_BATCH];
    kldve_heatmap *map[MANY_BATCH];
    double start = now_ms();

    if (count < 2 || count != w->m->batch)
        return false;
    for (int32_t i = 0; i < count; i++)
        picture[i] = ready[i]->e.picture;
    if (kldve_explain_many(w->net.explainer, picture, count, &ready[0]->options, map) != KLDVE_OK)
        return false;
    for (int32_t i = 0; i < count; i++) {
        ready[i]->e.map = map[i];
        ready[i]->e.ms.explain = (now_ms() - start) / count;
        if (!explanation_finish(&ready[i]->e, &ready[i]->args, &ready[i]->options))
            fail(ready[i]);
    }
    return true;
}

/* Explain and write what is ready among slots first..end - 1.  False: the run cannot go on, and
 * `why` says why. */
static bool flush(worker *w, int32_t first, int32_t end, char why[POOL_WHY_SIZE])
{
    slot *ready[MANY_BATCH];
    int32_t count = 0;
    bool ok = true;

    for (int32_t i = first; i < end; i++)
        if (w->slot[i].ready)
            ready[count++] = &w->slot[i];
    if (!explain_together(w, ready, count))
        for (int32_t i = 0; i < count && !atomic_load(&w->cancelled); i++) {
            complain_into(ready[i]->why, sizeof ready[i]->why);
            if (!explanation_answer(&ready[i]->e, &ready[i]->args, &ready[i]->options))
                fail(ready[i]);
        }
    for (int32_t i = 0; ok && i < count && !atomic_load(&w->cancelled); i++) {
        complain_into(ready[i]->why, sizeof ready[i]->why);
        if (ready[i]->ready && !finish(w, ready[i])) {
            snprintf(why, POOL_WHY_SIZE, "%s", ready[i]->why);
            ok = false;
        }
    }
    for (int32_t i = first; i < end; i++)
        explanation_clear(&w->slot[i].e);
    return ok && !atomic_load(&w->cancelled);
}

static int64_t pixels_of(const slot *s)
{
    return s->ready && s->e.picture
               ? (int64_t)kldve_image_width(s->e.picture) * kldve_image_height(s->e.picture)
               : 0;
}

/* The line of a picture that failed. */
static void record_failures(const worker *w, many_chunk *chunk)
{
    for (int32_t i = 0; i < chunk->count; i++) {
        many_result *r = &chunk->result[i];

        if (r->state == MANY_FAILED && w->m->args->jsonl)
            r->line = many_failure(w->m, w->m->picture.text[r->picture], r->why ? r->why : "");
    }
}

static bool work(void *state, void *item, char why[POOL_WHY_SIZE])
{
    worker *w = state;
    many_chunk *chunk = item;
    int64_t pixels = 0;
    int32_t first = 0;
    bool ok = true;

    for (int32_t i = 0; ok && i < chunk->count; i++) {
        slot *s = &w->slot[i];

        begin(w, s, &chunk->result[i]);
        complain_into(s->why, sizeof s->why);
        prepare(w, s);
        pixels += pixels_of(s);
        if (i + 1 == chunk->count || pixels > PIXELS_MOST) {
            ok = flush(w, first, i + 1, why);
            first = i + 1;
            pixels = 0;
        }
    }
    complain_into(NULL, 0);
    record_failures(w, chunk);
    return ok;
}

/* ---- a thread ----------------------------------------------------------------------------- */

/* All slots use the thread's twin; what --truth and --fuse load is each slot's own. */
static void share(worker *w)
{
    for (int32_t i = 0; i < MANY_BATCH; i++) {
        w->slot[i].e.net = w->net;
        w->slot[i].e.method = w->m->first.method;
        w->slot[i].e.mask = w->m->first.mask;
    }
}

static void close_worker(void *state)
{
    worker *w = state;

    for (int32_t i = 0; i < MANY_BATCH; i++) {
        memset(&w->slot[i].e.net, 0, sizeof w->slot[i].e.net);
        memset(&w->slot[i].e.mask, 0, sizeof w->slot[i].e.mask);
        explanation_free(&w->slot[i].e);
    }
    kldve_explainer_free(w->net.explainer);
    kldve_ctx_free(w->ctx);
    free(w);
}

static void *open_worker(const void *of, char why[POOL_WHY_SIZE])
{
    const many *m = of;
    worker *w = calloc(1, sizeof *w);

    snprintf(why, POOL_WHY_SIZE, "out of memory");
    if (!w)
        return NULL;
    w->m = m;
    complain_into(why, POOL_WHY_SIZE);
    if (kldve_ctx_new(NULL, &w->ctx) == KLDVE_OK && limits_set(w->ctx, &m->args->limit) &&
        network_twin(&m->first.net, &m->how, w->ctx, &w->net)) {
        complain_into(NULL, 0);
        share(w);
        return w;
    }
    complain_into(NULL, 0);
    if (!*why)
        snprintf(why, POOL_WHY_SIZE, "out of memory");
    close_worker(w);
    return NULL;
}

/* The flag first: a call that fails because of it must see it. */
static void cancel_worker(void *state)
{
    worker *w = state;

    atomic_store(&w->cancelled, true);
    kldve_ctx_cancel(w->ctx);
}

static void drop(void *item)
{
    many_chunk *chunk = item;

    for (int32_t i = 0; i < chunk->count; i++) {
        free(chunk->result[i].said);
        free(chunk->result[i].line);
        free(chunk->result[i].why);
    }
}

pool_work many_work(const many *m)
{
    return (pool_work){.of = m,
                       .item_nbytes = sizeof(many_chunk),
                       .open = open_worker,
                       .work = work,
                       .cancel = cancel_worker,
                       .close = close_worker,
                       .drop = drop};
}
