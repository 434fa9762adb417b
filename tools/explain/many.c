/* many.c - the run over many pictures.  One thread, the owner, hands pictures out to the others and
 * takes results back; what comes back is recorded at once, in whatever order it comes. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "many.h"
#include "many/interrupt.h"

enum {
    WAITING = 4,   /* pieces of work that wait for each thread */
    LOOK_MS = 200, /* between two looks at signals and clock */
    EXIT_INTERRUPTED = 130
};

typedef struct lead {
    many *m;
    pool *pool;
    progress *p;
    int32_t next;                    /* picture that is handed out next */
    int32_t states[MANY_FAILED + 1]; /* how many pictures are in each */
    many_result *failed;             /* [states[MANY_FAILED]], as they came */
    bool said_on_stdout;             /* a line for each picture */
    bool broken, interrupted;        /* no more is handed out */
} lead;

static void give_up(lead *l)
{
    l->broken = true;
    pool_stop(l->pool);
}

static void feed(lead *l)
{
    int32_t pictures = l->m->picture.count;

    for (int32_t room = pool_room(l->pool); room > 0 && l->next < pictures && !l->broken; room--) {
        many_chunk chunk = {.count = pictures - l->next};

        if (chunk.count > l->m->piece)
            chunk.count = l->m->piece;
        for (int32_t i = 0; i < chunk.count; i++)
            chunk.result[i].picture = l->next++;
        pool_push(l->pool, &chunk);
    }
}

/* ---- what comes back ---------------------------------------------------------------------- */

/* Takes the texts over.  False: out of memory. */
static bool keep_failure(lead *l, const many_result *r)
{
    size_t count = (size_t)l->states[MANY_FAILED];
    many_result *more = realloc(l->failed, (count + 1) * sizeof *more);

    if (!more)
        return false;
    l->failed = more;
    more[count] = *r;
    return true;
}

static bool record(lead *l, const many_result *r)
{
    return !r->line || journal_add(&l->m->journal, r->picture, r->line);
}

static bool say(lead *l, const many_result *r)
{
    if (!r->said || !l->said_on_stdout)
        return true;
    progress_end(l->p);
    puts(r->said);
    return output_flush();
}

static void hear(lead *l, many_chunk *chunk)
{
    for (int32_t i = 0; i < chunk->count; i++) {
        many_result *r = &chunk->result[i];
        bool kept = false;

        if (!l->broken && !(record(l, r) && say(l, r)))
            give_up(l);
        if (r->state == MANY_FAILED)
            kept = keep_failure(l, r);
        l->states[r->state]++;
        free(r->line);
        free(r->said);
        if (!kept)
            free(r->why);
    }
    progress_count(l->p,
                   (int64_t)l->states[MANY_DONE] + l->states[MANY_BEFORE] + l->states[MANY_FAILED],
                   l->m->picture.count);
}

/* One round: hand out, take back.  False: there is nothing left. */
static bool go_on(lead *l)
{
    char why[POOL_WHY_SIZE];
    many_chunk chunk;
    pool_event event;

    if (interrupt_came() && !l->interrupted) {
        l->interrupted = true;
        give_up(l);
    }
    feed(l);
    event = pool_wait(l->pool, LOOK_MS, &chunk, why);
    if (event == POOL_ITEM)
        hear(l, &chunk);
    if (event == POOL_FAILED && !l->broken) {
        progress_end(l->p);
        complain("%s", why);
        give_up(l);
    }
    return event != POOL_IDLE || (l->next < l->m->picture.count && !l->broken);
}

/* ---- how it went -------------------------------------------------------------------------- */

static int by_picture(const void *left, const void *right)
{
    const many_result *a = left, *b = right;

    return (a->picture > b->picture) - (a->picture < b->picture);
}

static bool same_reason(const lead *l)
{
    for (int32_t i = 1; i < l->states[MANY_FAILED]; i++)
        if (!l->failed[0].why || !l->failed[i].why ||
            strcmp(l->failed[i].why, l->failed[0].why) != 0)
            return false;
    return true;
}

