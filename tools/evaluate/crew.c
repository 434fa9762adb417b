/* crew.c - messages between rank 0 and the others, and what they must agree on before. */
#include "run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sha256.h"

/* ---- messages ----------------------------------------------------------------------------- */

/* The kind, then `nbytes` bytes. */
static bool send_bytes(int32_t to, crew_kind kind, const void *bytes, size_t nbytes)
{
    unsigned char *message = malloc(1 + nbytes);

    if (!message)
        return false;
    message[0] = (unsigned char)kind;
    if (nbytes > 0)
        memcpy(message + 1, bytes, nbytes);
    ranks_send(to, message, 1 + nbytes);
    return true;
}

bool crew_send(int32_t to, crew_kind kind)
{
    return send_bytes(to, kind, NULL, 0);
}

bool crew_ask(int32_t number)
{
    const unsigned char bytes[] = {(unsigned char)number, (unsigned char)((uint32_t)number >> 8)};

    assert(number >= 0 && number < 1 << 16);
    return send_bytes(0, CREW_ASK, bytes, sizeof bytes);
}

bool crew_send_unit(int32_t to, crew_kind kind, const unit *u)
{
    unsigned char *bytes = NULL;
    size_t nbytes = 0;
    bool ok = unit_pack(u, &bytes, &nbytes) && send_bytes(to, kind, bytes, nbytes);

    free(bytes);
    return ok;
}

bool crew_send_failed(const char *why)
{
    return send_bytes(0, CREW_FAILED, why, strlen(why));
}

/* False: no message that this program sends. */
static bool understand(const unsigned char *bytes, size_t nbytes, crew_message *out)
{
    if (nbytes == 0)
        return false;
    out->kind = *bytes++;
    nbytes--;
    switch (out->kind) {
    case CREW_ASK:
        out->number = nbytes == 2 ? bytes[0] | bytes[1] << 8 : 0;
        return nbytes == 2;
    case CREW_UNIT:
    case CREW_RESULT:
        return unit_unpack(bytes, nbytes, &out->unit);
    case CREW_FAILED:
        snprintf(out->why, sizeof out->why, "%.*s", (int)nbytes, (const char *)bytes);
        return true;
    case CREW_BYE:
    case CREW_END:
    case CREW_STOP:
        return nbytes == 0;
    default:
        return false;
    }
}

bool crew_receive(crew_message *out)
{
    unsigned char *bytes;
    size_t nbytes;
    bool ok = false;

    memset(out, 0, sizeof *out);
    while (!ok && ranks_receive(&out->from, &bytes, &nbytes)) {
        ok = understand(bytes, nbytes, out);
        free(bytes);
    }
    return ok;
}

/* ---- agreement ---------------------------------------------------------------------------- */

enum { ITEMS = 4, HELLO_BYTES = 2048 };

/* What is compared, from the most to the least telling. */
static const char *const item_names[ITEMS] = {"another build of kldve", "other networks",
                                              "another data set", "other options"};

/* What each rank says of itself; of one size for ever, so that other builds can read it. */
typedef struct hello {
    char ready; /* 'y' or 'n' */
    char host[127];
    char build[128];
    char machine[128];
    char print[ITEMS][128];
    char why[HELLO_BYTES - (3 + ITEMS) * 128];
} hello;

static_assert(sizeof(hello) == HELLO_BYTES, "other builds expect this size");

static void add_text(sha256 *s, const char *text)
{
    if (text)
        sha256_add(s, text, strlen(text));
    sha256_add(s, "", 1);
}

static void print_items(const store_item *item, int32_t count, sha256 *s)
{
    for (int32_t i = 0; i < count; i++) {
        add_text(s, item[i].name);
        add_text(s, item[i].spec);
    }
}

static void print_questions(const store_plan *plan, sha256 *s)
{
    for (int32_t i = 0; i < plan->questions; i++) {
        add_text(s, plan->question[i].key);
        add_text(s, plan->question[i].label);
        sha256_add(s, &plan->question[i].print, sizeof plan->question[i].print);
    }
}

static void print_item(const store_plan *plan, int32_t item, char out[SHA256_TEXT])
{
    sha256 s;

    sha256_begin(&s);
    if (item == 0)
        add_text(&s, plan->build);
    if (item == 1)
        print_items(plan->network, plan->networks, &s);
    if (item == 2)
        print_questions(plan, &s);
    if (item == 3) {
        add_text(&s, plan->options);
        print_items(plan->method, plan->methods, &s);
        print_items(plan->metric, plan->metrics, &s);
    }
    sha256_end(&s, out);
}

static void introduce(const evaluation *e, bool ok, const char *why, hello *h)
{
    char text[STORE_TEXT];

    memset(h, 0, sizeof *h);
    h->ready = ok ? 'y' : 'n';
    store_host(text);
    clean_text(text, h->host, sizeof h->host);
    store_machine(text);
    clean_text(text, h->machine, sizeof h->machine);
    store_build(text);
    clean_text(text, h->build, sizeof h->build);
    clean_text(why, h->why, sizeof h->why);
    for (int32_t i = 0; ok && i < ITEMS; i++)
        print_item(&e->plan, i, h->print[i]);
}

/* Whether rank `i`, which says `h`, can work with rank 0. */
static bool accept(const hello *first, const hello *h, int32_t i)
{
    if (h->ready != 'y') {
        complain("rank %d on %.60s: %s", (int)i, h->host, *h->why ? h->why : "it cannot begin");
        return false;
    }
    for (int32_t k = 0; k < ITEMS; k++)
        if (strcmp(h->print[k], first->print[k]) != 0) {
            if (k == 0)
                complain("rank %d on %.60s has %s: %s, rank 0 has %s: install one on all machines",
                         (int)i, h->host, item_names[k], h->build, first->build);
            else
                complain("rank %d on %.60s sees %s than rank 0: all ranks must have the same files",
                         (int)i, h->host, item_names[k]);
            return false;
        }
    return true;
}

/* The same program may round differently on another processor. */
static void say_machines(const hello *all, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        if (strcmp(all[i].machine, all[0].machine) != 0) {
            complain("rank %d runs on %s, rank 0 on %s: last bits may depend on who measured what",
                     (int)i, all[i].machine, all[0].machine);
            return;
        }
}

/* On rank 0, which has printed its own failure. */
static bool accept_all(hello *all, int32_t count)
{
    bool ok = all[0].ready == 'y';

    for (int32_t i = 0; i < count; i++)
        all[i].host[sizeof all[i].host - 1] = all[i].why[sizeof all[i].why - 1] = '\0';
    for (int32_t i = 1; i < count && all[0].ready == 'y'; i++)
        ok = accept(&all[0], &all[i], i) && ok;
    if (ok)
        say_machines(all, count);
    return ok;
}

bool crew_agree(const ranks *r, const evaluation *e, bool ok, const char *why)
{
    hello mine, *all;
    char verdict = 'n';

    if (r->count == 1)
        return ok;
    all = r->rank == 0 ? calloc((size_t)r->count, sizeof *all) : NULL;
    if (r->rank == 0 && !all) { /* the launcher ends the others */
        complain("out of memory");
        exit(EXIT_FAILED);
    }
    introduce(e, ok, why, &mine);
    ranks_gather(r, &mine, sizeof mine, all ? all : &mine);
    if (all)
        verdict = accept_all(all, r->count) ? 'y' : 'n';
    ranks_tell(r, &verdict, sizeof verdict);
    free(all);
    return verdict == 'y';
}
