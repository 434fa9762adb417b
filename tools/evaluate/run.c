/* run.c - the work of a run.  One thread of each process looks after everything: it hands units to
 * the threads of its pool and, on rank 0, to the other ranks, and takes care of what comes back. */
#include "run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "many/interrupt.h"
#include "worker.h"

enum {
    READY = 256, /* units that one transaction takes */
    /* Units that wait for each thread.  Enough to go on while the disk takes 10 ms for a
     * transaction; with several ranks few, so that none has many left at the end. */
    ALONE_WAITING = 16,
    RANKS_WAITING = 1,
    ALONE_MS = 200, /* between two looks at signals and clock, with one process */
    RANKS_MS = 1    /* between two looks at messages, with several */
};

static void pause_ms(int32_t ms)
{
    const struct timespec t = {0, ms * 1000000L};

    nanosleep(&t, NULL);
}

/* ---- rank 0 ------------------------------------------------------------------------------- */

/* What rank 0 knows of another rank. */
typedef struct crew_member {
    int32_t owed; /* units that it has asked for and not got */
    bool ended;   /* it was told that there are no more */
    bool gone;    /* it said goodbye */
} crew_member;

typedef struct lead {
    const evaluation *e;
    store *store;
    pool *pool;
    progress *p;
    run_end *end;
    crew_member *member; /* [ranks], [0] unused */
    int32_t ranks;
    int32_t network, question; /* the next unit to look at */
    int64_t looked;            /* at so many units of this part */
    int64_t handed;            /* out, now */
    double said;               /* ms, of the last line of a log */
    unit ready[READY];         /* measured, not in the database yet */
    int32_t readies;
    bool dry;    /* nothing more is handed out */
    bool broken; /* the database cannot be written */
} lead;

static void stop(lead *l)
{
    l->dry = true;
    pool_stop(l->pool);
    for (int32_t i = 1; i < l->ranks; i++)
        if (!l->member[i].gone) {
            l->member[i].ended = true;
            crew_send(i, CREW_STOP);
        }
}

static void fail(lead *l, const char *why)
{
    progress_end(l->p);
    if (why)
        complain("%s", why);
    l->end->failed = true;
    stop(l);
}

static bool is_ours(const lead *l, int32_t number)
{
    return number % l->e->args->parts == l->e->args->part;
}

/* Question by question, so that a run that ends early has seen them with all networks. */
static void step(lead *l)
{
    if (++l->network < l->e->networks)
        return;
    l->network = 0;
    do
        l->question++;
    while (l->question < l->e->data.questions && !is_ours(l, l->question));
}

/* The next unit that is not in the database yet.  False: there is none, or the run has failed. */
static bool next_unit(lead *l, unit *u)
{
    while (!l->dry && l->question < l->e->data.questions && !interrupt_came()) {
        int32_t missing = 0;

        if (!unit_new(u, l->e->methods, l->e->measures)) {
            fail(l, "out of memory");
            return false;
        }
        u->network = l->network;
        u->question = l->question;
        step(l);
        l->looked++;
        if (!store_missing(l->store, u->network, u->question, u->asked, &missing)) {
            unit_free(u);
            fail(l, NULL);
            return false;
        }
        if (missing > 0) {
            l->handed++;
            return true;
        }
        unit_free(u);
    }
    l->dry = l->dry || l->question >= l->e->data.questions;
    return false;
}

static void feed_pool(lead *l)
{
    unit u;

    for (int32_t room = pool_room(l->pool); room > 0 && next_unit(l, &u); room--)
        pool_push(l->pool, &u);
}

/* One unit for each rank in turn, so that none gets all of the last ones. */
static void feed_ranks(lead *l)
{
    bool any = true;
    unit u;

    while (any) {
        any = false;
        for (int32_t i = 1; i < l->ranks; i++) {
            crew_member *m = &l->member[i];

            if (m->owed == 0 || m->ended || !next_unit(l, &u))
                continue;
            m->owed--;
            any = true;
            if (!crew_send_unit(i, CREW_UNIT, &u))
                fail(l, "out of memory");
            unit_free(&u);
        }
    }
    for (int32_t i = 1; l->dry && i < l->ranks; i++)
        if (!l->member[i].ended)
            l->member[i].ended = crew_send(i, CREW_END);
}

/* What has come since the last time becomes one transaction: a disk takes some 10 ms for one,
 * however many units it holds. */
static void flush(lead *l)
{
    if (l->readies > 0 && !l->broken) {
        if (store_put(l->store, l->ready, l->readies)) {
            l->end->measured += l->readies;
            for (int32_t i = 0; i < l->readies; i++)
                l->end->unreadable += l->ready[i].state == UNIT_UNREADABLE;
        } else {
            l->broken = true;
            fail(l, NULL);
        }
    }
    while (l->readies > 0)
        unit_free(&l->ready[--l->readies]);
}

static void keep(lead *l, const unit *u)
{
    l->ready[l->readies++] = *u;
    if (l->readies == READY)
        flush(l);
}

static void hear(lead *l, crew_message *m)
{
    crew_member *member = &l->member[m->from];

    if (m->kind == CREW_ASK)
        member->owed += m->number;
    if (m->kind == CREW_RESULT)
        keep(l, &m->unit);
    if (m->kind == CREW_FAILED) {
        progress_end(l->p);
        complain("rank %d: %s", (int)m->from, m->why);
        l->end->failed = true;
        member->owed = 0;
    }
    if (m->kind == CREW_BYE) {
        member->gone = true;
        if (!member->ended)
            member->ended = crew_send(m->from, CREW_END);
    }
}

