/* fill_store.c - fills a database as kldve evaluate does, with numbers that depend only on what
 * they belong to.  What is there already is left alone.  Prints how many units it stored.
 *
 *     fill_store DB [NAME=VALUE ...]
 *
 * networks, questions, methods, metrics   how many of each
 * questions_per_picture, skip             questions that stay together; leave out every skip-th
 * shard, shards                           only the questions of this shard
 * build, options, spec, label             texts of the plan; `spec` is that of all but questions
 * machine                                 of the record of the run
 * print, extra                            a number in the print; a change of every value
 * twice                                   1: two questions have one key
 * none                                    the method of this number, from 1, makes no map
 * wait                                    microseconds between units
 * say                                     1: "open" as soon as it is open
 * most                                    store so many units, then wait to be killed
 * hold                                    seconds before the first unit */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "evaluate/store.h"

enum { MADE = 64 };

typedef struct args {
    int32_t networks, questions, methods, metrics, together, skip, shard, shards, print, extra,
        twice, none, wait, say, most, hold;
    const char *build, *options, *spec, *label, *machine;
} args;

static void read_arg(args *a, const char *text)
{
    const struct {
        const char *name;
        int32_t *number;
        const char **text;
    } known[] = {{"networks", &a->networks, NULL},
                 {"questions", &a->questions, NULL},
                 {"methods", &a->methods, NULL},
                 {"metrics", &a->metrics, NULL},
                 {"questions_per_picture", &a->together, NULL},
                 {"skip", &a->skip, NULL},
                 {"shard", &a->shard, NULL},
                 {"shards", &a->shards, NULL},
                 {"print", &a->print, NULL},
                 {"extra", &a->extra, NULL},
                 {"twice", &a->twice, NULL},
                 {"none", &a->none, NULL},
                 {"wait", &a->wait, NULL},
                 {"say", &a->say, NULL},
                 {"most", &a->most, NULL},
                 {"hold", &a->hold, NULL},
                 {"build", NULL, &a->build},
                 {"options", NULL, &a->options},
                 {"spec", NULL, &a->spec},
                 {"label", NULL, &a->label},
                 {"machine", NULL, &a->machine}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].name);

        if (strncmp(text, known[i].name, n) != 0 || text[n] != '=')
            continue;
        if (known[i].number)
            *known[i].number = atoi(text + n + 1);
        else
            *known[i].text = text + n + 1;
        return;
    }
    fprintf(stderr, "fill_store: there is no '%s'\n", text);
    exit(2);
}

/* Memory that is the program's to its end. */
static void *keep(size_t count, size_t size)
{
    static struct block {
        struct block *before;
    } * last;
    struct block *b = calloc(1, sizeof *b + count * size);

    if (!b)
        abort();
    b->before = last;
    last = b;
    return b + 1;
}

static char *made(const char *what, int32_t i, int32_t part)
{
    char *text = keep(MADE, 1);

    if (part > 0)
        snprintf(text, MADE, "%s%05d#%d", what, (int)i, (int)part + 1);
    else
        snprintf(text, MADE, "%s%05d", what, (int)i);
    return text;
}

static store_item *items(const char *what, int32_t count, const char *spec)
{
    store_item *item = keep((size_t)count, sizeof *item);

    for (int32_t i = 0; i < count; i++)
        item[i] = (store_item){made(what, i, 0), spec};
    return item;
}

/* With `skip` the numbers of a plan are not those of another one, the names are. */
static int32_t questions(const args *a, store_question *out)
{
    int32_t n = 0;

    for (int32_t i = 0; i < a->questions; i++)
        if (a->skip == 0 || i % a->skip != 0) {
            int32_t picture = i / a->together, part = i % a->together;
            const char *name = made("picture", picture, 0);

            out[n].key = made("picture", picture, part);
            out[n].picture = part > 0 ? name : NULL;
            out[n].label = i % 3 == 0 ? NULL : a->label;
            out[n].print = store_print(0, name, strlen(name)) + (uint64_t)(int64_t)a->print;
            n++;
        }
    if (a->twice)
        out[1].key = out[0].key;
    return n;
}

