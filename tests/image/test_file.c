/* test_file.c - files: reading whole ones, writing all or nothing, saving and loading pictures. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kldve/image.h>

#include "base/file.h"

static char folder[] = "kldve-test-XXXXXX"; /* of this run, in the current folder */

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

/* Remove what the tests left; returns how many names there were. */
static int clear_folder(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            const char *path = test_path("%s/%s", folder, entry->d_name);

            if (unlink(path) != 0)
                rmdir(path);
            count++;
        }
    closedir(dir);
    return count;
}

static int remove_folder(void **state)
{
    (void)state;
    clear_folder();
    return rmdir(folder);
}

static const char *in_folder(const char *name)
{
    return test_path("%s/%s", folder, name);
}

static void assert_file(const char *path, const char *content)
{
    size_t nbytes;
    char *bytes = test_file_load(path, &nbytes);

    assert_string_equal(bytes, content);
    free(bytes);
}

static void assert_message(const kldve_ctx *ctx, const char *part)
{
    if (!strstr(kldve_ctx_message(ctx), part))
        fail_msg("\"%s\" is not in \"%s\"", part, kldve_ctx_message(ctx));
}

static void done(kldve_ctx *ctx, const test_heap *heap)
{
    kldve_ctx_free(ctx);
    assert_int_equal(heap->live, 0);
    clear_folder();
}

/* -- reading ---------------------------------------------------------------------------------- */

static void test_read(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};

    (void)state;
    test_file_save(in_folder("a"), "hello", 5);
    test_file_save(in_folder("empty"), "", 0);
    assert_int_equal(kldve_file_read(ctx, in_folder("a"), 5, &file), KLDVE_OK);
    assert_int_equal(file.length, 5);
    assert_memory_equal(file.bytes, "hello", 5);
    kldve_buffer_free(&file);
    assert_int_equal(kldve_file_read(ctx, in_folder("empty"), 0, &file), KLDVE_OK);
    assert_int_equal(file.length, 0);
    kldve_buffer_free(&file);
    assert_int_equal(kldve_file_read(ctx, in_folder("a"), 4, &file), KLDVE_E_LIMIT);
    assert_message(ctx, "a: 5 bytes are more than the limit of 4");
    assert_int_equal(kldve_file_read(ctx, folder, 100, &file), KLDVE_E_IO);
    assert_message(ctx, "is a folder");
    assert_int_equal(kldve_file_read(ctx, in_folder("missing"), 100, &file), KLDVE_E_IO);
    assert_message(ctx, "missing: cannot open: No such file");
    assert_int_equal(kldve_file_read(ctx, "", 100, &file), KLDVE_E_IO);
    assert_null(file.bytes);
    done(ctx, &heap);
}

/* What has no size beforehand. */
static void test_read_endless_and_unsized(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};

    (void)state;
    assert_int_equal(kldve_file_read(ctx, "/dev/zero", 1000000, &file), KLDVE_E_LIMIT);
    assert_message(ctx, "/dev/zero: larger than the limit of 1000000 bytes");
    assert_null(file.bytes);
    assert_int_equal(kldve_file_read(ctx, "/dev/null", 10, &file), KLDVE_OK);
    assert_int_equal(file.length, 0);
    kldve_buffer_free(&file);
    if (access("/proc/self/status", R_OK) == 0) { /* a regular file, says stat(), of 0 bytes */
        assert_int_equal(kldve_file_read(ctx, "/proc/self/status", 1 << 20, &file), KLDVE_OK);
        assert_true(file.length > 100);
        kldve_buffer_free(&file);
    }
    done(ctx, &heap);
}

static void test_read_without_memory(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};
    static const char *const paths[] = {"/dev/zero", "regular"};

    (void)state;
    test_file_save(in_folder("regular"), "hello", 5);
    for (int i = 0; i < 2; i++)
        for (long budget = 0; budget < 3 - 2 * i; budget++) {
            heap.budget = budget;
            assert_int_equal(
                kldve_file_read(ctx, i ? in_folder(paths[i]) : paths[i], 1000000, &file),
                KLDVE_E_NOMEM);
            assert_message(ctx, "out of memory");
            assert_null(file.bytes);
        }
    heap.budget = -1;
    done(ctx, &heap);
}

/* -- writing ---------------------------------------------------------------------------------- */

static void test_write_and_replace(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    const char *path = in_folder("out");
    struct stat st;

    (void)state;
    assert_int_equal(kldve_file_write_atomic(ctx, path, "one", 3), KLDVE_OK);
    assert_file(path, "one");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(kldve_file_write_atomic(ctx, path, "two!", 4), KLDVE_OK);
    assert_file(path, "two!");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(kldve_file_write_atomic(ctx, path, NULL, 0), KLDVE_OK);
    assert_file(path, "");
    assert_int_equal(clear_folder(), 1);
    done(ctx, &heap);
}