static bool all_gone(const lead *l)
{
    for (int32_t i = 1; i < l->ranks; i++)
        if (!l->member[i].gone)
            return false;
    return true;
}

/* ---- how far it is ------------------------------------------------------------------------ */

enum { LINE_MS = 60000 /* between two lines of a log */ };

/* What an earlier run has measured is looked at before anything is measured now, so that it does
 * not count for the pace. */
static void say_progress(lead *l)
{
    int64_t open = l->handed - l->end->measured;
    int32_t last = l->e->data.questions - 1;
    double now = now_ms();
    char line[LABEL_SIZE];

    if (l->end->measured == 0)
        return;
    progress_step(l->p, "measuring %.100s",
                  l->e->data.question[l->question < last ? l->question : last].key);
    progress_count(l->p, l->looked - open, l->end->units);
    if (!l->p->shown && !l->e->args->grid.quiet && now - l->said > LINE_MS) {
        l->said = now;
        progress_figures(l->p, line, sizeof line);
        complain("%s", line);
    }
}

/* ---- the loop of rank 0 ------------------------------------------------------------------- */

/* One round: hand out, take back.  False: everything is done. */
static bool go_on(lead *l)
{
    char why[POOL_WHY_SIZE];
    crew_message m;
    pool_event event;
    unit u;

    if (interrupt_came() && !l->end->interrupted) {
        l->end->interrupted = true;
        stop(l);
    }
    feed_pool(l);
    feed_ranks(l);
    event = pool_wait(l->pool, l->ranks > 1 ? RANKS_MS : ALONE_MS, &u, why);
    for (; event == POOL_ITEM; event = pool_wait(l->pool, 0, &u, why))
        keep(l, &u);
    if (event == POOL_FAILED)
        fail(l, why);
    while (l->ranks > 1 && crew_receive(&m))
        hear(l, &m);
    flush(l);
    say_progress(l);
    if (event != POOL_IDLE)
        return true;
    if (l->ranks > 1)
        pause_ms(RANKS_MS);
    return !l->dry || !all_gone(l);
}

static int64_t units_of(const evaluation *e)
{
    int64_t questions = e->data.questions, part = e->args->part, parts = e->args->parts;

    return (questions - part + parts - 1) / parts * e->networks;
}

void run_lead(const evaluation *e, const ranks *r, int32_t threads, store *s, progress *p,
              run_end *out)
{
    const pool_work work = worker_work(e);
    lead l = {.e = e, .store = s, .p = p, .end = out, .ranks = r->count};

    memset(out, 0, sizeof *out);
    out->units = units_of(e);
    l.question = e->args->part;
    l.said = now_ms();
    l.member = calloc((size_t)r->count, sizeof *l.member);
    if (!l.member ||
        !pool_open(threads, r->count > 1 ? RANKS_WAITING : ALONE_WAITING, &work, &l.pool)) {
        complain("out of memory or threads");
        free(l.member);
        out->failed = true;
        return;
    }
    while (go_on(&l))
        continue;
    out->left = out->units - l.looked + l.handed - out->measured;
    progress_end(p);
    pool_free(l.pool);
    free(l.member);
}

/* ---- the others --------------------------------------------------------------------------- */

typedef struct follow {
    pool *pool;
    int32_t asked; /* for so many units, which have not come yet */
    bool ended;    /* there are no more */
    bool stopped;  /* this rank does not want any more */
    bool bye;
} follow;

static void give_up(follow *f, const char *why)
{
    if (why)
        crew_send_failed(why);
    f->stopped = true;
    pool_stop(f->pool);
}

static void obey(follow *f, crew_message *m)
{
    if (m->kind == CREW_UNIT) {
        f->asked--;
        pool_push(f->pool, &m->unit);
    }
    if (m->kind == CREW_STOP)
        give_up(f, NULL);
    if (m->kind == CREW_END || m->kind == CREW_STOP)
        f->ended = true;
}

static void ask_for_more(follow *f)
{
    int32_t room = pool_room(f->pool) - f->asked;

    if (f->ended || f->stopped || room <= 0)
        return;
    if (crew_ask(room))
        f->asked += room;
}

/* False: rank 0 knows that nothing more comes from here, and nothing more comes from there. */
static bool follow_on(follow *f)
{
    char why[POOL_WHY_SIZE];
    crew_message m;
    pool_event event;
    unit u;

    if (interrupt_came() && !f->stopped)
        give_up(f, NULL);
    ask_for_more(f);
    event = pool_wait(f->pool, RANKS_MS, &u, why);
    if (event == POOL_ITEM) {
        if (!crew_send_unit(0, CREW_RESULT, &u))
            give_up(f, "out of memory");
        unit_free(&u);
    }
    if (event == POOL_FAILED)
        give_up(f, why);
    for (; crew_receive(&m); event = POOL_LATE) /* what came may be a unit */
        obey(f, &m);
    if (event != POOL_IDLE)
        return true;
    pause_ms(RANKS_MS);
    if ((f->ended || f->stopped) && !f->bye)
        f->bye = crew_send(0, CREW_BYE);
    return !(f->ended && f->bye);
}

bool run_follow(const evaluation *e, int32_t threads)
{
    const pool_work work = worker_work(e);
    follow f = {.asked = 0};

    if (!pool_open(threads, RANKS_WAITING, &work, &f.pool)) {
        crew_send_failed("out of memory or threads");
        return false;
    }
    while (follow_on(&f))
        continue;
    pool_free(f.pool);
    return !f.stopped;
}
