/* test_output_names.c - the names of results: beside their sources or in a folder, never two the
 * same. */
#include "../support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output_names.h"

enum { MOST = 8 };

/* Names of the sources `from`, which end with NULL, are `to`. */
static void check(const char *folder, const char *const *from, const char *const *to)
{
    arg_list list = {0};
    output_names names;

    for (; *from; from++)
        assert_true(arg_list_add(&list, *from));
    assert_int_equal(output_names_make("explain", &list, folder, ".kldve.png", &names), EXIT_DONE);
    assert_int_equal(names.count, list.count);
    for (int32_t i = 0; i < names.count; i++)
        assert_string_equal(names.path[i], to[i]);
    output_names_free(&names);
    arg_list_free(&list);
}

#define NAMES(...) ((const char *const[MOST]){__VA_ARGS__})

static void beside_the_source(void **state)
{
    (void)state;
    check(NULL, NAMES("1.png", "a/1.png", "/b/c.d.jpg", "-", "/dev/fd/63", ".png"),
          NAMES("1.kldve.png", "a/1.kldve.png", "/b/c.d.kldve.png", "stdin.kldve.png",
                "63.kldve.png", ".png.kldve.png"));
}

static void in_a_folder(void **state)
{
    (void)state;
    check("out", NAMES("1.png", "a/2.png", "../x/3.JPG"),
          NAMES("out/1.kldve.png", "out/2.kldve.png", "out/3.kldve.png"));
    check("out/", NAMES("1.png"), NAMES("out/1.kldve.png"));
}

static void names_that_meet_are_told_apart(void **state)
{
    (void)state;
    check(NULL, NAMES("1.png", "1.jpg", "2.png"),
          NAMES("1.png.kldve.png", "1.jpg.kldve.png", "2.kldve.png"));
    check("o", NAMES("a/1.png", "b/1.png", "c.png"),
          NAMES("o/a-1.png.kldve.png", "o/b-1.png.kldve.png", "o/c.kldve.png"));
    check("o", NAMES("../b/1.png", "./a/1.png"),
          NAMES("o/b-1.png.kldve.png", "o/a-1.png.kldve.png"));
    check("o", NAMES("x/a.png", "y/A.png"), NAMES("o/x-a.png.kldve.png", "o/y-A.png.kldve.png"));
    check("o", NAMES("1.png.jpg", "1.png", "1.gif"), /* the name that one keeps is another's */
          NAMES("o/1.png.jpg.kldve.png", "o/1.png.kldve.png", "o/1.gif.kldve.png"));
}

static void one_file_by_two_names(void **state)
{
    char folder[] = "/tmp/kldve-names-XXXXXX", here[64], there[64], to[2][80];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(here, sizeof here, "%s/1.png", folder);
    snprintf(there, sizeof there, "%s/./1.jpg", folder);
    snprintf(to[0], sizeof to[0], "%s/1.png.kldve.png", folder);
    snprintf(to[1], sizeof to[1], "%s/./1.jpg.kldve.png", folder);
    check(NULL, NAMES(here, there), NAMES(to[0], to[1]));
    rmdir(folder);
}

static void refuse(const char *folder, const char *one, const char *other, const char *line)
{
    const char *text[] = {one, other};
    const arg_list list = {2, 2, text};
    output_names names;
    char said[MESSAGE_SIZE] = "";

    complain_into(said, sizeof said);
    assert_int_equal(output_names_make("explain", &list, folder, ".png", &names), EXIT_USAGE);
    complain_into(NULL, 0);
    assert_non_null(strstr(said, line));
    output_names_free(&names);
}

static void the_same_is_refused(void **state)
{
    (void)state;
    refuse(NULL, "1.png", "1.png", "1.png is given twice");
    refuse("o", "a/b.png", "a/b.png", "a/b.png is given twice");
}

static void the_order_changes_nothing(void **state)
{
    (void)state;
    check("o", NAMES("b/1.png", "c.png", "a/1.png"),
          NAMES("o/b-1.png.kldve.png", "o/c.kldve.png", "o/a-1.png.kldve.png"));
}

static void an_empty_folder_goes(void **state)
{
    const char *text[] = {"1.png"};
    const arg_list list = {1, 1, text};
    char folder[] = "/tmp/kldve-names-XXXXXX", inner[64];
    output_names names;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(inner, sizeof inner, "%s/new", folder);
    assert_int_equal(output_names_make("explain", &list, inner, ".png", &names), EXIT_DONE);
    assert_true(output_names_make_folder(&names, inner));
    assert_int_equal(access(inner, F_OK), 0);
    output_names_free(&names);
    assert_int_not_equal(access(inner, F_OK), 0);
    rmdir(folder);
}

TEST_MAIN(output_names)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_the_source),
        cmocka_unit_test(in_a_folder),
        cmocka_unit_test(names_that_meet_are_told_apart),
        cmocka_unit_test(one_file_by_two_names),
        cmocka_unit_test(the_same_is_refused),
        cmocka_unit_test(the_order_changes_nothing),
        cmocka_unit_test(an_empty_folder_goes),
    };

    return cmocka_run_group_tests_name("output names", tests, NULL, NULL);
}
