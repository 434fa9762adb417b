/* scenes.c - a scene from a request: places the objects, then draws back to front. */
#include "scenes.h"

#include <math.h>
#include <string.h>

#include "draw.h"

/* Every part of a scene has its own random stream, so that hiding an object or drawing the scene at
 * another size leaves the other parts unchanged. */
enum { STREAM_PLACES, STREAM_PALETTE, STREAM_BACKDROP, STREAM_LIGHT, STREAM_OBJECT };

static bool valid(const scenes_request *request)
{
    if (!request || request->size < SCENES_SIZE_MIN || request->size > SCENES_SIZE_MAX ||
        request->objects < 0 || request->objects > SCENES_OBJECTS_MAX)
        return false;
    for (int32_t i = 0; i < request->objects; i++)
        if (request->kind[i] < SCENES_ANY || request->kind[i] >= SCENES_KINDS)
            return false;
    return true;
}

static void choose_kinds(const scenes_request *request, scenes_rng *rng, scenes_object *objects)
{
    bool used[SCENES_KINDS] = {false};

    for (int32_t i = 0; i < request->objects; i++)
        if (request->kind[i] != SCENES_ANY)
            used[request->kind[i]] = true;
    for (int32_t i = 0; i < request->objects; i++) {
        int32_t kind = scenes_pick(rng, SCENES_KINDS);

        if (request->kind[i] != SCENES_ANY) {
            objects[i].kind = request->kind[i];
            continue;
        }
        while (used[kind])
            kind = (kind + 1) % SCENES_KINDS;
        used[kind] = true;
        objects[i].kind = kind;
    }
}

static bool clear_of_others(const scenes_object *objects, int32_t count)
{
    const scenes_object *last = &objects[count];

    for (int32_t i = 0; i < count; i++) {
        double dx = objects[i].x - last->x, dy = objects[i].y - last->y;
        double reach = objects[i].radius + last->radius;

        if (dx * dx + dy * dy < reach * reach)
            return false;
    }
    return true;
}

/* Positions in units of the picture's side.  Tries all objects again, each time a little smaller,
 * until they fit; at the smallest scale four circles always fit sooner or later. */
static void choose_places(int32_t count, scenes_rng *rng, scenes_object *objects)
{
    static const double largest[] = {0.34, 0.34, 0.27, 0.22, 0.2};
    double scale = 1;
    int32_t placed = 0;

    while (placed < count) {
        scenes_object *o = &objects[placed];

        o->radius = scale * largest[count] * scenes_uniform(rng, 0.62, 1);
        o->x = scenes_uniform(rng, o->radius, 1 - o->radius);
        o->y = scenes_uniform(rng, o->radius, 1 - o->radius);
        if (clear_of_others(objects, placed)) {
            placed++;
        } else if (scenes_uniform(rng, 0, 1) < 0.1) {
            placed = 0;
            scale = fmax(scale * 0.98, 0.6);
        }
    }
}

static int32_t count_inside(const uint8_t *mask, size_t cells)
{
    int32_t count = 0;

    for (size_t i = 0; i < cells; i++)
        count += mask[i] >= SCENES_INSIDE;
    return count;
}

bool scenes_draw(const scenes_request *request, uint8_t *rgb, uint8_t *masks,
                 scenes_object *objects)
{
    scenes_object placed[SCENES_OBJECTS_MAX] = {{0}};
    scenes_palette palette;
    scenes_canvas canvas;
    scenes_rng rng;
    size_t cells;

    if (!valid(request) || !rgb)
        return false;
    cells = (size_t)request->size * (size_t)request->size;
    canvas = (scenes_canvas){rgb, request->size};
    rng = scenes_rng_make(request->seed, STREAM_PLACES);
    choose_kinds(request, &rng, placed);
    choose_places(request->objects, &rng, placed);
    rng = scenes_rng_make(request->seed, STREAM_PALETTE);
    palette = scenes_palette_make(&rng);
    rng = scenes_rng_make(request->seed, STREAM_BACKDROP);
    scenes_backdrop(&canvas, &palette, &rng);
    if (masks)
        memset(masks, 0, (size_t)request->objects * cells);
    for (int32_t i = 0; i < request->objects; i++) {
        scenes_object *o = &placed[i];
        bool hidden = (request->hidden >> i & 1) != 0;
        scenes_canvas target = {hidden ? NULL : rgb, request->size};
        uint8_t *mask = masks ? masks + (size_t)i * cells : NULL;

        o->x *= request->size;
        o->y *= request->size;
        o->radius *= request->size;
        rng = scenes_rng_make(request->seed, (uint64_t)(STREAM_OBJECT + i));
        scenes_paint_object(&target, &palette, o, &rng, mask);
        o->pixels = mask ? count_inside(mask, cells) : 0;
    }
    rng = scenes_rng_make(request->seed, STREAM_LIGHT);
    scenes_light(&canvas, &rng);
    if (objects)
        memcpy(objects, placed, sizeof(placed[0]) * (size_t)request->objects);
    return true;
}
