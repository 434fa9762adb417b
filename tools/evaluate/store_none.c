/* store_none.c - store.h of a build without SQLite. */
#include "store.h"

#include "cli/tool.h"

static bool refuse(const char *path)
{
    complain("%s: this kldve was built without SQLite, which keeps the results: install "
             "libsqlite3-dev and build it again",
             path);
    return false;
}

bool store_open(const char *path, const store_plan *plan, const store_run *run, store **out)
{
    (void)plan;
    (void)run;
    (void)out;
    return refuse(path);
}

bool store_open_read(const char *path, store **out)
{
    (void)out;
    return refuse(path);
}

bool store_merge(const char *out, const char *const *in, int32_t count)
{
    (void)in;
    (void)count;
    return refuse(out);
}

/* No store was ever opened, so nothing calls these. */

bool store_missing(store *s, int32_t net, int32_t question, uint8_t *asked, int32_t *count)
{
    (void)s;
    (void)net;
    (void)question;
    (void)asked;
    (void)count;
    return false;
}

bool store_put(store *s, const unit *u, int32_t count)
{
    (void)s;
    (void)u;
    (void)count;
    return false;
}

bool store_close(store *s)
{
    (void)s;
    return true;
}

const store_plan *store_plan_of(const store *s)
{
    (void)s;
    return NULL;
}

bool store_each_row(store *s, bool (*each)(void *opaque, const store_row *row), void *opaque)
{
    (void)s;
    (void)each;
    (void)opaque;
    return false;
}

bool store_each_explanation(store *s, bool (*each)(void *opaque, const store_explanation *e),
                            void *opaque)
{
    (void)s;
    (void)each;
    (void)opaque;
    return false;
}

bool store_each_unreadable(store *s, bool (*each)(void *opaque, const store_unreadable *u),
                           void *opaque)
{
    (void)s;
    (void)each;
    (void)opaque;
    return false;
}

bool store_column(store *s, int32_t net, int32_t metric, double *value, uint8_t *has)
{
    (void)s;
    (void)net;
    (void)metric;
    (void)value;
    (void)has;
    return false;
}

bool store_count(store *s, store_counts *out)
{
    (void)s;
    (void)out;
    return false;
}

bool store_each_run(store *s, bool (*each)(void *opaque, const char *json), void *opaque)
{
    (void)s;
    (void)each;
    (void)opaque;
    return false;
}
