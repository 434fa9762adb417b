/* test_table.c - the table of methods, what its entries say of themselves, and registering. */
#include "hosted.h"
#include "got.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_table(void **state)
{
    int32_t count = 0;

    (void)state;
    while (got_method_name(count)) {
        const kldve_method *m = got_method(NULL, count);

        assert_string_equal(m->name, got_method_name(count));
        assert_non_null(m->source);
        assert_true(m->weights || m->map);
        for (int32_t i = 0; i < count; i++)
            assert_string_not_equal(m->name, got_method_name(i));
        count++;
    }
    assert_true(count >= 10);
    assert_string_equal(got_method_name(0), "kl-dve");
    assert_null(got_method(NULL, count));
    assert_null(got_method(NULL, -1));
    assert_null(got_method_name(-1));
}

/* Every method of the library says what it is; readings are those of kl-dve and its product. */
static void test_entries(void **state)
{
    const kldve_method *m, *other;

    (void)state;
    for (int32_t i = 0; (m = got_method(NULL, i)) != NULL; i++) {
        assert_true(m->title && m->summary && m->source);
        assert_int_equal(m->readings != 0, strstr(m->name, "kl-dve") != NULL);
        for (int32_t j = 0; j < i; j++) {
            other = got_method(NULL, j);
            assert_string_not_equal(m->title, other->title);
            assert_string_not_equal(m->summary, other->summary);
        }
    }
}

/* docs/method.md lists the methods of the library, in their order and in their own words. */
static void test_page(void **state)
{
    const kldve_method *m;
    char row[512];
    size_t nbytes;
    char *page = test_file_load(test_path("%s/docs/method.md", getenv("KLDVE_SOURCE")), &nbytes);
    const char *at = strstr(page, "## All methods");

    (void)state;
    assert_non_null(at);
    at = strstr(at, "|---|---|---|---|\n");
    assert_non_null(at);
    at = strchr(at, '\n') + 1;
    for (int32_t i = 0; (m = got_method(NULL, i)) != NULL; i++) {
        snprintf(row, sizeof row, "| `%s` | %s | %s | %s |\n", m->name, m->title, m->summary,
                 m->source);
        if (strncmp(at, row, strlen(row)) != 0)
            fail_msg("docs/method.md: row %d of the table should be %s", (int)i + 1, row);
        at += strlen(row);
    }
    assert_true(*at != '|');
    free(page);
}

static void refuse(kldve_ctx *ctx, kldve_method m, const char *message)
{
    assert_int_equal(kldve_method_register(ctx, &m), KLDVE_E_ARG);
    assert_string_equal(kldve_ctx_message(ctx), message);
}

static void test_register_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_method m = map_0;

    (void)state;
    assert_int_equal(kldve_method_register(NULL, &map_0), KLDVE_E_ARG);
    assert_int_equal(kldve_method_register(ctx, NULL), KLDVE_E_ARG);
    m.struct_size = 4;
    refuse(ctx, m, "kldve_method: struct_size is 4; set it to sizeof(kldve_method)");
    m = map_0;
    m.name = "";
    refuse(ctx, m, "register: the name \"\" must be made of a-z, 0-9, + and -");
    m.name = "Map 0";
    refuse(ctx, m, "register: the name \"Map 0\" must be made of a-z, 0-9, + and -");
    m.name = "grad-cam";
    refuse(ctx, m, "register: a method \"grad-cam\" already exists, choose another name");
    m = map_0;
    m.weights = NULL;
    refuse(ctx, m, "register: map-0 has neither weights nor map: set one");
    m = map_0;
    m.needs = 128;
    refuse(ctx, m, "register: map-0: unknown needs, readings, resolution or sign");
    m = map_0;
    m.readings = 1u << (KLDVE_READING_NEIGHBOURS + 1);
    refuse(ctx, m, "register: map-0: unknown needs, readings, resolution or sign");
    m = map_0;
    m.resolution = KLDVE_RESOLUTION_PIXELS;
    refuse(ctx, m, "register: map-0: a map of pixels needs the slot map, not weights");
    m = map_0;
    m.flags = 2 * KLDVE_METHOD_CONTROL;
    refuse(ctx, m, "register: map-0: unknown options, rule or flags");
    heap.budget = 0;
    assert_int_equal(kldve_method_register(ctx, &map_0), KLDVE_E_NOMEM);
    heap.budget = -1;
    assert_int_equal(kldve_method_register(ctx, &map_0), KLDVE_OK);
    refuse(ctx, map_0, "register: a method \"map-0\" already exists, choose another name");
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

TEST_MAIN(table)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_register_refuses),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