/* A file that is new is readable as the umask says, not for its owner alone. */
static void test_write_follows_the_umask(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    mode_t old = umask(027);
    struct stat st;

    (void)state;
    assert_int_equal(kldve_file_write_atomic(ctx, in_folder("out"), "x", 1), KLDVE_OK);
    umask(old);
    assert_int_equal(stat(in_folder("out"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    done(ctx, &heap);
}

static void test_write_through_links(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct stat st;

    (void)state;
    test_file_save(in_folder("real"), "old", 3);
    assert_int_equal(symlink("real", in_folder("link")), 0);
    assert_int_equal(kldve_file_write_atomic(ctx, in_folder("link"), "new", 3), KLDVE_OK);
    assert_file(in_folder("real"), "new");
    assert_int_equal(lstat(in_folder("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(clear_folder(), 2);
    done(ctx, &heap);
}

static void test_write_beside_a_stale_temporary(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    const char *stale = test_path("%s/.kldve-%ld-0.tmp", folder, (long)getpid());

    (void)state;
    test_file_save(stale, "stale", 5);
    assert_int_equal(kldve_file_write_atomic(ctx, in_folder("out"), "x", 1), KLDVE_OK);
    assert_file(in_folder("out"), "x");
    assert_file(stale, "stale");
    done(ctx, &heap);
}

static void test_write_where_it_cannot(void **state)
{
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"/dev/full", "/dev/full: cannot write: No space left on device"},
        {"missing/out", "missing/out: cannot create: No such file"},
        {".", ".: this is a folder"},
        {"/proc/kldve-test", "/proc/kldve-test: cannot create"},
    };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    char longest[5000];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(kldve_file_write_atomic(ctx, cases[i].path, "x", 1), KLDVE_E_IO);
        assert_message(ctx, cases[i].message);
    }
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(kldve_file_write_atomic(ctx, longest, "x", 1), KLDVE_E_ARG);
    assert_int_equal(kldve_file_write_atomic(ctx, "", "x", 1), KLDVE_E_ARG);
    assert_message(ctx, "empty");
    longest[300] = 0; /* longer than a name may be, shorter than a path */
    assert_int_equal(kldve_file_write_atomic(ctx, longest, "x", 1), KLDVE_E_IO);
    assert_int_equal(access(longest, F_OK), -1);
    assert_int_equal(clear_folder(), 0);
    done(ctx, &heap);
}

/* Root may write everywhere, so become another user for this test. */
static void test_write_protected(void **state)
{
    const uid_t nobody = 65534;
    bool root = geteuid() == 0;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    test_file_save(in_folder("mine"), "old", 3);
    assert_int_equal(chmod(in_folder("mine"), 0444), 0);
    if (root && (chown(in_folder("mine"), nobody, (gid_t)-1) != 0 ||
                 chown(folder, nobody, (gid_t)-1) != 0 || seteuid(nobody) != 0)) {
        done(ctx, &heap);
        skip();
    }
    assert_int_equal(kldve_file_write_atomic(ctx, in_folder("mine"), "x", 1), KLDVE_E_IO);
    assert_message(ctx, "mine: cannot write: Permission denied");
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(kldve_file_write_atomic(ctx, in_folder("other"), "x", 1), KLDVE_E_IO);
    assert_message(ctx, "other: cannot create: Permission denied");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_file(in_folder("mine"), "old");
    assert_int_equal(clear_folder(), 1);
    done(ctx, &heap);
}

/* A disk that fills up in the middle: the old file stays, nothing is left beside it. */
static void test_write_that_fails_in_the_middle(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct rlimit old, small;
    char *bytes = calloc(1, 100000);
    kldve_status status;

    (void)state;
    test_file_save(in_folder("out"), "old", 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 5000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = kldve_file_write_atomic(ctx, in_folder("out"), bytes, 100000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    free(bytes);
    assert_int_equal(status, KLDVE_E_IO);
    assert_message(ctx, "out: cannot write: File too large");
    assert_file(in_folder("out"), "old");
    assert_int_equal(clear_folder(), 1);
    done(ctx, &heap);
}

/* -- pictures --------------------------------------------------------------------------------- */

/* A gradient, which JPEG hardly changes. */
static kldve_image *gradient(kldve_ctx *ctx)
{
    kldve_image *image;

    assert_int_equal(kldve_image_new(ctx, 40, 30, &image), KLDVE_OK);
    for (int i = 0; i < 40 * 30; i++)
        for (int c = 0; c < 3; c++)
            kldve_image_edit(image)[3 * i + c] = (uint8_t)(i % 40 * 3 + i / 40 * 4);
    return image;
}

static void save_and_load(const char *name, bool built, int32_t quality, int tolerance)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx), *back;
    const char *path = in_folder(name);

    if (!built) {
        assert_int_equal(kldve_image_save(image, path, quality), KLDVE_E_UNSUPPORTED);
        assert_message(ctx, "this build cannot write");
        assert_message(ctx, "build with -D");
        assert_int_equal(clear_folder(), 0);
    } else {
        assert_int_equal(kldve_image_save(image, path, quality), KLDVE_OK);
        assert_int_equal(kldve_image_load(ctx, path, NULL, &back), KLDVE_OK);
        assert_int_equal(kldve_image_width(back), 40);
        assert_int_equal(kldve_image_height(back), 30);
        for (int i = 0; i < 3600; i++)
            assert_true(abs(kldve_image_pixels(back)[i] - kldve_image_pixels(image)[i]) <=
                        tolerance);
        kldve_image_free(back);
        assert_int_equal(clear_folder(), 1);
    }
    kldve_image_free(image);
    done(ctx, &heap);
}

#ifdef KLDVE_HAVE_PNG
static const bool have_png = true;
#else
static const bool have_png = false;
#endif
#ifdef KLDVE_HAVE_JPEG
static const bool have_jpeg = true;
#else
static const bool have_jpeg = false;
#endif

static void test_save_and_load(void **state)
{
    (void)state;
    save_and_load("a.png", have_png, 0, 0);
    save_and_load("a.PNG", have_png, 1, 0);
    save_and_load("a.jpg", have_jpeg, 0, 3);
    save_and_load("a.b.JPEG", have_jpeg, 100, 2);
    save_and_load("a b.Jpg", have_jpeg, 50, 8);
}

static void test_save_refuses(void **state)
{
    static const struct {
        const char *name;
        int32_t quality;
        kldve_status status;
        const char *message;
    } cases[] = {
        {"a.gif", 0, KLDVE_E_UNSUPPORTED, "a.gif: cannot write this kind of picture"},
        {"a", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"png", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"a.png.txt", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"", 0, KLDVE_E_UNSUPPORTED, "end the name in .png or .jpg"},
        {"a.jpg", -1, KLDVE_E_ARG, "quality -1: give 1 to 100"},
        {"a.jpg", 101, KLDVE_E_ARG, "quality 101: give 1 to 100"},
    };
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(kldve_image_save(image, in_folder(cases[i].name), cases[i].quality),
                         cases[i].status);
        assert_message(ctx, cases[i].message);
    }
    assert_int_equal(kldve_image_save(image, ".png", 0), KLDVE_E_UNSUPPORTED);
    assert_int_equal(clear_folder(), 0);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_save_where_it_cannot(void **state)
{
    const char *name = have_png ? "full.png" : "full.jpg";
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image *image = gradient(ctx);

    (void)state;
    if (!have_png && !have_jpeg) {
        kldve_image_free(image);
        done(ctx, &heap);
        skip();
    }
    assert_int_equal(symlink("/dev/full", in_folder(name)), 0);
    assert_int_equal(kldve_image_save(image, in_folder(name), 0), KLDVE_E_IO);
    assert_message(ctx, "No space left on device");
    assert_int_equal(clear_folder(), 1);
    assert_int_equal(kldve_image_save(image, test_path("%s/missing/%s", folder, name), 0),
                     KLDVE_E_IO);
    assert_message(ctx, "No such file or directory");
    assert_int_equal(mkdir(in_folder(name), 0777), 0);
    assert_int_equal(kldve_image_save(image, in_folder(name), 0), KLDVE_E_IO);
    assert_message(ctx, "is a folder");
    assert_int_equal(clear_folder(), 1);
    kldve_image_free(image);
    done(ctx, &heap);
}

static void test_load_refuses(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_image_limits limits = {sizeof limits, 0, 3};
    kldve_image *image = NULL;

    (void)state;
    assert_int_equal(kldve_image_load(ctx, in_folder("missing.png"), NULL, &image), KLDVE_E_IO);
    assert_message(ctx, "missing.png: cannot open: No such file");
    assert_int_equal(kldve_image_load(ctx, folder, NULL, &image), KLDVE_E_IO);
    assert_message(ctx, "is a folder");
    test_file_save(in_folder("text.png"), "hello", 5);
    assert_int_equal(kldve_image_load(ctx, in_folder("text.png"), NULL, &image),
                     KLDVE_E_UNSUPPORTED);
    assert_message(ctx, "text.png: not a picture in PNG or JPEG format");
    assert_int_equal(kldve_image_load(ctx, in_folder("text.png"), &limits, &image), KLDVE_E_LIMIT);
    assert_message(ctx, "text.png: 5 bytes are more than the limit of 3");
    assert_null(image);
    done(ctx, &heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_endless_and_unsized),
        cmocka_unit_test(test_read_without_memory),
        cmocka_unit_test(test_write_and_replace),
        cmocka_unit_test(test_write_follows_the_umask),
        cmocka_unit_test(test_write_through_links),
        cmocka_unit_test(test_write_beside_a_stale_temporary),
        cmocka_unit_test(test_write_where_it_cannot),
        cmocka_unit_test(test_write_protected),
        cmocka_unit_test(test_write_that_fails_in_the_middle),
        cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_save_refuses),
        cmocka_unit_test(test_save_where_it_cannot),
        cmocka_unit_test(test_load_refuses),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
