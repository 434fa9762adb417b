/* kernels_pairs.c - sums over all pairs, and over the pairs of two weighted sets.
 *
 * Division dominates the cost of a pair, so two pairs share one: 1/x and 1/y are y/(x y) and
 * x/(x y).  Each pair is visited once and serves both of its points (w is even, w d is odd in d).
 */
#include "isa.h"

#include <assert.h>
#include <math.h>

#include "pack.h"

/* Two rows against one pack: e = w d, v = w (narrow: w d^2), g = e v. */
typedef struct two_rows {
    pack e0, e1, v0, v1, g0, g1;
} two_rows;

INLINE two_rows kernel(pack row0, pack row1, pack x, bool narrow)
{
    two_rows r;
    pack d0 = sub(row0, x), d1 = sub(row1, x);
    pack y0 = add(fill(1), mul(d0, d0)), y1 = add(fill(1), mul(d1, d1));
    pack inverse = over(fill(1), mul(y0, y1));
    pack w0 = mul(inverse, y1), w1 = mul(inverse, y0);

    r.e0 = mul(w0, d0);
    r.e1 = mul(w1, d1);
    r.v0 = narrow ? mul(r.e0, d0) : w0;
    r.v1 = narrow ? mul(r.e1, d1) : w1;
    r.g0 = mul(r.e0, r.v0);
    r.g1 = mul(r.e1, r.v1);
    return r;
}

/* The points, and the sums that each of them has so far. */
typedef struct columns {
    const double *k;
    double *s1, *s2;
} columns;

typedef struct row_sums {
    pack s10, s11, s20, s21; /* S1 of rows 0 and 1, S2 of rows 0 and 1 */
} row_sums;

/* Rows i and i + 1, and their sums so far. */
typedef struct row_pair {
    pack k0, k1; /* their points, in every lane */
    row_sums s;
    pack sum; /* of w, or of w d^2 */
} row_pair;

/* The rows against the pack at j, of which the lanes in `mask` count; both sides are served. */
INLINE void tile(const columns *c, size_t j, const ipack *mask, bool narrow, row_pair *a)
{
    two_rows r = kernel(a->k0, a->k1, load(c->k + j), narrow);

    if (mask) {
        r.e0 = keep(*mask, r.e0);
        r.e1 = keep(*mask, r.e1);
        r.v0 = keep(*mask, r.v0);
        r.v1 = keep(*mask, r.v1);
        r.g0 = keep(*mask, r.g0);
        r.g1 = keep(*mask, r.g1);
    }
    a->s.s10 = add(a->s.s10, r.e0);
    a->s.s11 = add(a->s.s11, r.e1);
    a->s.s20 = add(a->s.s20, r.g0);
    a->s.s21 = add(a->s.s21, r.g1);
    a->sum = add(a->sum, add(r.v0, r.v1));
    store(c->s1 + j, sub(load(c->s1 + j), add(r.e0, r.e1)));
    store(c->s2 + j, sub(load(c->s2 + j), add(r.g0, r.g1)));
}

/* Rows i and i + 1 against their own pack, where each pair occurs twice: serves only the rows.
 * Starts the sums of the rows; *own collects what the pack adds to the sum over all pairs. */
INLINE void own_tile(const double *k, size_t n, size_t i, bool narrow, row_pair *a, pack *own)
{
    size_t from = i - i % PACK, count = n - from < PACK ? n - from : PACK;
    two_rows r = kernel(a->k0, a->k1, load(k + from), narrow);
    ipack valid = first_lanes(count), only0 = iand(valid, not_lane(i - from));
    ipack only1 = i + 1 < n ? iand(valid, not_lane(i + 1 - from)) : ifill(0);

    a->s.s10 = keep(only0, r.e0);
    a->s.s11 = keep(only1, r.e1);
    a->s.s20 = keep(only0, r.g0);
    a->s.s21 = keep(only1, r.g1);
    *own = add(*own, add(keep(only0, r.v0), keep(only1, r.v1)));
}