/* One line for what is wrong with all, else one for each. */
static void say_failures(lead *l)
{
    int32_t failed = l->states[MANY_FAILED];

    if (failed == 0)
        return;
    qsort(l->failed, (size_t)failed, sizeof *l->failed, by_picture);
    if (failed > 1 && failed == l->m->picture.count && same_reason(l)) {
        complain("none of the %d pictures could be explained: %s", (int)failed, l->failed[0].why);
        return;
    }
    if (l->m->picture.count > 1)
        complain("%d of %d pictures could not be explained:", (int)failed,
                 (int)l->m->picture.count);
    for (int32_t i = 0; i < failed; i++)
        complain("%s: %s", l->m->picture.text[l->failed[i].picture],
                 l->failed[i].why ? l->failed[i].why : "out of memory");
}

static void say_interrupted(const lead *l)
{
    int32_t done = l->states[MANY_DONE] + l->states[MANY_BEFORE];

    complain("interrupted: %d of %d pictures are done%s", (int)done, (int)l->m->picture.count,
             l->m->args->jsonl ? "; --resume goes on" : "");
}

/* For people, the last line. */
static bool say_summary(const lead *l, double ms)
{
    int32_t done = l->states[MANY_DONE];

    if (!l->said_on_stdout)
        return true;
    printf("%d picture%s explained in %.1f s", (int)done, done == 1 ? "" : "s", ms / 1e3);
    if (l->states[MANY_BEFORE] > 0)
        printf(", %d done before", (int)l->states[MANY_BEFORE]);
    if (l->states[MANY_FAILED] > 0)
        printf(", %d failed", (int)l->states[MANY_FAILED]);
    printf("\n");
    return output_flush();
}

static void say_assumptions(const many *m)
{
    if (!m->args->network.quiet)
        many_say_rest(m);
    network_say_assumptions(&m->first.net, &m->args->network);
    threads_say(m->args->network.threads, m->args->network.quiet);
    if (m->args->truth)
        truth_say_assumptions(&m->first.truth, m->args->network.quiet);
}

static int end(lead *l, double ms)
{
    bool complete = !l->broken && journal_order(&l->m->journal);

    progress_end(l->p);
    if (l->states[MANY_DONE] + l->states[MANY_BEFORE] > 0) /* a failure is one line */
        say_assumptions(l->m);
    if (!l->broken)
        complete = say_summary(l, ms) && complete;
    say_failures(l);
    if (l->interrupted) {
        say_interrupted(l);
        return EXIT_INTERRUPTED;
    }
    return complete && l->states[MANY_FAILED] == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* ---- the run ------------------------------------------------------------------------------ */

static bool open_journal(many *m)
{
    const explain_args *args = m->args;

    if (!args->jsonl) {
        m->journal.fd = -1;
        m->journal.stream = true;
        return true;
    }
    return journal_open(&m->journal, args->jsonl,
                        args->resume  ? JOURNAL_RESUME
                        : args->force ? JOURNAL_FORCE
                                      : JOURNAL_NEW,
                        m->run, &m->picture);
}

int many_run(many *m, progress *p)
{
    const pool_work work = many_work(m);
    double begin = now_ms();
    lead l = {.m = m, .p = p};
    int status = EXIT_FAILED;

    l.said_on_stdout =
        !m->args->network.quiet && !(m->args->jsonl && strcmp(m->args->jsonl, "-") == 0);
    if (open_journal(m)) {
        interrupt_begin();
        signal(SIGPIPE, SIG_IGN); /* a reader that leaves is a failure to write */
        progress_step(p, "explaining with %s", m->first.method->name);
        progress_count(p, 0, m->picture.count);
        if (pool_open(many_threads(m), WAITING, &work, &l.pool)) {
            while (go_on(&l))
                continue;
            status = end(&l, now_ms() - begin);
        } else {
            complain("out of memory or threads");
        }
        pool_free(l.pool);
    }
    for (int32_t i = 0; i < l.states[MANY_FAILED]; i++)
        free(l.failed[i].why);
    free(l.failed);
    journal_close(&m->journal);
    return status;
}