static double value_of(const args *a, const char *const name[4])
{
    uint64_t print = (uint64_t)(int64_t)a->extra;

    for (int i = 0; i < 4; i++)
        print = store_print(print, name[i], strlen(name[i]) + 1);
    print ^= print >> 31;
    print *= 0x9e3779b97f4a7c15u;
    return print % 11 == 0 ? (double)NAN : (double)(print >> 11) / 9007199254740992.0;
}

static bool unreadable(const store_question *q)
{
    return store_print(0, q->key, strlen(q->key)) % 17 == 5;
}

static void answer(const args *a, const store_plan *p, unit *u)
{
    const store_question *q = &p->question[u->question];

    if (unreadable(q)) {
        u->state = UNIT_UNREADABLE;
        strcpy(u->why, "this is no picture");
        return;
    }
    for (int32_t i = 0; i < p->methods; i++) {
        if (i + 1 == a->none) {
            strcpy(u->method[i].why, "the layer has no gradient");
            continue;
        }
        u->method[i].target = i;
        u->method[i].logit = 1.25f * (float)i;
        u->method[i].flags = (uint64_t)(uint32_t)i;
        u->method[i].ms = (double)clock();
        for (int32_t j = 0; j < p->metrics; j++) {
            const char *const name[] = {p->network[u->network].name, q->key, p->method[i].name,
                                        p->metric[j].name};

            u->value[i * p->metrics + j] = value_of(a, name);
        }
    }
}

/* 1: stored; 0: it was there; -1: failed. */
static int32_t fill_unit(store *s, const args *a, const store_plan *p, int32_t net,
                         int32_t question)
{
    int32_t missing, result = -1;
    unit u;

    if (!unit_new(&u, p->methods, p->metrics))
        return -1;
    u.network = net;
    u.question = question;
    if (store_missing(s, net, question, u.asked, &missing)) {
        answer(a, p, &u);
        result = missing == 0 ? 0 : store_put(s, &u, 1) ? 1 : -1;
    }
    unit_free(&u);
    return result;
}

static int32_t fill(store *s, const args *a, const store_plan *p)
{
    int32_t stored = 0;

    for (int32_t q = 0; q < p->questions; q++)
        for (int32_t n = 0; n < p->networks; n++) {
            int32_t result = q % a->shards != a->shard ? 0 : fill_unit(s, a, p, n, q);

            if (result < 0)
                return -1;
            stored += result;
            if (result && stored == a->most)
                pause();
            if (result && a->wait)
                nanosleep(&(struct timespec){0, 1000L * a->wait}, NULL);
        }
    return stored;
}

int main(int argc, char **argv)
{
    args a = {.networks = 1,
              .questions = 10,
              .methods = 2,
              .metrics = 3,
              .together = 1,
              .shards = 1,
              .build = "build 1",
              .options = "{}",
              .spec = "a=1, b=2",
              .label = "cat",
              .machine = "one processor"};
    store_plan p;
    store_run run;
    store_question *question;
    store *s = NULL;
    int32_t stored;

    for (int i = 2; i < argc; i++)
        read_arg(&a, argv[i]);
    if (argc < 2)
        return 2;
    run = (store_run){"host", a.machine, "fill_store", "{\"threads\": 1}", getpid()};
    question = keep((size_t)a.questions + 2, sizeof *question);
    p = (store_plan){.build = a.build,
                     .options = a.options,
                     .networks = a.networks,
                     .methods = a.methods,
                     .metrics = a.metrics,
                     .network = items("network", a.networks, a.spec),
                     .method = items("method", a.methods, a.spec),
                     .metric = items("metric", a.metrics, a.spec),
                     .questions = questions(&a, question),
                     .question = question};
    if (!store_open(argv[1], &p, &run, &s))
        return 1;
    if (a.say)
        printf("open\n");
    fflush(stdout);
    nanosleep(&(struct timespec){a.hold, 0}, NULL);
    stored = fill(s, &a, &p);
    if (!store_close(s) || stored < 0)
        return 1;
    printf("%d\n", (int)stored);
    return 0;
}
