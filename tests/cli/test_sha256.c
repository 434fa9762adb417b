/* test_sha256.c - SHA-256 against the examples that its standard publishes. */
#include "../folder.h"

#include <string.h>

#include "cli/sha256.h"
#include "cli/sha256_blocks.h"

static const struct example {
    const char *name, *text, *digest;
    int repeats;
} examples[] = {
    {"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 1},
    {"one block", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 1},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", 1},
    {"a million", "a", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
     1000000}};

static void as_published(void **state)
{
    const struct example *e = *state;
    char text[SHA256_TEXT];
    sha256 s;

    sha256_begin(&s);
    for (int i = 0; i < e->repeats; i++)
        sha256_add(&s, e->text, strlen(e->text));
    sha256_end(&s, text);
    assert_string_equal(text, e->digest);
}

/* Whatever this processor has, in pieces of any length. */
static void alike_in_plain_c(void **state)
{
    enum { BYTES = 1000 };
    unsigned char bytes[BYTES];

    (void)state;
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i * i >> 3);
    for (size_t piece = 1; piece < 200; piece++) {
        char text[2][SHA256_TEXT];

        for (int plain = 0; plain < 2; plain++) {
            sha256 s;

            sha256_begin(&s);
            if (plain)
                s.blocks = sha256_blocks_plain;
            for (size_t at = 0; at < BYTES; at += piece)
                sha256_add(&s, bytes + at, piece < BYTES - at ? piece : BYTES - at);
            sha256_end(&s, text[plain]);
        }
        assert_string_equal(text[0], text[1]);
        assert_string_equal(text[0],
                            "d87970c2c858b3fec7f88413dc507add5200b8a2df6fc33e6cc8be7b618180e6");
    }
}

static void of_a_file(void **state)
{
    const char *path = test_in_folder("abc");
    char text[SHA256_TEXT] = "unchanged";

    (void)state;
    test_file_save(path, "abc", 3);
    assert_true(sha256_file(path, text));
    assert_string_equal(text, examples[1].digest);
    strcpy(text, "unchanged");
    assert_false(sha256_file(test_in_folder("missing"), text));
    assert_false(sha256_file(test_folder(), text));
    assert_string_equal(text, "unchanged");
}

TEST_MAIN(sha256)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_a_file),
                                       cmocka_unit_test(alike_in_plain_c)};

    return TEST_RUN_CASES("sha256", examples, as_published) +
           cmocka_run_group_tests_name("sha256 files", tests, test_folder_make, test_folder_remove);
}
