/* diff_json.c - what kldve diff found, as JSON (docs/compare.md lists the members). */
#include "diff.h"

#include "cli/json.h"

/* What the lists are made of. */
typedef struct found {
    const diff_measures *m;
    const diff_figures *f;
    const diff_bounds *bounds;
} found;

enum { DIGITS = 9 };

static json_object *new_each(const void *of, size_t i)
{
    const found *all = of;
    json_object *object = json_object_new_object();
    bool ok = object != NULL;

    for (int32_t j = 0; ok && j < all->m->count; j++)
        ok = json_put_number(object, all->m->metric[j]->name,
                             all->f->each[i * (size_t)all->m->count + (size_t)j], DIGITS);
    if (ok)
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_figure(const diff_figure *f)
{
    json_object *object = json_object_new_object();

    if (object && json_put_number(object, "least", f->least, DIGITS) &&
        json_put_number(object, "mean", f->mean, DIGITS) &&
        json_put_number(object, "most", f->most, DIGITS))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_agreement(const found *all)
{
    json_object *object = json_object_new_object();
    bool ok = object != NULL;

    for (int32_t i = 0; ok && i < all->m->count; i++)
        ok = json_put(object, all->m->metric[i]->name, new_figure(&all->f->figure[i]));
    if (ok)
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_bound(const void *of, size_t i)
{
    const found *all = of;
    const diff_bound *b = &all->bounds->bound[i];
    int32_t map;
    double value = diff_decides(all->f, b, &map);
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "measure", all->m->metric[b->measure]->name) &&
        json_put_number(object, b->at_most ? "at_most" : "at_least", b->limit, 17) &&
        json_put_number(object, "value", value, DIGITS) &&
        json_put(object, "map", json_object_new_int(map)) &&
        json_put(object, "holds", json_object_new_boolean(diff_holds(all->f, b))))
        return object;
    json_object_put(object);
    return NULL;
}

bool diff_write_json(const char *path, const diff_maps *a, const diff_maps *b,
                     const diff_measures *m, const diff_figures *f, const diff_bounds *bounds)
{
    const found all = {m, f, bounds};
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "a", a->path) && json_put_text(object, "b", b->path) &&
        json_put(object, "maps", json_object_new_int(a->maps)) &&
        json_put(object, "height", json_object_new_int(a->height)) &&
        json_put(object, "width", json_object_new_int(a->width)) &&
        json_put(object, "agreement", new_agreement(&all)) &&
        json_put(object, "each", json_new_list(new_each, &all, (size_t)f->maps)) &&
        json_put(object, "bounds", json_new_list(new_bound, &all, (size_t)bounds->count)) &&
        json_put_text(object, "kldve", kldve_version()))
        return json_write(path, object);
    json_object_put(object);
    return json_write(path, NULL);
}
