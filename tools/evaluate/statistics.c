/* statistics.c - means over pictures with bootstrap confidence intervals. */
#include "statistics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 }; /* samples that are summed at a time, for the caches */

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

/* How often each of a block of samples has a picture: weight[pictures][BLOCK]. */
static void draw_block(uint64_t *state, int32_t pictures, int32_t samples, float *weight)
{
    memset(weight, 0, (size_t)pictures * BLOCK * sizeof *weight);
    for (int32_t b = 0; b < samples; b++)
        for (int32_t p = 0; p < pictures; p++)
            weight[draw(state, pictures) * BLOCK + (size_t)b]++;
}

static void add(picture_sum *total, const picture_sum *one, double weight, int32_t series)
{
    for (int32_t i = 0; i < series; i++) {
        total[i].sum += weight * one[i].sum;
        total[i].count += weight * one[i].count;
    }
}

static double mean_of(const picture_sum *p)
{
    return p->count > 0 ? p->sum / p->count : (double)NAN;
}

/* The sums of a block of samples -> total[BLOCK][series].  Each picture is read once for all of
 * them. */
static void sum_block(const picture_sum *at, int32_t pictures, int32_t series, const float *weight,
                      picture_sum *total)
{
    for (size_t i = 0; i < BLOCK * (size_t)series; i++)
        total[i] = (picture_sum){0, 0};
    for (size_t p = 0; p < (size_t)pictures; p++)
        for (size_t b = 0; b < BLOCK; b++)
            if (weight[p * BLOCK + b] > 0)
                add(total + b * (size_t)series, at + p * (size_t)series,
                    (double)weight[p * BLOCK + b], series);
}

/* Memory of resample(). */
typedef struct room {
    float *weight;      /* [pictures][BLOCK] */
    picture_sum *total; /* [BLOCK][series] */
    double *mean;       /* [series][samples] */
} room;

/* The mean of every sample. */
static void resample(const picture_sum *at, int32_t pictures, int32_t series, const bootstrap *how,
                     room *s)
{
    uint64_t state = how->seed;

    for (int32_t first = 0; first < how->samples; first += BLOCK) {
        int32_t n = how->samples - first < BLOCK ? how->samples - first : BLOCK;

        draw_block(&state, pictures, n, s->weight);
        sum_block(at, pictures, series, s->weight, s->total);
        for (int32_t b = 0; b < n; b++)
            for (int32_t i = 0; i < series; i++)
                s->mean[(size_t)i * (size_t)how->samples + (size_t)(first + b)] =
                    mean_of(&s->total[b * series + i]);
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

        add(&all, one, 1, 1);
        e->pictures += one->count > 0;
    }
    e->mean = mean_of(&all);
    e->questions = (int32_t)all.count;
}

static bool make_room(room *s, int32_t pictures, int32_t series, int32_t count)
{
    size_t n = (size_t)series, most = SIZE_MAX / BLOCK / sizeof *s->total;

    if ((size_t)pictures >= most || n >= most || (n > 0 && (size_t)count >= most / n))
        return false;
    s->weight = malloc(((size_t)pictures * BLOCK + 1) * sizeof *s->weight);
    s->total = malloc((n * BLOCK + 1) * sizeof *s->total);
    s->mean = malloc((n * (size_t)count + 1) * sizeof *s->mean);
    return s->weight && s->total && s->mean;
}

bool statistics_estimate(const picture_sum *at, int32_t pictures, int32_t series,
                         const bootstrap *how, estimate *out)
{
    room s = {NULL, NULL, NULL};
    bool ok = make_room(&s, pictures, series, how->samples);

    assert(how->samples >= 1);
    if (ok) {
        resample(at, pictures, series, how, &s);
        for (int32_t i = 0; i < series; i++) {
            set_mean(at, pictures, series, i, &out[i]);
            set_interval(s.mean + (size_t)i * (size_t)how->samples, (size_t)how->samples,
                         how->level, &out[i]);
        }
    }
    free(s.weight);
    free(s.total);
    free(s.mean);
    return ok;
}

bool statistics_excludes_zero(const estimate *e)
{
    return e->low > 0 || e->high < 0;
}