INLINE double pairs_loop(const double *k, size_t n, bool narrow, double *s1, double *s2)
{
    const columns c = {k, s1, s2};
    size_t full = n - n % PACK;
    ipack last = first_lanes(n - full);
    pack own = fill(0), others = fill(0);

    memset(s1, 0, (full < n ? full + PACK : full) * sizeof *s1);
    memset(s2, 0, (full < n ? full + PACK : full) * sizeof *s2);
    for (size_t i = 0; i < n; i += 2) {
        size_t j = i - i % PACK + PACK;
        row_pair a = {.k0 = fill(k[i]), .k1 = fill(k[i + 1]), .sum = fill(0)};

        own_tile(k, n, i, narrow, &a, &own);
        for (; j < full; j += PACK)
            tile(&c, j, NULL, narrow, &a);
        if (j < n)
            tile(&c, j, &last, narrow, &a);
        others = add(others, a.sum); /* per row: shorter sums round less */
        s1[i] += total(a.s.s10);
        s1[i + 1] += total(a.s.s11);
        s2[i] += total(a.s.s20);
        s2[i + 1] += total(a.s.s21);
    }
    return total(own) + 2 * total(others);
}

double KERNEL(pairs)(const double *k, size_t n, bool narrow, double *s1, double *s2)
{
    assert(n > 0 && s1 != s2 && s1 != k && s2 != k);
    return narrow ? pairs_loop(k, n, true, s1, s2) : pairs_loop(k, n, false, s1, s2);
}

/* The logarithm of a long product: multiplies mantissas, adds exponents, and takes one logarithm at
 * the end. */
typedef struct long_product {
    pack mantissa; /* in [1, 2) after settle() */
    ipack exponent;
} long_product;

INLINE void settle(long_product *p)
{
    ipack b = bits(p->mantissa);

    p->exponent = iadd(p->exponent, isub(right(b, 52), ifill(1023)));
    p->mantissa = from_bits(ior(iand(b, ifill(0xFFFFFFFFFFFFF)), bits(fill(1))));
}

INLINE double log_of(const long_product *p)
{
    double mantissa[PACK], exponent = 0, product = 1;

    store(mantissa, p->mantissa);
    EACH_PART
    for (int l = 0; l < LANES; l++)
        exponent += (double)(int64_t)p->exponent.v[h][l];
    for (int l = 0; l < PACK; l++)
        product *= mantissa[l];
    return exponent * 0.69314718055994531 + log(product);
}

/* How many factors between 1 and 1 + range^2 fit into the exponent of a double. */
INLINE size_t factors_in(double range)
{
    return (size_t)(1000 / (log2(1 + range * range) + 1e-3));
}

/* Multiply by 1 + (row - x_j)^2 for j in [from, to). */
INLINE void multiply(long_product *p, pack row, const double *x, size_t from, size_t to,
                     size_t most, size_t *run)
{
    assert((to - from) % PACK == 0 && most > 0 && *run <= most);
    while (from < to) {
        size_t packs = (to - from) / PACK, here = packs < most - *run ? packs : most - *run;

        for (size_t i = 0; i < here; i++, from += PACK) {
            pack d = sub(row, load(x + from));

            p->mantissa = mul(p->mantissa, add(fill(1), mul(d, d)));
        }
        *run += here;
        if (*run == most) {
            settle(p);
            *run = 0;
        }
    }
}

INLINE void multiply_masked(long_product *p, pack row, pack x, ipack mask)
{
    pack d = keep(mask, sub(row, x));

    settle(p);
    p->mantissa = mul(p->mantissa, add(fill(1), mul(d, d)));
}

double KERNEL(pairs_log)(const double *k, size_t n, double range)
{
    size_t full = n - n % PACK, most = factors_in(range) - 1, run = 0;
    long_product p = {fill(1), ifill(0)};

    for (size_t i = 0; i < n; i++) {
        pack row = fill(k[i]);
        size_t own = i - i % PACK;
        /* Lanes after i in its own pack: each pair once. */
        ipack behind = below(fill((double)(i - own)), lane_numbers());

        multiply_masked(&p, row, load(k + own), iand(behind, first_lanes(n - own)));
        run = 1;
        multiply(&p, row, k, own + PACK, full, most, &run);
        if (own < full && full < n)
            multiply_masked(&p, row, load(k + full), first_lanes(n - full));
    }
    settle(&p);
    return 2 * log_of(&p);
}

