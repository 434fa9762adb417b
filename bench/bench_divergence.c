/* bench_divergence.c - what the KL divergence costs, and whether the cost model chooses well.
 *
 *     bench-divergence times [N...]      scores of several shapes: base pass and one-hot gradient,
 *                                        direct and fast, with the error of the fast one
 *     bench-divergence errors [N...]     the fast method at six tolerances against direct sums in
 *                                        long double, and its time
 *     bench-divergence truth [N...]      time for general truth of several shapes
 *     bench-divergence cotangents [N...] the base pass; contrast, rivals and neighbours after it
 *
 *     bench-divergence crossover [SET]   direct sum against fast summation near the size where
 *                                        they cost the same, and the choice of
 *                                        KLDVE_SUMMATION_AUTO; SET: avx512, avx2, baseline
 *
 * The times are medians of processor time over rounds in which the methods alternate, on one
 * thread.  bench_divergence.py compares with scikit-learn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "divergence/divergence.h"

#include "divergence/oracle.h"

enum { MOST_ROUNDS = 101, METHODS = 3 /* by kldve_summation */ };

/* The direct sum takes 165 ms here, and four times as much for twice the scores. */
static const size_t largest_direct = 32768;

typedef struct shape {
    const char *name;
    oracle_kind kind;
    double scale;
} shape;

