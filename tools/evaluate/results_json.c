/* results_json.c - all that the tables say, unreadable pictures and runs, as JSON (docs/evaluate.md
 * lists the members). */
#include "results.h"

#include <json-c/json.h>

#include "cli/json.h"

enum { DIGITS = 17 };

/* ---- estimates ---------------------------------------------------------------------------- */

static bool put_estimate(json_object *to, const estimate *e)
{
    return json_put_number(to, "mean", e->mean, DIGITS) &&
           json_put_number(to, "low", e->low, DIGITS) &&
           json_put_number(to, "high", e->high, DIGITS) &&
           json_put(to, "questions", json_object_new_int(e->questions)) &&
           json_put(to, "pictures", json_object_new_int(e->pictures));
}

/* An entry of a list.  Of all networks together, `network` is null. */
static json_object *new_entry(const summary *m, int32_t net, int32_t metric, int32_t method)
{
    json_object *entry = json_object_new_object();

    if (entry &&
        json_put_text(entry, "network",
                      net < m->plan->networks ? m->plan->network[net].name : NULL) &&
        json_put_text(entry, "metric", m->plan->metric[metric].name) &&
        json_put_text(entry, "method", m->plan->method[method].name))
        return entry;
    json_object_put(entry);
    return NULL;
}

static bool append_mean(json_object *list, const summary *m, int32_t net, int32_t metric,
                        int32_t method)
{
    const estimate *e = summary_mean(m, net, metric, method);
    json_object *entry = new_entry(m, net, metric, method);

    return entry && json_append(list, entry) && put_estimate(entry, e) &&
           json_put(entry, "undefined", json_object_new_int(e->undefined));
}

static bool append_methods(json_object *list, const summary *m, int32_t net, int32_t metric,
                           int32_t method)
{
    for (int32_t i = 0; i < method; i++) {
        json_object *entry = new_entry(m, net, metric, method);

        if (!entry || !json_append(list, entry) ||
            !json_put_text(entry, "minus", m->plan->method[i].name) ||
            !put_estimate(entry, summary_method_minus(m, net, metric, method, i)))
            return false;
    }
    return true;
}

static bool append_networks(json_object *list, const summary *m, int32_t net, int32_t metric,
                            int32_t method)
{
    for (int32_t i = 0; i < net && net < m->plan->networks; i++) {
        json_object *entry = new_entry(m, net, metric, method);

        if (!entry || !json_append(list, entry) ||
            !json_put_text(entry, "minus", m->plan->network[i].name) ||
            !put_estimate(entry, summary_network_minus(m, net, i, metric, method)))
            return false;
    }
    return true;
}

typedef bool append_entries(json_object *list, const summary *m, int32_t net, int32_t metric,
                            int32_t method);

static bool put_list(json_object *to, const char *key, const summary *m, append_entries *append)
{
    json_object *list = json_object_new_array();
    bool ok = json_put(to, key, list);

    for (int32_t n = 0; ok && n < summary_networks(m); n++)
        for (int32_t i = 0; ok && i < m->plan->metrics; i++)
            for (int32_t j = 0; ok && j < m->plan->methods; j++)
                ok = append(list, m, n, i, j);
    return ok;
}

/* ---- maps --------------------------------------------------------------------------------- */

static json_object *new_flags(const map_count *c)
{
    json_object *flags = json_object_new_object();

    for (int i = 0; flags && i < SUMMARY_FLAGS; i++) {
        const char *flag = kldve_result_flag_name(UINT64_C(1) << i);

        if (flag && c->flag[i] > 0 && !json_put(flags, flag, json_object_new_int(c->flag[i]))) {
            json_object_put(flags);
            return NULL;
        }
    }
    return flags;
}

static json_object *new_maps(const summary *m, int32_t net, int32_t method)
{
    const map_count *c = summary_maps(m, net, method);
    json_object *entry = json_object_new_object();

    if (entry && json_put_text(entry, "network", m->plan->network[net].name) &&
        json_put_text(entry, "method", m->plan->method[method].name) &&
        json_put(entry, "maps", json_object_new_int(c->maps)) &&
        json_put(entry, "none", json_object_new_int(c->none)) &&
        json_put(entry, "flags", new_flags(c)))
        return entry;
    json_object_put(entry);
    return NULL;
}

