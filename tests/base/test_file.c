/* test_file.c - files: reading whole ones, writing all or nothing. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

static void assert_file(const char *path, const char *content)
{
    size_t nbytes;
    char *bytes = test_file_load(path, &nbytes);

    assert_string_equal(bytes, content);
    free(bytes);
}

static void done(kldve_ctx *ctx, const test_heap *heap)
{
    kldve_ctx_free(ctx);
    assert_int_equal(heap->live, 0);
    test_folder_clear();
}

/* -- reading ---------------------------------------------------------------------------------- */

enum { CARD = KLDVE_LIMIT_CARD /* any limit will do */ };

static void limit(kldve_ctx *ctx, int64_t nbytes)
{
    assert_int_equal(kldve_ctx_set_limit(ctx, CARD, nbytes), KLDVE_OK);
}

static void test_read(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};

    (void)state;
    test_file_save(test_in_folder("a"), "hello", 5);
    test_file_save(test_in_folder("empty"), "", 0);
    limit(ctx, 5);
    assert_int_equal(kldve_file_read(ctx, test_in_folder("a"), CARD, &file), KLDVE_OK);
    assert_int_equal(file.length, 5);
    assert_memory_equal(file.bytes, "hello", 5);
    kldve_buffer_free(&file);
    assert_int_equal(kldve_file_read(ctx, test_in_folder("empty"), CARD, &file), KLDVE_OK);
    assert_int_equal(file.length, 0);
    kldve_buffer_free(&file);
    limit(ctx, 4);
    assert_int_equal(kldve_file_read(ctx, test_in_folder("a"), CARD, &file), KLDVE_E_LIMIT);
    test_says(ctx, "a: 5 bytes: the limit 'card' is 4 bytes; raise it with kldve_ctx_set_limit()");
    assert_int_equal(kldve_file_read(ctx, test_folder(), CARD, &file), KLDVE_E_IO);
    test_says(ctx, "is a folder");
    assert_int_equal(kldve_file_read(ctx, test_in_folder("missing"), CARD, &file), KLDVE_E_IO);
    test_says(ctx, "missing: cannot open: No such file");
    assert_int_equal(kldve_file_read(ctx, "", CARD, &file), KLDVE_E_IO);
    assert_null(file.bytes);
    done(ctx, &heap);
}

/* What has no size beforehand. */
static void test_read_endless_and_unsized(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};
    char path[64];
    int endless;

    (void)state;
    limit(ctx, 1000000);
    endless = open("/dev/zero", O_RDONLY);
    assert_true(endless >= 0);
    snprintf(path, sizeof path, "/dev/fd/%d", endless);
    assert_int_equal(kldve_file_read(ctx, path, CARD, &file), KLDVE_E_LIMIT);
    test_says(ctx, ": more than 1000000 bytes: the limit 'card' is");
    assert_null(file.bytes);
    close(endless);
    if (access("/proc/self/status", R_OK) == 0) { /* a regular file, says stat(), of 0 bytes */
        assert_int_equal(kldve_file_read(ctx, "/proc/self/status", CARD, &file), KLDVE_OK);
        assert_true(file.length > 100);
        kldve_buffer_free(&file);
    }
    done(ctx, &heap);
}

/* Nobody waits, and nothing endless is read. */
static void test_read_what_is_no_file(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};

    (void)state;
    assert_int_equal(mkfifo(test_in_folder("fifo"), 0600), 0);
    assert_int_equal(kldve_file_read(ctx, test_in_folder("fifo"), CARD, &file), KLDVE_E_IO);
    test_says(ctx, "fifo: this is a named pipe, give a file");
    assert_int_equal(kldve_file_read(ctx, "/dev/zero", CARD, &file), KLDVE_E_IO);
    test_says(ctx, "/dev/zero: this is a device, give a file");
    done(ctx, &heap);
}

/* A pipe that is open is meant, with a writer that comes late. */
static void test_read_an_open_pipe(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};
    char path[64];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        _exit(write(ends[1], "late", 4) != 4);
    }
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(kldve_file_read(ctx, path, CARD, &file), KLDVE_OK);
    assert_int_equal(file.length, 4);
    kldve_buffer_free(&file);
    close(ends[0]);
    done(ctx, &heap);
}

