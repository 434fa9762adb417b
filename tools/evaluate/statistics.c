/* statistics.c - means over pictures with bootstrap confidence intervals. */
#include "statistics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* splitmix64: the state is a counter, the number a mixture of its bits (Steele, Lea and Flood,
 * Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A number from 0 to count - 1. */
static size_t draw(uint64_t *state, int32_t count)
{
    return (size_t)((next_random(state) >> 32) * (uint64_t)(uint32_t)count >> 32);
}

static void add(picture_sum *total, const picture_sum *one, int32_t series)
{
    for (int32_t i = 0; i < series; i++) {
        total[i].sum += one[i].sum;
        total[i].count += one[i].count;
    }
}

static double mean_of(const picture_sum *p)
{
    return p->count > 0 ? p->sum / p->count : (double)NAN;
}

/* The mean of every sample -> mean[series][samples]. */
static void resample(const picture_sum *at, int32_t pictures, int32_t series, const bootstrap *how,
                     picture_sum *total, double *mean)
{
    uint64_t state = how->seed;

    for (int32_t b = 0; b < how->samples; b++) {
        for (int32_t i = 0; i < series; i++)
            total[i] = (picture_sum){0, 0};
        for (int32_t p = 0; p < pictures; p++)
            add(total, at + draw(&state, pictures) * (size_t)series, series);
        for (int32_t i = 0; i < series; i++)
            mean[(size_t)i * (size_t)how->samples + (size_t)b] = mean_of(&total[i]);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Drop what is not a number: samples that only drew pictures without one. */
static size_t keep_numbers(double *value, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (!isnan(value[i]))
            value[kept++] = value[i];
    return kept;
}

/* The value below which a part of sorted values lies. */
static double percentile(const double *sorted, size_t count, double part)
{
    double at = part * (double)(count - 1), below = floor(at);
    size_t i = (size_t)below;

    if (i + 1 >= count)
        return sorted[count - 1];
    return sorted[i] + (at - below) * (sorted[i + 1] - sorted[i]);
}

static void set_interval(double *mean, size_t samples, double level, estimate *e)
{
    size_t n = keep_numbers(mean, samples);

    e->low = e->high = (double)NAN;
    if (e->pictures < 2 || n == 0)
        return;
    qsort(mean, n, sizeof *mean, ascending);
    e->low = percentile(mean, n, (1 - level) / 2);
    e->high = percentile(mean, n, (1 + level) / 2);
}

/* The mean itself, and how much it rests on. */
static void set_mean(const picture_sum *at, int32_t pictures, int32_t series, int32_t i,
                     estimate *e)
{
    picture_sum all = {0, 0};

    e->pictures = 0;
    for (int32_t p = 0; p < pictures; p++) {
        const picture_sum *one = &at[(size_t)p * (size_t)series + (size_t)i];

        add(&all, one, 1);
        e->pictures += one->count > 0;
    }
    e->mean = mean_of(&all);
    e->questions = (int32_t)all.count;
}

bool statistics_estimate(const picture_sum *at, int32_t pictures, int32_t series,
                         const bootstrap *how, estimate *out)
{
    size_t samples = (size_t)how->samples, n = (size_t)series;
    picture_sum *total = malloc((n + 1) * sizeof *total);
    double *mean = n < SIZE_MAX / sizeof *mean / (samples + 1)
                       ? malloc((n * samples + 1) * sizeof *mean)
                       : NULL;
    bool ok = total && mean;

    assert(how->samples >= 1);
    if (ok) {
        resample(at, pictures, series, how, total, mean);
        for (int32_t i = 0; i < series; i++) {
            set_mean(at, pictures, series, i, &out[i]);
            set_interval(mean + (size_t)i * samples, samples, how->level, &out[i]);
        }
    }
    free(total);
    free(mean);
    return ok;
}

bool statistics_excludes_zero(const estimate *e)
{
    return e->low > 0 || e->high < 0;
}
