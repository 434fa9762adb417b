/* test_float_env.c - hosts with a floating-point environment of their own: results are those of the
 * default one, to the bit, and the host finds its own again, in callbacks and afterwards. */
#define _GNU_SOURCE /* feenableexcept() */
#include "support.h"

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "float_env_host.h"

/* ---- environments ---- */

enum { FLUSH = 1, SHORT = 2, TRAP = 4 };

typedef struct environment {
    const char *name;
    int rounding, tricks;
} environment;

static const environment environments[] = {
    {"upward", FE_UPWARD, 0},
    {"downward", FE_DOWNWARD, 0},
    {"toward zero", FE_TOWARDZERO, 0},
    {"flush to zero, denormals are zero", FE_TONEAREST, FLUSH},
    {"short x87", FE_TONEAREST, SHORT},
    {"traps", FE_TONEAREST, TRAP},
    {"everything", FE_DOWNWARD, FLUSH | SHORT | TRAP},
};

#if defined(__x86_64__)
static void flush_to_zero(void)
{
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
}

static void be_short(void)
{
    unsigned short control;

    __asm__ volatile("fnstcw %0" : "=m"(control));
    control = (unsigned short)(control & ~0x300);
    __asm__ volatile("fldcw %0" : : "m"(control));
}

/* The control words, which the library must not change. */
static uint64_t control(void)
{
    unsigned short x87;

    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (uint64_t)__builtin_ia32_stmxcsr() << 16 | x87;
}
#else
static void flush_to_zero(void)
{
}

static void be_short(void)
{
}

static uint64_t control(void)
{
    return (uint64_t)fegetround() << 32 | (uint64_t)fetestexcept(FE_ALL_EXCEPT);
}
#endif

static void take(const environment *e)
{
    fesetround(e->rounding);
    if (e->tricks & FLUSH)
        flush_to_zero();
    if (e->tricks & SHORT)
        be_short();
    feclearexcept(FE_ALL_EXCEPT);
#ifdef __GLIBC__
    if (e->tricks & TRAP)
        feenableexcept(FE_ALL_EXCEPT);
#endif
}

static void compare(const char *name, const results *got, const results *want)
{
    assert_int_equal(got->count, want->count);
    if (memcmp(got->bytes, want->bytes, want->count) != 0)
        fail_msg("%s: other results", name);
    assert_true(got->heard > 0); /* how often depends on the clock */
    assert_int_equal(got->other, 0);
}

static void test_caller(void **state)
{
    results want = float_env_host(control, 1);

    (void)state;
    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
        const environment *e = &environments[i];
        uint64_t before, after;
        int raised;
        results got;
        fenv_t own;

        fegetenv(&own);
        take(e);
        before = control();
        got = float_env_host(control, 1);
        after = control();
        raised = fetestexcept(FE_ALL_EXCEPT);
        fesetenv(&own);
        assert_true(before == after);
        assert_int_equal(raised, 0);
        compare(e->name, &got, &want);
        free(got.bytes);
    }
    free(want.bytes);
}

enum { THREADS = 2 };

/* A loop of the host sets the environment of all threads but the first. */
static void set_in_loop(void)
{
#pragma omp parallel num_threads(THREADS)
    if (omp_get_thread_num() > 0)
        take(&environments[sizeof environments / sizeof *environments - 1]);
}

/* Its next loop finds these. */
static void find_in_loop(uint64_t found[THREADS])
{
#pragma omp parallel num_threads(THREADS)
    {
        found[omp_get_thread_num()] = control();
        fesetenv(FE_DFL_ENV);
    }
}

/* What a loop of the host set is found by its next one as if the engine had not worked in these
 * threads.  GCC's OpenMP keeps it; LLVM's gives every thread the caller's rounding and masks when a
 * loop begins (KMP_INHERIT_FP_CONTROL). */
static void test_team(void **state)
{
    results want = float_env_host(control, THREADS), got;
    uint64_t without[THREADS] = {0}, with[THREADS] = {0};

    (void)state;
    set_in_loop();
    find_in_loop(without);
    set_in_loop();
    got = float_env_host(control, THREADS);
    find_in_loop(with);
    for (int i = 0; i < THREADS; i++)
        assert_true(without[i] >> 22 == with[i] >> 22); /* without the exceptions that it raised */
    compare("a team", &got, &want);
    free(got.bytes);
    free(want.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_caller), cmocka_unit_test(test_team)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
