/* scenes.h - cluttered scenes of drawn objects whose exact masks are known.
 *
 * The demonstration network learns on such scenes, and tests check whether a heat map points at the
 * right object, with masks that are correct by construction rather than drawn by hand.
 *
 *     scenes_request request = { .seed = 7, .size = 96, .objects = 2,
 *                                .kind = { SCENES_CAT, SCENES_BOAT } };
 *     uint8_t rgb[96 * 96 * 3], masks[2 * 96 * 96];
 *     scenes_object objects[2];
 *     if (scenes_draw(&request, rgb, masks, objects)) ...
 *     // masks[i * 96 * 96 + y * 96 + x] >= SCENES_INSIDE: pixel (x, y) belongs to object i
 *
 * The same request gives the same bytes everywhere: it uses its own random numbers and sine, and
 * otherwise only + - * / on doubles, which IEEE 754 defines exactly (the build forbids
 * contraction). The same seed at another size gives the same scene, finer or coarser, with
 * different grain.
 *
 * No state, no allocation (about 150 kB of stack), callable from any number of threads. */
#ifndef KLDVE_DEMO_SCENES_H
#define KLDVE_DEMO_SCENES_H

#include <stdbool.h>
#include <stdint.h>

/** What an object can be.  Its number is the network's class index and the line in labels.txt. */
typedef enum scenes_kind {
    SCENES_ANY = -1, /**< in a request: the seed decides */
    SCENES_BOAT = 0,
    SCENES_CAR,
    SCENES_CAT,
    SCENES_FISH,
    SCENES_FLOWER,
    SCENES_HOUSE,
    SCENES_MUG,
    SCENES_MUSHROOM,
    SCENES_TREE,
    SCENES_UMBRELLA
} scenes_kind;

enum {
    SCENES_KINDS = 10,      /**< kinds 0 .. SCENES_KINDS - 1 */
    SCENES_OBJECTS_MAX = 4, /**< objects in one scene */
    SCENES_SIZE_MIN = 32,   /**< pixels on a side */
    SCENES_SIZE_MAX = 1024,
    SCENES_INSIDE =
        128 /**< mask values of at least this: half of the pixel or more is the object */
};

/** What to draw. */
typedef struct scenes_request {
    uint64_t seed;                    /**< decides everything that the request leaves open */
    int32_t size;                     /**< pixels on a side, SCENES_SIZE_MIN..SCENES_SIZE_MAX */
    int32_t objects;                  /**< 0..SCENES_OBJECTS_MAX */
    int32_t kind[SCENES_OBJECTS_MAX]; /**< scenes_kind; each SCENES_ANY becomes a kind that no
                                           other object of the scene has */
    uint32_t hidden; /**< bit i: object i is placed and has its mask but is not painted; the rest
                          of the scene does not change.  0 paints all */
} scenes_request;

/** What was drawn. */
typedef struct scenes_object {
    int32_t kind;   /**< never SCENES_ANY */
    int32_t pixels; /**< number of mask values >= SCENES_INSIDE; 0 if no masks were asked for */
    double x, y, radius; /**< a circle around the whole object, in pixels from the upper left
                              corner of the picture.  The circles of a scene are disjoint and
                              inside the picture */
} scenes_object;

/** Draw a scene.
 *  @param rgb      [size][size][3], R,G,B, 8 bits each.
 *  @param masks    [objects][size][size], how much of each pixel the object covers: 0 = nothing,
 *                  and then the pixel does not depend on the object; 255 = the whole pixel.  No
 * pixel is >= SCENES_INSIDE in two masks.  NULL if not wanted.
 *  @param objects  [objects]; NULL if not wanted.
 *  @return false, with nothing written, if the request is not valid. */
bool scenes_draw(const scenes_request *request, uint8_t *rgb, uint8_t *masks,
                 scenes_object *objects);

/** "boat", "car", ...: the class label.  NULL if there is no such kind. */
const char *scenes_kind_name(int32_t kind);

#endif
