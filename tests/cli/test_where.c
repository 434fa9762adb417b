/* test_where.c - where a map lies, in words: maps of known places. */
#include "../support.h"

#include <string.h>

#include <kldve/kldve.h>

#include "explain/where.h"

enum { CELLS = 6 };

/* A map whose values are these, of the reading paper: the only feature map. */
static kldve_heatmap *map_of(kldve_ctx *ctx, const float *cells, int32_t height, int32_t frames)
{
    static const float logits[] = {2, 1, 0};
    kldve_options options = KLDVE_OPTIONS_INIT;
    kldve_arrays arrays = KLDVE_ARRAYS_INIT;
    kldve_heatmap *map = NULL;

    options.reading = KLDVE_READING_PAPER;
    arrays.logits = logits;
    arrays.classes = 3;
    arrays.features = cells;
    arrays.maps = 1;
    arrays.height = height;
    arrays.width = CELLS;
    arrays.frames = frames;
    assert_int_equal(kldve_explain_arrays(ctx, &arrays, &options, &map), KLDVE_OK);
    return map;
}

static void expect(const float *cells, int32_t height, int32_t frames, bool is_row,
                   const char *text)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_heatmap *map = map_of(ctx, cells, height, frames);
    char said[256];
    where w;

    assert_true(where_read(ctx, map, frames > 0 ? frames : 1, &w));
    where_say(&w, WHERE_ALL, is_row, said, sizeof said);
    assert_string_equal(said, text);
    where_free(&w);
    kldve_heatmap_free(map);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* One hot cell in the middle of each ninth. */
static void one_place(void **state)
{
    static const char *const names[3][3] = {{"the upper left", "the top", "the upper right"},
                                            {"the left", "the centre", "the right"},
                                            {"the lower left", "the bottom", "the lower right"}};

    (void)state;
    for (int row = 0; row < 3; row++)
        for (int column = 0; column < 3; column++) {
            float cells[CELLS * CELLS] = {0};

            for (int i = 0; i < 4; i++)
                cells[(2 * row + i / 2) * CELLS + 2 * column + i % 2] = 1;
            expect(cells, CELLS, 0, false, names[row][column]);
        }
}

static void several_places(void **state)
{
    float two[CELLS * CELLS] = {0}, half[CELLS * CELLS] = {0}, even[CELLS * CELLS];

    (void)state;
    two[0] = 1;
    two[CELLS * CELLS - 1] = 0.9f;
    two[CELLS - 1] = 0.2f;
    expect(two, CELLS, 0, false, "the upper left and the lower right");
    for (int i = 0; i < CELLS * CELLS; i++) {
        half[i] = i % CELLS < 3 ? 1 : 0;
        even[i] = i == 0 ? 0 : 1; /* a constant map would be flat */
    }
    expect(half, CELLS, 0, false, "the left half");
    expect(even, CELLS, 0, false, "many places");
}

static void a_row(void **state)
{
    static const float end[CELLS] = {0, 0, 0, 0, 0, 1};

    (void)state;
    expect(end, 1, 0, true, "the end");
}

static void a_film(void **state)
{
    float cells[4 * CELLS] = {0};

    (void)state;
    cells[2 * CELLS] = 1; /* frames of one row */
    expect(cells, 4, 4, true, "the beginning, in frame 3 of 4");
}

TEST_MAIN(where)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_place),
        cmocka_unit_test(several_places),
        cmocka_unit_test(a_row),
        cmocka_unit_test(a_film),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