static const shape shapes[] = {
    {"logits, N(0, 2.5^2) and one 20", ORACLE_NORMAL, 1},
    {"logits x 0.01", ORACLE_NORMAL, 0.01},
    {"logits x 0.1", ORACLE_NORMAL, 0.1},
    {"logits x 10", ORACLE_NORMAL, 10},
    {"logits x 1000", ORACLE_NORMAL, 1000},
    {"uniform in 0..30", ORACLE_UNIFORM, 1},
    {"uniform in 0..10^6", ORACLE_UNIFORM, 33333.3},
    {"five heaps", ORACLE_CLUSTERS, 1},
    {"ties at quarters", ORACLE_TIES, 1},
    {"0..1 and one 500", ORACLE_OUTLIER, 1},
    {"gaps 10^-3 to 10^6", ORACLE_GEOMETRIC, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static double *allocate(size_t n)
{
    double *x = malloc(n * sizeof *x);

    if (!x)
        die("memory", "out of memory");
    return x;
}

static kldve_ctx *ctx;
static const kldve_kernels *kernels; /* NULL: the processor's best */

static void must(kldve_status st)
{
    if (st < 0)
        die("libkldve", kldve_ctx_message(ctx));
}

static kldve_divergence *make(size_t n, int32_t summation)
{
    kldve_divergence_options o = {
        .struct_size = sizeof o, .summation = summation, .unattainable = KLDVE_UNATTAINABLE_LIMIT};
    kldve_divergence *d;

    must(kldve_divergence_new(ctx, (int32_t)n, &o, &d));
    if (kernels)
        d->kernels = kernels;
    return d;
}

/* ---- one problem, each method in turn ---- */

typedef struct problem {
    size_t n;
    double *k, *truth; /* truth NULL: one-hot */
    double *z;
} problem;

static void solve(kldve_divergence *d, const problem *p)
{
    must(kldve_divergence_set_scores(d, p->k));
    if (p->truth)
        must(kldve_divergence_truth(d, p->truth, p->z, NULL));
    else
        must(kldve_divergence_onehot(d, (int32_t)(p->n / 3), p->z, NULL));
}

/* Medians in ms of the marked methods; at least three rounds, until 0.3 s have passed. */
static void take_times(const problem *p, const bool wanted[METHODS], double ms[METHODS])
{
    kldve_divergence *d[METHODS] = {NULL};
    static double times[METHODS][MOST_ROUNDS];
    double begin = 0;
    size_t rounds = 0;

    for (int32_t m = 0; m < METHODS; m++)
        if (wanted[m]) {
            d[m] = make(p->n, m);
            solve(d[m], p); /* allocates and warms up */
        }
    begin = spent();
    while (rounds < MOST_ROUNDS && (rounds < 3 || spent() - begin < 300)) {
        for (int32_t m = 0; m < METHODS; m++) {
            double start = spent();

            if (d[m])
                solve(d[m], p);
            times[m][rounds] = spent() - start;
        }
        rounds++;
    }
    for (int32_t m = 0; m < METHODS; m++) {
        ms[m] = wanted[m] ? median(times[m], rounds) : NAN;
        kldve_divergence_free(d[m]);
    }
}

static void print_ms(double ms)
{
    if (isnan(ms))
        printf("       - |");
    else
        printf(" %7.3g |", ms);
}

/* ---- times ---- */

/* Error of the method that AUTO chooses, against direct sums at some scores; and its estimate. */
static double measured(const problem *p, kldve_divergence_info *info)
{
    kldve_divergence *d = make(p->n, KLDVE_SUMMATION_AUTO);
    double error;

    must(kldve_divergence_set_scores(d, p->k));
    must(kldve_divergence_measure(d, 64, &error));
    must(kldve_divergence_get_info(d, info));
    kldve_divergence_free(d);
    return error;
}

static void times_of(const shape *s, size_t n)
{
    kldve_divergence_info info = {.struct_size = sizeof info};
    problem p = {n, allocate(n), NULL, allocate(n)};
    bool wanted[METHODS] = {true, n <= largest_direct, true};
    double ms[METHODS], error;

    oracle_scores(s->kind, s->scale, n, 17, p.k);
    take_times(&p, wanted, ms);
    error = measured(&p, &info);
    printf("| %-30s | %8zu |", s->name, n);
    for (int m = 0; m < METHODS; m++)
        print_ms(ms[m]);
    printf(" %-6s | %8.1e | %8.1e | %6lld |\n",
           info.summation == KLDVE_SUMMATION_DIRECT ? "direct" : "fast", error, info.error,
           (long long)info.clusters);
    fflush(stdout);
    free(p.k);
    free(p.z);
}

static void run_times(const size_t *sizes, size_t count)
{
    printf("| scores | n | auto, ms | direct, ms | fast, ms | auto takes | error | estimate | "
           "clusters |\n|---|---|---|---|---|---|---|---|---|\n");
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t i = 0; i < count; i++)
            times_of(&shapes[s], sizes[i]);
}

/* ---- errors ---- */

static const double tolerances[] = {1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14};
enum { TOLERANCES = sizeof tolerances / sizeof *tolerances };

/* max |z - expected| / max |z| at one tolerance, and the time of a base pass and a gradient. */
static double error_at(const problem *p, double tolerance, const double *expected, double *ms)
{
    kldve_divergence_options o = {
        .struct_size = sizeof o, .summation = KLDVE_SUMMATION_CHEBYSHEV, .tolerance = tolerance};
    kldve_divergence *d;
    double times[15];

    must(kldve_divergence_new(ctx, (int32_t)p->n, &o, &d));
    solve(d, p);
    for (size_t i = 0; i < 15; i++) {
        double start = spent();

        solve(d, p);
        times[i] = spent() - start;
    }
    *ms = median(times, 15);
    kldve_divergence_free(d);
    return oracle_distance(p->z, expected, p->n);
}

static void run_errors(const size_t *sizes, size_t count)
{
    printf("| scores | n |");
    for (int t = 0; t < TOLERANCES; t++)
        printf(" %.0e |", tolerances[t]);
    printf("\n|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        for (size_t s = 0; s < SHAPES; s++) {
            size_t n = sizes[i];
            problem p = {n, allocate(n), NULL, allocate(n)};
            double *expected = allocate(n);
            bool *positive = calloc(n, sizeof *positive);

            if (!positive)
                die("memory", "out of memory");
            oracle_scores(shapes[s].kind, shapes[s].scale, n, 17, p.k);
            positive[n / 3] = true;
            oracle_labels(p.k, positive, n, 30, expected, NULL);
            printf("| %-30s | %6zu |", shapes[s].name, n);
            for (int t = 0; t < TOLERANCES; t++) {
                double ms, error = error_at(&p, tolerances[t], expected, &ms);

                printf(" %.0e, %.3g ms |", error, ms);
            }
            printf("\n");
            fflush(stdout);
            free(p.k);
            free(p.z);
            free(expected);
            free(positive);
        }
}

/* ---- truth ---- */

static const char *const truth_names[] = {"scores like the logits", "softmax of them",
                                          "rounded to hundredths", "half of them 0"};

static void make_truth(size_t which, size_t n, double *y)
{
    double sum = 0;

    oracle_scores(ORACLE_NORMAL, 1, n, 4, y);
    for (size_t i = 0; i < n; i++) {
        y[i] = which == 1                 ? exp(y[i] - 20)
               : which == 2               ? floor(100 * y[i]) / 100
               : which == 3 && i % 2 != 0 ? 0
                                          : y[i];
        sum += y[i];
    }
    for (size_t i = 0; which == 1 && i < n; i++)
        y[i] /= sum;
}

static void run_truth(const size_t *sizes, size_t count)
{
    static const bool wanted[METHODS] = {true, false, false};

    printf("| truth | n | auto, ms |\n|---|---|---|\n");
    for (size_t which = 0; which < sizeof truth_names / sizeof *truth_names; which++)
        for (size_t i = 0; i < count; i++) {
            size_t n = sizes[i];
            problem p = {n, allocate(n), allocate(n), allocate(n)};
            double ms[METHODS];

            oracle_scores(ORACLE_NORMAL, 1, n, 17, p.k);
            make_truth(which, n, p.truth);
            take_times(&p, wanted, ms);
            printf("| %-24s | %8zu | %8.3g |\n", truth_names[which], n, ms[0]);
            fflush(stdout);
            free(p.k);
            free(p.truth);
            free(p.z);
        }
}

/* ---- cotangents ---- */

static double cotangent_ms(const kldve_divergence *d, int32_t kind, double *t)
{
    const int32_t target = 0;
    double times[15];

    for (size_t i = 0; i < 15; i++) {
        double start = spent();

        must(kldve_divergence_many(d, kind, &target, 1, t));
        times[i] = spent() - start;
    }
    return median(times, 15);
}

static void run_cotangents(const size_t *sizes, size_t count)
{
    printf("| scores | n | base pass, ms | contrast, ms | rivals, ms | neighbours, ms |\n"
           "|---|---|---|---|---|---|\n");
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t i = 0; i < count; i++) {
            size_t n = sizes[i];
            double *k = allocate(n), *t = allocate(n), start;
            kldve_divergence *d = make(n, KLDVE_SUMMATION_AUTO);

            oracle_scores(shapes[s].kind, shapes[s].scale, n, 17, k);
            must(kldve_divergence_set_scores(d, k)); /* allocates and warms up */
            start = spent();
            must(kldve_divergence_set_scores(d, k));
            printf("| %-30s | %8zu | %8.3g |", shapes[s].name, n, spent() - start);
            for (int32_t kind = KLDVE_CLASS_TERM_CONTRAST; kind <= KLDVE_CLASS_TERM_NEIGHBOURS;
                 kind++)
                print_ms(cotangent_ms(d, kind, t));
            printf("\n");
            fflush(stdout);
            kldve_divergence_free(d);
            free(k);
            free(t);
        }
}