double KERNEL(row_log)(const double *x, size_t n, double at, double range)
{
    size_t full = n - n % PACK, run = 0;
    long_product p = {fill(1), ifill(0)};

    multiply(&p, fill(at), x, 0, full, factors_in(range) - 1, &run);
    if (full < n)
        multiply_masked(&p, fill(at), load_part(x + full, n - full, at), first_lanes(n - full));
    settle(&p);
    return log_of(&p);
}

double KERNEL(meet)(const kldve_slot *a, const kldve_slot *b, double shift)
{
    pack sum = fill(0);

    assert(a->rows <= a->packs * PACK && a->s1 != b->s1);
    for (size_t i = 0; i < a->rows; i += 2) {
        pack row0 = fill(a->x[i] + shift), row1 = fill(a->x[i + 1] + shift);
        pack q0 = fill(a->q[i]), q1 = fill(a->q[i + 1]);
        row_sums s = {fill(0), fill(0), fill(0), fill(0)};

        for (size_t j = 0; j < b->packs * PACK; j += PACK) {
            pack q = load(b->q + j);
            two_rows r = kernel(row0, row1, load(b->x + j), false);

            s.s10 = add(s.s10, mul(q, r.e0));
            s.s11 = add(s.s11, mul(q, r.e1));
            s.s20 = add(s.s20, mul(q, r.g0));
            s.s21 = add(s.s21, mul(q, r.g1));
            sum = add(sum, mul(q, add(mul(q0, r.v0), mul(q1, r.v1))));
            store(b->s1 + j, sub(load(b->s1 + j), add(mul(q0, r.e0), mul(q1, r.e1))));
            store(b->s2 + j, sub(load(b->s2 + j), add(mul(q0, r.g0), mul(q1, r.g1))));
        }
        a->s1[i] += total(s.s10);
        a->s1[i + 1] += total(s.s11);
        a->s2[i] += total(s.s20);
        a->s2[i + 1] += total(s.s21);
    }
    return total(sum);
}

INLINE double meet_self_loop(const kldve_slot *a, bool apart, bool narrow)
{
    pack sum = fill(0);

    assert(a->rows <= a->packs * PACK);
    for (size_t i = 0; i < a->rows; i += 2) {
        pack row0 = fill(a->x[i]), row1 = fill(a->x[i + 1]);
        row_sums s = {fill(0), fill(0), fill(0), fill(0)};

        for (size_t j = 0; j < a->packs * PACK; j += PACK) {
            pack q0 = load(a->q + j), q1 = q0;
            two_rows r = kernel(row0, row1, load(a->x + j), narrow);

            if (apart && j == i - i % PACK) {
                q0 = keep(not_lane(i - j), q0);
                q1 = keep(not_lane(i + 1 - j), q1);
            }
            s.s10 = add(s.s10, mul(q0, r.e0));
            s.s11 = add(s.s11, mul(q1, r.e1));
            s.s20 = add(s.s20, mul(q0, r.g0));
            s.s21 = add(s.s21, mul(q1, r.g1));
            sum = add(
                sum, add(mul(fill(a->q[i]), mul(q0, r.v0)), mul(fill(a->q[i + 1]), mul(q1, r.v1))));
        }
        a->s1[i] += total(s.s10);
        a->s1[i + 1] += total(s.s11);
        a->s2[i] += total(s.s20);
        a->s2[i + 1] += total(s.s21);
    }
    return total(sum);
}

double KERNEL(meet_self)(const kldve_slot *a, bool apart, bool narrow)
{
    return narrow ? meet_self_loop(a, apart, true) : meet_self_loop(a, apart, false);
}

double KERNEL(meet_log)(const kldve_slot *a, const kldve_slot *b, double shift)
{
    pack sum = fill(0);

    for (size_t i = 0; i < a->rows; i++) {
        pack row = fill(a->x[i] + shift), q = fill(a->q[i]), second = fill(a->log[i]);

        for (size_t j = 0; j < b->packs * PACK; j += PACK) {
            pack d = sub(row, load(b->x + j));
            pack weight = add(mul(q, load(b->log + j)), mul(second, load(b->q + j)));

            sum = add(sum, mul(weight, log_pack(add(fill(1), mul(d, d)))));
        }
    }
    return total(sum);
}