static void test_read_without_memory(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_buffer file = {ctx, NULL, 0, 0};
    static const char *const paths[] = {"/proc/self/status", "regular"};

    (void)state;
    test_file_save(test_in_folder("regular"), "hello", 5);
    for (int i = 0; i < 2; i++)
        for (long budget = 0; budget < 1; budget++) {
            heap.budget = budget;
            assert_int_equal(
                kldve_file_read(ctx, i ? test_in_folder(paths[i]) : paths[i], CARD, &file),
                KLDVE_E_NOMEM);
            test_says(ctx, "out of memory");
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
    const char *path = test_in_folder("out");
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
    assert_int_equal(test_folder_clear(), 1);
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
    assert_int_equal(kldve_file_write_atomic(ctx, test_in_folder("out"), "x", 1), KLDVE_OK);
    umask(old);
    assert_int_equal(stat(test_in_folder("out"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    done(ctx, &heap);
}

static void test_write_through_links(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    struct stat st;

    (void)state;
    test_file_save(test_in_folder("real"), "old", 3);
    assert_int_equal(symlink("real", test_in_folder("link")), 0);
    assert_int_equal(kldve_file_write_atomic(ctx, test_in_folder("link"), "new", 3), KLDVE_OK);
    assert_file(test_in_folder("real"), "new");
    assert_int_equal(lstat(test_in_folder("link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(test_folder_clear(), 2);
    done(ctx, &heap);
}

/* A process that was killed while it replaced the file can leave a link, which the next one
 * removes.  Its name is that of the FNV-1a hash of "out". */
static void test_write_removes_what_was_left(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);

    (void)state;
    test_file_save(test_in_folder(".kldve-19f79b1921bbcfff-0.tmp"), "stale", 5);
    test_file_save(test_in_folder("out"), "old", 3);
    assert_int_equal(kldve_file_write_atomic(ctx, test_in_folder("out"), "x", 1), KLDVE_OK);
    assert_file(test_in_folder("out"), "x");
    assert_int_equal(test_folder_clear(), 1);
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
        test_says(ctx, cases[i].message);
    }
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(kldve_file_write_atomic(ctx, longest, "x", 1), KLDVE_E_ARG);
    assert_int_equal(kldve_file_write_atomic(ctx, "", "x", 1), KLDVE_E_ARG);
    test_says(ctx, "empty");
    longest[300] = 0; /* longer than a name may be, shorter than a path */
    assert_int_equal(kldve_file_write_atomic(ctx, longest, "x", 1), KLDVE_E_IO);
    assert_int_equal(access(longest, F_OK), -1);
    assert_int_equal(test_folder_clear(), 0);
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
    test_file_save(test_in_folder("mine"), "old", 3);
    assert_int_equal(chmod(test_in_folder("mine"), 0444), 0);
    if (root && (chown(test_in_folder("mine"), nobody, (gid_t)-1) != 0 ||
                 chown(test_folder(), nobody, (gid_t)-1) != 0 || seteuid(nobody) != 0)) {
        done(ctx, &heap);
        skip();
    }
    assert_int_equal(kldve_file_write_atomic(ctx, test_in_folder("mine"), "x", 1), KLDVE_E_IO);
    test_says(ctx, "mine: cannot write: Permission denied");
    assert_int_equal(chmod(test_folder(), 0555), 0);
    assert_int_equal(kldve_file_write_atomic(ctx, test_in_folder("other"), "x", 1), KLDVE_E_IO);
    test_says(ctx, "other: cannot create: Permission denied");
    assert_int_equal(chmod(test_folder(), 0755), 0);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_file(test_in_folder("mine"), "old");
    assert_int_equal(test_folder_clear(), 1);
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
    test_file_save(test_in_folder("out"), "old", 3);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 5000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = kldve_file_write_atomic(ctx, test_in_folder("out"), bytes, 100000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    free(bytes);
    assert_int_equal(status, KLDVE_E_IO);
    test_says(ctx, "out: cannot write: File too large");
    assert_file(test_in_folder("out"), "old");
    assert_int_equal(test_folder_clear(), 1);
    done(ctx, &heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_read_endless_and_unsized),
        cmocka_unit_test(test_read_what_is_no_file),
        cmocka_unit_test(test_read_an_open_pipe),
        cmocka_unit_test(test_read_without_memory),
        cmocka_unit_test(test_write_and_replace),
        cmocka_unit_test(test_write_follows_the_umask),
        cmocka_unit_test(test_write_through_links),
        cmocka_unit_test(test_write_removes_what_was_left),
        cmocka_unit_test(test_write_where_it_cannot),
        cmocka_unit_test(test_write_protected),
        cmocka_unit_test(test_write_that_fails_in_the_middle),
    };

    return cmocka_run_group_tests_name("file", tests, test_folder_make, test_folder_remove);
}
