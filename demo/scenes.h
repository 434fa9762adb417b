/* scenes.h - cluttered scenes of drawn objects whose exact masks are known.
 *
 * What it is for: the demonstration network learns on such scenes, and tests ask whether a heat map
 * points at the right object, with masks that are true by construction and not by anybody's hand.
 *
 *     scenes_request request = { .seed = 7, .size = 96, .objects = 2,
 *                                .kind = { SCENES_CAT, SCENES_BOAT } };
 *     uint8_t rgb[96 * 96 * 3], masks[2 * 96 * 96];
 *     scenes_object objects[2];
 *     if (scenes_draw(&request, rgb, masks, objects)) ...
 *     // masks[i * 96 * 96 + y * 96 + x] >= SCENES_INSIDE: pixel (x, y) belongs to object i
 *
 * The same request gives the same bytes everywhere: own generator of random numbers, own sine, and
 * otherwise only + - * / on doubles, which IEEE 754 defines exactly (the build forbids
 * contraction). A seed at another size gives the same scene drawn finer or coarser, with other
 * grain.
 *
 * No state, no allocation (about 150 kB of stack), callable from any number of threads. */
#ifndef KLDVE_DEMO_SCENES_H
#define KLDVE_DEMO_SCENES_H

#include <stdbool.h>
#include <stdint.h>

/** What an object can be.  The number is the network's class index and the line of labels.txt. */
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
    SCENES_INSIDE = 128 /**< mask value from which at least half of the pixel is the object */
};

/** What to draw. */
typedef struct scenes_request {
    uint64_t seed;                    /**< decides everything that is not asked for here */
    int32_t size;                     /**< pixels on a side, SCENES_SIZE_MIN..SCENES_SIZE_MAX */
    int32_t objects;                  /**< 0..SCENES_OBJECTS_MAX */
    int32_t kind[SCENES_OBJECTS_MAX]; /**< a scenes_kind each; entries with SCENES_ANY become kinds
                                           that differ from all others of the scene */
    uint32_t hidden; /**< bit i: object i is placed, has its mask, but is not painted; everything
                          else in the scene stays as it is.  0 paints all */
} scenes_request;

/** What was drawn. */
typedef struct scenes_object {
    int32_t kind;   /**< never SCENES_ANY */
    int32_t pixels; /**< number of mask values >= SCENES_INSIDE; 0 if no masks were asked for */
    double x, y, radius; /**< a circle that holds all of the object, in pixels from the upper left
                              corner of the picture.  The circles of a scene are disjoint and
                              inside the picture */
} scenes_object;

/** Draw a scene.
 *  @param rgb      [size][size][3], R,G,B, 8 bits each; the caller's.
 *  @param masks    [objects][size][size], how much of each pixel the object covers: 0 = nothing,
 *                  and then the pixel does not depend on whether the object is there; 255 = all of
 *                  it.  No pixel is >= SCENES_INSIDE in two masks.  NULL if not wanted.
 *  @param objects  [objects]; NULL if not wanted.
 *  @return false, with nothing written, if the request is not valid. */
bool scenes_draw(const scenes_request *request, uint8_t *rgb, uint8_t *masks,
                 scenes_object *objects);

/** "boat", "car", ...: the class label.  NULL if there is no such kind. */
const char *scenes_kind_name(int32_t kind);

#endif
