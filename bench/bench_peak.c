/* bench_peak.c - the most that one core can do.
 *
 *     bench-peak [--ms N] [--json FILE]
 *
 * Arithmetic: independent chains of fused multiply-adds, in registers only, float32; a multiply-add
 * counts as two operations.  Memory: an array of 256 MiB, larger than the caches, read from start
 * to end.  For each instruction set, the best repeat within N milliseconds (300): what the core can
 * do, not what it does on average. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bench.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum {
    CHAINS = 12,     /* more than two units times 4 cycles of latency; AVX2 has 16 registers */
    STEPS = 1 << 17, /* of every chain in one repeat, some tenths of a millisecond */
    ARRAY = 1 << 28  /* bytes */
};

/* Volatile, so that the compiler neither knows the numbers nor drops the unused result. */
static volatile float factor = 0.5f, addend = 1, sink;

/* x = x a + b in every lane of every chain; the innermost loops must be unrolled completely, or the
 * chains end up in memory. */
#define ARITHMETIC(isa, name, vector, all, fused)                                                  \
    isa static void name(const void *unused)                                                       \
    {                                                                                              \
        vector a = all(factor), b = all(addend), x[CHAINS];                                        \
                                                                                                   \
        (void)unused;                                                                              \
        _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++) x[c] = all((float)c);            \
        for (int i = 0; i < STEPS; i++)                                                            \
            _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++) x[c] = fused(x[c], a, b);    \
        _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++) sink = sink + x[c][0];           \
    }

/* Sums of the array, eight vectors at a time. */
#define READING(isa, name, vector)                                                                 \
    isa static void name(const void *array)                                                        \
    {                                                                                              \
        const vector *v = array;                                                                   \
        vector x[8] = {0};                                                                         \
                                                                                                   \
        for (size_t i = 0; i < ARRAY / sizeof *v; i += 8)                                          \
            _Pragma("GCC unroll 8") for (size_t c = 0; c < 8; c++) x[c] += v[i + c];               \
        _Pragma("GCC unroll 8") for (size_t c = 0; c < 8; c++) sink = sink + x[c][0];              \
    }

typedef float four __attribute__((vector_size(16)));

static inline four all_four(float x)
{
    return (four){x, x, x, x};
}

static inline four multiply_add_four(four x, four a, four b)
{
    return x * a + b; /* not fused: the project's compiler options forbid it */
}

ARITHMETIC(, compute_plain, four, all_four, multiply_add_four)
READING(, read_plain, four)

static bool always(void)
{
    return true;
}

#ifdef __x86_64__

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f")))

ARITHMETIC(AVX2, compute_avx2, __m256, _mm256_set1_ps, _mm256_fmadd_ps)
READING(AVX2, read_avx2, __m256)
ARITHMETIC(AVX512, compute_avx512, __m512, _mm512_set1_ps, _mm512_fmadd_ps)
READING(AVX512, read_avx512, __m512)

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}

#endif

typedef struct kernel {
    const char *name;
    int lanes;
    bool (*usable)(void);
    void (*compute)(const void *);
    void (*read)(const void *);
} kernel;

static const kernel kernels[] = {
    {"baseline, 128 bits, not fused", 4, always, compute_plain, read_plain},
#ifdef __x86_64__
    {"AVX2, 256 bits, fused", 8, has_avx2, compute_avx2, read_avx2},
    {"AVX-512, 512 bits, fused", 16, has_avx512, compute_avx512, read_avx512},
#endif
};

/* Milliseconds of the fastest repeat; at least three repeats, of which the first warms up. */
static double fastest(void (*run)(const void *), const void *array, double budget)
{
    double best = 0, begin = now();

    run(array);
    for (int i = 0; i < 3 || now() - begin < budget; i++) {
        double start = now(), ms;

        run(array);
        ms = now() - start;
        if (i == 0 || ms < best)
            best = ms;
    }
    return best;
}

int main(int argc, char **argv)
{
    double budget = 300, gflops, gbytes, most_gflops = 0, most_gbytes = 0;
    const char *json_path = NULL;
    void *array = aligned_alloc(64, ARRAY);
    FILE *json = NULL;

    for (int at = 1; at < argc; at += 2)
        if (at + 1 < argc && strcmp(argv[at], "--ms") == 0)
            budget = number(argv[at + 1], 60000);
        else if (at + 1 < argc && strcmp(argv[at], "--json") == 0)
            json_path = argv[at + 1];
        else
            die("usage", "bench-peak [--ms N] [--json FILE]");
    if (!array)
        die("memory", "out of memory");
    if (json_path && !(json = fopen(json_path, "w")))
        die(json_path, strerror(errno));
    memset(array, 0, ARRAY); /* pages that were never written all share one page */
    printf("| one core | float32 arithmetic, GFLOP/s | reading memory, GB/s |\n|---|---:|---:|\n");
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const kernel *k = &kernels[i];

        if (!k->usable())
            continue;
        gflops = 2.0 * k->lanes * CHAINS * STEPS / fastest(k->compute, NULL, budget) * 1e-6;
        gbytes = ARRAY / fastest(k->read, array, budget) * 1e-6;
        printf("| %-29s | %6.1f | %5.1f |\n", k->name, gflops, gbytes);
        most_gflops = gflops > most_gflops ? gflops : most_gflops;
        most_gbytes = gbytes > most_gbytes ? gbytes : most_gbytes;
    }
    if (json && (fprintf(json, "{\"gflops\": %.2f, \"gbytes_per_s\": %.2f}\n", most_gflops,
                         most_gbytes) < 0 ||
                 fclose(json) != 0))
        die(json_path, "cannot write");
    free(array);
    return 0;
}
