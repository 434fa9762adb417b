/* test_scenes.c - the scene generator is repeatable, and its masks are correct. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "scenes.h"

enum { GUARD = 64, SEEDS = 40 };

/* A scene in blocks of their exact size, so that the sanitizers see a byte too many. */
typedef struct scene {
    scenes_request request;
    size_t cells;
    uint8_t *rgb, *masks;
    scenes_object objects[SCENES_OBJECTS_MAX];
} scene;

static scenes_request ask(uint64_t seed, int32_t size, int32_t objects)
{
    scenes_request request = {.seed = seed, .size = size, .objects = objects};

    for (int i = 0; i < SCENES_OBJECTS_MAX; i++)
        request.kind[i] = SCENES_ANY;
    return request;
}

static scene draw(scenes_request request)
{
    scene s = {.request = request, .cells = (size_t)request.size * (size_t)request.size};

    s.rgb = malloc(3 * s.cells);
    s.masks = malloc(s.cells * (size_t)request.objects + 1);
    assert_non_null(s.rgb);
    assert_non_null(s.masks);
    assert_true(scenes_draw(&s.request, s.rgb, s.masks, s.objects));
    return s;
}

static void drop(scene *s)
{
    free(s->rgb);
    free(s->masks);
}

static const uint8_t *mask_of(const scene *s, int32_t object)
{
    return s->masks + (size_t)object * s->cells;
}

/* FNV-1a, 64 bits. */
static uint64_t hash(const uint8_t *bytes, size_t count)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < count; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* ---- repeatable ---- */

static void test_same_seed_same_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        scene a = draw(ask(seed, 96, (int32_t)(seed % 5)));
        scene b = draw(ask(seed, 96, (int32_t)(seed % 5)));

        assert_memory_equal(a.rgb, b.rgb, 3 * a.cells);
        assert_memory_equal(a.masks, b.masks, a.cells * (size_t)a.request.objects);
        assert_memory_equal(a.objects, b.objects, sizeof(a.objects));
        drop(&a);
        drop(&b);
    }
}

static void test_other_seed_other_scene(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        scene a = draw(ask(seed, 64, 1)), b = draw(ask(seed + 1, 64, 1));
        size_t equal = 0;

        for (size_t i = 0; i < 3 * a.cells; i++)
            equal += a.rgb[i] == b.rgb[i];
        assert_in_range(equal, 0, 3 * a.cells / 2);
        assert_memory_not_equal(a.masks, b.masks, a.cells);
        drop(&a);
        drop(&b);
    }
}

