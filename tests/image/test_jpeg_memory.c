/* test_jpeg_memory.c - libjpeg's own memory comes from malloc(), not from the context's allocator.
 * This program replaces malloc(), so that each of those allocations can fail too. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include <kldve/image.h>

#include "image/codec.h"

#if defined __SANITIZE_ADDRESS__
#define OWN_MALLOC 0 /* the sanitizer has its own */
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#if !defined OWN_MALLOC && defined __GLIBC__
#define OWN_MALLOC 1
#endif

#if OWN_MALLOC

/* volatile: the compiler believes that malloc() looks at no variable of this file */
static volatile bool armed;
static volatile long left; /* allocations that succeed while armed */

extern void *__libc_malloc(size_t nbytes);

void *malloc(size_t nbytes)
{
    if (armed && left-- <= 0)
        return NULL;
    return __libc_malloc(nbytes);
}

struct call {
    kldve_ctx *ctx;
    kldve_image *image, *out;
    kldve_buffer file;
};

static kldve_status encode(struct call *c)
{
    kldve_status status = kldve_jpeg_encode(c->image, 75, &c->file);

    if (status != KLDVE_OK)
        kldve_buffer_free(&c->file);
    return status;
}

static kldve_status decode(struct call *c)
{
    return kldve_image_decode(c->ctx, c->file.bytes, c->file.length, &c->out);
}

static void fail_each(struct call *c, kldve_status (*call)(struct call *), test_heap *heap)
{
    long live = heap->live;

    for (long budget = 0; budget < 1000; budget++) {
        kldve_status status;

        left = budget;
        armed = true;
        status = call(c);
        armed = false;
        if (status == KLDVE_OK) {
            assert_true(budget > 5);
            return;
        }
        assert_int_equal(status, KLDVE_E_NOMEM);
        assert_non_null(strstr(kldve_ctx_message(c->ctx), "out of memory"));
        assert_int_equal(heap->live, live);
    }
    fail_msg("more than 1000 allocations");
}

/* Not under valgrind, which puts its own malloc() before this one. */
static bool is_in_use(struct call *c)
{
    const long many = 1000;
    kldve_status status;

    left = many;
    armed = true;
    status = encode(c);
    armed = false;
    assert_int_equal(status, KLDVE_OK);
    kldve_buffer_free(&c->file);
    return many - left > 5;
}

static void test_every_malloc_fails_once(void **state)
{
    test_heap heap;
    kldve_ctx *ctx;
    struct call c;
    bool used;

    (void)state;
    ctx = test_ctx(&heap);
    c = (struct call){ctx, NULL, NULL, {ctx, NULL, 0, 0}};
    assert_int_equal(kldve_image_new(ctx, 300, 200, &c.image), KLDVE_OK);
    used = is_in_use(&c);
    if (used) {
        fail_each(&c, encode, &heap);
        fail_each(&c, decode, &heap);
    }
    kldve_image_free(c.image);
    kldve_image_free(c.out);
    kldve_buffer_free(&c.file);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
    if (!used)
        skip();
}

#else

static void test_every_malloc_fails_once(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_malloc_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