/* ---- crossover ---- */

/* By what factor AUTO is slower than the better method, over sizes from 100 to 13 000. */
static void run_crossover(void)
{
    static const bool wanted[METHODS] = {false, true, true};
    double worst = 1;

    printf("| scores | n | direct, ms | fast, ms | direct / fast | auto takes | loses |\n"
           "|---|---|---|---|---|---|---|\n");
    for (size_t s = 0; s < SHAPES; s++)
        for (double size = 100; size < 13000; size *= 1.5) {
            kldve_divergence_info info = {.struct_size = sizeof info};
            size_t n = (size_t)size;
            problem p = {n, allocate(n), NULL, allocate(n)};
            double ms[METHODS], taken, loss;

            oracle_scores(shapes[s].kind, shapes[s].scale, n, 17, p.k);
            take_times(&p, wanted, ms);
            measured(&p, &info);
            taken = ms[info.summation];
            loss = taken / fmin(ms[1], ms[2]);
            worst = fmax(worst, loss);
            printf("| %-30s | %6zu | %8.4f | %8.4f | %6.2f | %-6s | %5.2f |\n", shapes[s].name, n,
                   ms[1], ms[2], ms[1] / ms[2],
                   info.summation == KLDVE_SUMMATION_DIRECT ? "direct" : "fast", loss);
            fflush(stdout);
            free(p.k);
            free(p.z);
        }
    printf("\nAt worst, the cost model's choice takes %.2f times as long as the alternative.\n",
           worst);
}

static void choose_kernels(const char *name)
{
    size_t i = 0;

    while ((kernels = kldve_kernels_at(i++)) && strcmp(kernels->name, name) != 0)
        ;
    if (!kernels)
        die(name, "this processor or build does not support it");
}

int main(int argc, char **argv)
{
    static const size_t usual[] = {1000, 10000, 50257, 128256, 1000000}, for_errors = 10000;
    size_t sizes[16], count = 0;

    if (kldve_ctx_new(NULL, &ctx) < 0)
        die("context", "out of memory");
    for (int i = 2; i < argc && count < 16; i++)
        sizes[count++] = strtoul(argv[i], NULL, 10);
    if (count == 0 && argc > 1 && strcmp(argv[1], "errors") == 0)
        sizes[count++] = for_errors;
    if (count == 0) {
        memcpy(sizes, usual, sizeof usual);
        count = sizeof usual / sizeof *usual;
    }
    if (argc > 1 && strcmp(argv[1], "times") == 0)
        run_times(sizes, count);
    else if (argc > 1 && strcmp(argv[1], "errors") == 0)
        run_errors(sizes, count);
    else if (argc > 1 && strcmp(argv[1], "truth") == 0)
        run_truth(sizes, count);
    else if (argc > 1 && strcmp(argv[1], "cotangents") == 0)
        run_cotangents(sizes, count);
    else if (argc > 1 && strcmp(argv[1], "crossover") == 0) {
        if (argc > 2)
            choose_kernels(argv[2]);
        run_crossover();
    } else
        die("usage", "bench-divergence times|errors|truth|cotangents|crossover [N...]");
    kldve_ctx_free(ctx);
    return 0;
}