/* Written down from one machine: another compiler, processor or C library must give the same. */
static void test_same_bytes_everywhere(void **state)
{
    static const struct {
        uint64_t seed;
        int32_t size, objects;
        uint64_t rgb, masks;
    } known[] = {
        {1, 96, 1, UINT64_C(0x15c6ae3ae12e25bd), UINT64_C(0xe3b6e98e1184217a)},
        {2, 128, 2, UINT64_C(0x645313e03c31188f), UINT64_C(0x730a191655d6d35e)},
        {UINT64_C(0xffffffffffffffff), 77, 4, UINT64_C(0x625a958dbd0fa636),
         UINT64_C(0xa28f751a8adf35d7)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        scene s = draw(ask(known[i].seed, known[i].size, known[i].objects));
        uint64_t rgb = hash(s.rgb, 3 * s.cells);
        uint64_t masks = hash(s.masks, s.cells * (size_t)known[i].objects);

        if (rgb != known[i].rgb || masks != known[i].masks)
            print_error("seed %llu: 0x%016llx, 0x%016llx\n", (unsigned long long)known[i].seed,
                        (unsigned long long)rgb, (unsigned long long)masks);
        assert_true(rgb == known[i].rgb);
        assert_true(masks == known[i].masks);
        drop(&s);
    }
}

/* ---- masks ---- */

/* Leaving out one object must change the picture exactly where its mask is, and nothing else. */
static void test_mask_is_what_is_painted(void **state)
{
    size_t inside = 0, unchanged = 0, border = 0, touched = 0;

    (void)state;
    for (uint64_t seed = 100; seed < 100 + SEEDS; seed++) {
        int32_t objects = 1 + (int32_t)(seed % 3), hide = (int32_t)(seed / 3 % (uint64_t)objects);
        scenes_request request = ask(seed, 96, objects);
        scene with = draw(request), without;
        const uint8_t *mask = mask_of(&with, hide);

        request.hidden = UINT32_C(1) << hide;
        without = draw(request);
        assert_memory_equal(with.masks, without.masks, with.cells * (size_t)objects);
        for (size_t i = 0; i < with.cells; i++) {
            bool same = memcmp(with.rgb + 3 * i, without.rgb + 3 * i, 3) == 0;

            if (mask[i] == 0)
                assert_true(same);
            if (mask[i] >= SCENES_INSIDE) {
                inside++;
                unchanged += same;
            } else if (mask[i] >= 16) {
                border++;
                touched += !same;
            }
        }
        drop(&with);
        drop(&without);
    }
    /* by chance an object may have the colour of the background behind it */
    print_message("%zu pixels inside, %zu of them as without the object; border %zu of %zu\n",
                  inside, unchanged, touched, border);
    assert_true(inside > 10000);
    assert_true(unchanged * 200 < inside);
    assert_true(touched * 100 > border * 95);
}

/* The coverage of a pixel is the mean over the same square of a scene drawn eight times finer. */
static void test_border_is_area(void **state)
{
    enum { SMALL = 48, TIMES = 8, LARGE = SMALL * TIMES };
    double worst = 0, sum = 0;
    size_t border = 0;

    (void)state;
    for (int32_t kind = 0; kind < SCENES_KINDS; kind++) {
        scenes_request request = ask(7 + (uint64_t)kind, SMALL, 1);
        scene small, large;

        request.kind[0] = kind;
        small = draw(request);
        request.size = LARGE;
        large = draw(request);
        for (int y = 0; y < SMALL; y++) {
            for (int x = 0; x < SMALL; x++) {
                double mean = 0, off;

                for (int i = 0; i < TIMES * TIMES; i++)
                    mean += large.masks[(y * TIMES + i / TIMES) * LARGE + x * TIMES + i % TIMES];
                mean /= TIMES * TIMES * 255.0;
                off = mean - small.masks[y * SMALL + x] / 255.0;
                off = off < 0 ? -off : off;
                worst = off > worst ? off : worst;
                border += mean > 0 && mean < 1;
                sum += off;
            }
        }
        drop(&small);
        drop(&large);
    }
    print_message("coverage: %zu border pixels, mean error %.4f, worst %.4f\n", border,
                  sum / (double)border, worst);
    /* parts that meet within one pixel are composited, not united: up to 1/4 there */
    assert_true(border > 500);
    assert_true(sum / (double)border < 0.03);
    assert_true(worst < 0.26);
}

static bool in_circle(const scenes_object *o, int x, int y)
{
    double dx = x + 0.5 - o->x, dy = y + 0.5 - o->y, r = o->radius + 1;

    return dx * dx + dy * dy <= r * r;
}

static void check_places(const scene *s)
{
    int32_t size = s->request.size;

    for (int32_t i = 0; i < s->request.objects; i++) {
        const scenes_object *o = &s->objects[i];
        int32_t inside = 0;

        assert_true(o->x - o->radius >= 0 && o->x + o->radius <= size);
        assert_true(o->y - o->radius >= 0 && o->y + o->radius <= size);
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                uint8_t m = mask_of(s, i)[y * size + x];

                inside += m >= SCENES_INSIDE;
                assert_true(m == 0 || in_circle(o, x, y));
                for (int32_t j = 0; j < i; j++)
                    assert_true(m < SCENES_INSIDE || mask_of(s, j)[y * size + x] < SCENES_INSIDE);
            }
        }
        assert_int_equal(inside, o->pixels);
        assert_true(inside > 0.2 * 3.14 * o->radius * o->radius);
    }
}

