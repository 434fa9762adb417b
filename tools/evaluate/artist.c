/* artist.c - draws maps for the page: explained again, over the photograph, small.  What the
 * evaluation does not have - a network or a picture of an earlier run - is left out. */
#include "artist.h"

#include <stdlib.h>
#include <string.h>

#include "cli/page.h"

enum { SIDE = 160, QUALITY = 80 }; /* pixels; of JPEG */

/* ---- the classes that were explained -------------------------------------------------------- */

static size_t place_of(const artist *a, int32_t net, int32_t number, int32_t method)
{
    const store_plan *p = store_plan_of(a->s);

    return ((size_t)net * (size_t)p->questions + (size_t)number) * (size_t)p->methods +
           (size_t)method;
}

static bool keep_target(void *opaque, const store_explanation *e)
{
    artist *a = opaque;

    a->target[place_of(a, e->network, e->question, e->method)] = e->says.target;
    return true;
}

/* Once; a page that has no room for pictures does not need it. */
static bool know_targets(artist *a)
{
    const store_plan *p = store_plan_of(a->s);
    size_t count = (size_t)p->networks * (size_t)p->questions * (size_t)p->methods;

    if (a->target)
        return true;
    a->target = calloc(count, sizeof *a->target);
    if (!a->target) {
        complain("out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++)
        a->target[i] = -1;
    return store_each_explanation(a->s, keep_target, a);
}

void artist_close(artist *a)
{
    free(a->target);
}

/* ---- numbers of the evaluation for those of the plan; -1: it does not have it ------------------
 */

static int32_t network_of(const artist *a, int32_t net)
{
    for (int32_t i = 0; i < a->e->networks; i++)
        if (strcmp(a->e->network[i].name, store_plan_of(a->s)->network[net].name) == 0)
            return i;
    return -1;
}

static int32_t method_of(const artist *a, int32_t method)
{
    for (int32_t i = 0; i < a->e->methods; i++)
        if (strcmp(a->e->method[i].id, store_plan_of(a->s)->method[method].name) == 0)
            return i;
    return -1;
}

static int32_t question_of(const artist *a, int32_t number)
{
    for (int32_t i = 0; i < a->e->data.questions; i++)
        if (strcmp(a->e->data.question[i].key, store_plan_of(a->s)->question[number].key) == 0)
            return i;
    return -1;
}

/* ---- one map ------------------------------------------------------------------------------- */

/* No larger than the page shows it. */
static kldve_status shrink(kldve_ctx *ctx, const kldve_image *image, kldve_image **out)
{
    int32_t width = kldve_image_width(image), height = kldve_image_height(image);
    int32_t longer = width > height ? width : height;

    if (longer > SIDE) {
        width = (int32_t)((int64_t)width * SIDE / longer);
        height = (int32_t)((int64_t)height * SIDE / longer);
    }
    return kldve_image_resize(ctx, image, width > 0 ? width : 1, height > 0 ? height : 1, out);
}

static kldve_status explain(const artist *a, const network *net, int32_t method, int32_t target,
                            const kldve_image *image, kldve_heatmap **map)
{
    const pick_mask nothing = {.value = NULL};
    const grid_args *args = &a->e->args->grid;
    kldve_options o;

    grid_set_options(args, &a->e->method[method], &o);
    pick_options(&args->pick, &nothing, &o);
    o.target_kind = KLDVE_TARGET_INDEX;
    o.target = target;
    return kldve_explain(net->explainer, image, &o, map);
}

/* The map over the photograph; NULL where it cannot be made. */
static kldve_image *drawn(const artist *a, const network *net, int32_t method, int32_t target,
                          const kldve_image *photo)
{
    kldve_ctx *ctx = a->e->ctx;
    kldve_heatmap *map = NULL;
    kldve_image *small = NULL, *out = NULL;

    if (explain(a, net, method, target, photo, &map) == KLDVE_OK &&
        shrink(ctx, photo, &small) == KLDVE_OK &&
        kldve_heatmap_render(ctx, map, small, NULL, &out) != KLDVE_OK)
        out = NULL;
    kldve_image_free(small);
    kldve_heatmap_free(map);
    return out;
}

bool artist_draw(void *opaque, int32_t net, int32_t number, int32_t method, json_object *to,
                 const char *key)
{
    artist *a = opaque;
    const evaluation *e = a->e;
    int32_t n = network_of(a, net), q = question_of(a, number), m = method_of(a, method);
    int32_t target;
    dataset_picture picture = {0};
    char why[LABEL_SIZE];
    kldve_image *out = NULL;
    bool ok;

    if (n < 0 || q < 0 || m < 0)
        return true;
    if (!know_targets(a))
        return false;
    target = a->target[place_of(a, net, number, method)];
    if (target < 0)
        return true;
    if (dataset_load(&e->data, q, e->ctx, &e->network[n].view, &picture, why))
        out = drawn(a, &e->network[n].net, m, target, picture.image);
    ok = !out || page_put_picture(to, key, e->ctx, out, QUALITY);
    kldve_image_free(out);
    dataset_picture_free(&picture);
    return ok;
}