static bool put_maps(json_object *to, const summary *m)
{
    json_object *list = json_object_new_array();
    bool ok = json_put(to, "maps", list);

    for (int32_t n = 0; ok && n < m->plan->networks; n++)
        for (int32_t i = 0; ok && i < m->plan->methods; i++)
            ok = json_append(list, new_maps(m, n, i));
    return ok;
}

/* ---- the plan, unreadable pictures, runs --------------------------------------------------- */

static json_object *new_item(const void *of, size_t i)
{
    const store_item *item = (const store_item *)of + i;
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "name", item->name) &&
        json_put_text(object, "settings", item->spec))
        return object;
    json_object_put(object);
    return NULL;
}

/* The list that a store hands over piece by piece. */
typedef struct gathered {
    const store_plan *plan;
    json_object *list;
} gathered;

static bool out_of_memory(void)
{
    complain("out of memory");
    return false;
}

static bool gather_unreadable(void *opaque, const store_unreadable *u)
{
    gathered *g = opaque;
    json_object *entry = json_object_new_object();

    return (entry && json_append(g->list, entry) &&
            json_put_text(entry, "network", g->plan->network[u->network].name) &&
            json_put_text(entry, "question", g->plan->question[u->question].key) &&
            json_put_text(entry, "why", u->why)) ||
           out_of_memory();
}

static bool gather_run(void *opaque, const char *json)
{
    gathered *g = opaque;

    return json_append(g->list, json_tokener_parse(json)) || out_of_memory();
}

static bool put_plan(json_object *to, const summary *m)
{
    const store_plan *p = m->plan;

    return json_put_text(to, "build", p->build) && json_put_text(to, "options", p->options) &&
           json_put(to, "networks", json_new_list(new_item, p->network, (size_t)p->networks)) &&
           json_put(to, "methods", json_new_list(new_item, p->method, (size_t)p->methods)) &&
           json_put(to, "metrics", json_new_list(new_item, p->metric, (size_t)p->metrics)) &&
           json_put(to, "questions", json_object_new_int(p->questions)) &&
           json_put(to, "pictures", json_object_new_int(m->pictures)) &&
           json_put(to, "measured", json_object_new_int64(m->count.measured));
}

static bool put_bootstrap(json_object *to, const bootstrap *how)
{
    json_object *object = json_object_new_object();

    return json_put(to, "bootstrap", object) &&
           json_put(object, "samples", json_object_new_int(how->samples)) &&
           json_put_number(object, "level", how->level, 6) &&
           json_put(object, "seed", json_object_new_int64((int64_t)how->seed));
}

static bool put_all(json_object *to, const summary *m)
{
    return (put_plan(to, m) && put_bootstrap(to, &m->how) && put_maps(to, m) &&
            put_list(to, "means", m, append_mean) &&
            put_list(to, "method_differences", m, append_methods) &&
            put_list(to, "network_differences", m, append_networks)) ||
           out_of_memory();
}

/* A new list in `to`; NULL: out of memory. */
static json_object *put_new_list(json_object *to, const char *key)
{
    json_object *list = json_object_new_array();

    return json_put(to, key, list) ? list : NULL;
}

static bool put_gathered(json_object *to, store *s, const store_plan *plan)
{
    gathered unreadable = {plan, put_new_list(to, "unreadable")}, runs = {plan, NULL};

    if (unreadable.list)
        runs.list = put_new_list(to, "runs");
    if (!runs.list)
        return out_of_memory();
    return store_each_unreadable(s, gather_unreadable, &unreadable) &&
           store_each_run(s, gather_run, &runs);
}

json_object *results_json(store *s, const summary *m)
{
    json_object *object = json_object_new_object();

    if (!object)
        out_of_memory();
    else if (put_all(object, m) && put_gathered(object, s, m->plan))
        return object;
    json_object_put(object);
    return NULL;
}

bool results_write_json(store *s, const summary *m, const char *path)
{
    json_object *object = results_json(s, m);

    return object && json_write(path, object);
}