static void test_every_kind_everywhere(void **state)
{
    static const int32_t sizes[] = {SCENES_SIZE_MIN, 33, 96, 127};

    (void)state;
    for (int32_t kind = 0; kind < SCENES_KINDS; kind++) {
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            scenes_request request = ask(seed * 1000003, sizes[seed % 4], 1);
            scene s;

            request.kind[0] = kind;
            s = draw(request);
            assert_int_equal(s.objects[0].kind, kind);
            check_places(&s);
            drop(&s);
        }
    }
}

static void test_several_objects(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 2 * SEEDS; seed++) {
        scenes_request request = ask(seed, 80, 2 + (int32_t)(seed % 3));
        scene s;

        request.kind[1] = (int32_t)(seed % SCENES_KINDS);
        s = draw(request);
        assert_int_equal(s.objects[1].kind, request.kind[1]);
        for (int32_t i = 0; i < request.objects; i++)
            for (int32_t j = 0; j < i; j++)
                assert_int_not_equal(s.objects[i].kind, s.objects[j].kind);
        check_places(&s);
        drop(&s);
    }
}

static void test_largest(void **state)
{
    scene s = draw(ask(3, SCENES_SIZE_MAX, SCENES_OBJECTS_MAX));

    (void)state;
    check_places(&s);
    drop(&s);
}

/* ---- the rest of the contract ---- */

static void test_outputs_may_be_left_out(void **state)
{
    scenes_request request = ask(11, 64, 2);
    scene s = draw(request);
    uint8_t *rgb = malloc(3 * s.cells);

    (void)state;
    assert_true(scenes_draw(&request, rgb, NULL, NULL));
    assert_memory_equal(rgb, s.rgb, 3 * s.cells);
    free(rgb);
    drop(&s);
}

static void test_wrong_requests(void **state)
{
    static const struct {
        const char *name;
        int32_t size, objects, kind;
    } cases[] = {
        {"too small", SCENES_SIZE_MIN - 1, 1, 0},
        {"too large", SCENES_SIZE_MAX + 1, 1, 0},
        {"negative size", -96, 1, 0},
        {"negative count", 64, -1, 0},
        {"too many objects", 64, SCENES_OBJECTS_MAX + 1, 0},
        {"unknown kind", 64, 1, SCENES_KINDS},
        {"negative kind", 64, 1, -2},
    };
    uint8_t rgb[GUARD], masks[GUARD], zeros[GUARD] = {0};
    scenes_object object = {0};

    (void)state;
    memset(rgb, 0, sizeof(rgb));
    memset(masks, 0, sizeof(masks));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        scenes_request request = ask(1, cases[i].size, cases[i].objects);

        request.kind[0] = cases[i].kind;
        print_message("%s\n", cases[i].name);
        assert_false(scenes_draw(&request, rgb, masks, &object));
    }
    assert_false(scenes_draw(NULL, rgb, masks, &object));
    assert_memory_equal(rgb, zeros, GUARD);
    assert_memory_equal(masks, zeros, GUARD);
    assert_int_equal(object.pixels, 0);
}

static void test_names(void **state)
{
    (void)state;
    for (int32_t k = 0; k < SCENES_KINDS; k++)
        for (int32_t j = 0; j < k; j++)
            assert_string_not_equal(scenes_kind_name(k), scenes_kind_name(j));
    assert_string_equal(scenes_kind_name(SCENES_BOAT), "boat");
    assert_string_equal(scenes_kind_name(SCENES_UMBRELLA), "umbrella");
    assert_null(scenes_kind_name(SCENES_ANY));
    assert_null(scenes_kind_name(SCENES_KINDS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_other_seed_other_scene),
        cmocka_unit_test(test_same_bytes_everywhere),
        cmocka_unit_test(test_mask_is_what_is_painted),
        cmocka_unit_test(test_border_is_area),
        cmocka_unit_test(test_every_kind_everywhere),
        cmocka_unit_test(test_several_objects),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_outputs_may_be_left_out),
        cmocka_unit_test(test_wrong_requests),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests_name("scenes", tests, NULL, NULL);
}
