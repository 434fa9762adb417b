/* kernels_arrays.c - passes over one array: its extent, its Chebyshev moments and series, the class
 * terms of the gradient, exponential weights. */
#include "isa.h"

#include <assert.h>
#include <math.h>

#include "pack.h"

INLINE double least_of(pack a)
{
    double lanes[PACK];

    store(lanes, a);
    for (int l = 1; l < PACK; l++)
        lanes[0] = lanes[l] < lanes[0] ? lanes[l] : lanes[0];
    return lanes[0];
}

INLINE double most_of(pack a)
{
    return -least_of(sub(fill(0), a));
}

bool KERNEL(extent)(const double *x, size_t n, double *low, double *high)
{
    pack least = fill(x[0]), most = least, invalid = fill(0);
    size_t i = 0;

    assert(n > 0);
    for (; i + PACK <= n; i += PACK) {
        pack v = load(x + i);

        least = smaller(v, least);
        most = larger(v, most);
        invalid = add(invalid, mul(v, fill(0))); /* NaN and infinity give NaN */
    }
    if (i < n) {
        pack v = load_part(x + i, n - i, x[i]);

        least = smaller(v, least);
        most = larger(v, most);
        invalid = add(invalid, mul(v, fill(0)));
    }
    *low = least_of(least);
    *high = most_of(most);
    return total(invalid) == 0;
}

/* T_0 q = q, T_1 q = t q, T_(c+1) q = 2 t T_c q - T_(c-1) q; four packs side by side hide the
 * latency of the recurrence. */
enum { SIDE = 4 };

INLINE void moments_of(const pack *t, const pack *q, int side, size_t order, pack *m)
{
    pack before[SIDE], now[SIDE], twice[SIDE], sum;

    for (int s = 0; s < side; s++) {
        before[s] = q[s];
        now[s] = mul(q[s], t[s]);
        twice[s] = add(t[s], t[s]);
        m[0] = add(m[0], before[s]);
    }
    for (size_t c = 1; c < order; c++) {
        sum = now[0];
        for (int s = 1; s < side; s++)
            sum = add(sum, now[s]);
        m[c] = add(m[c], sum);
        for (int s = 0; s < side; s++) {
            pack next = sub(mul(twice[s], now[s]), before[s]);

            before[s] = now[s];
            now[s] = next;
        }
    }
}

void KERNEL(moments)(const double *x, const double *q, size_t n, double center, double scale,
                     size_t order, double *m)
{
    pack sums[KLDVE_MOST_NODES], t[SIDE], w[SIDE];
    size_t i = 0;

    assert(order > 0 && order <= KLDVE_MOST_NODES);
    for (size_t c = 0; c < order; c++)
        sums[c] = fill(0);
    for (; i + SIDE * PACK <= n; i += SIDE * PACK) {
        for (size_t s = 0; s < SIDE; s++) {
            t[s] = mul(sub(load(x + i + s * PACK), fill(center)), fill(scale));
            w[s] = q ? load(q + i + s * PACK) : fill(1);
        }
        moments_of(t, w, SIDE, order, sums);
    }
    for (; i < n; i += PACK) {
        size_t count = n - i < PACK ? n - i : PACK;

        t[0] = mul(sub(load_part(x + i, count, center), fill(center)), fill(scale));
        w[0] = q ? load_part(q + i, count, 0) : keep(first_lanes(count), fill(1));
        moments_of(t, w, 1, order, sums);
    }
    for (size_t c = 0; c < order; c++)
        m[c] += total(sums[c]);
}

void KERNEL(combine)(const double *matrix, size_t order, const double *in, double *out)
{
    assert(order % PACK == 0 && in != out);
    for (size_t c = 0; c < order; c += PACK) {
        pack sum = fill(0);

        for (size_t r = 0; r < order; r++)
            sum = add(sum, mul(fill(in[r]), load(matrix + r * order + c)));
        store(out + c, sum);
    }
}

INLINE void series_at(const pack *t, int side, size_t order, const double *c1, const double *c2,
                      pack *s1, pack *s2)
{
    pack before[SIDE], now[SIDE], twice[SIDE];

    for (int s = 0; s < side; s++) {
        before[s] = fill(1);
        now[s] = t[s];
        twice[s] = add(t[s], t[s]);
        s1[s] = fill(c1[0]);
        s2[s] = fill(c2[0]);
    }
    for (size_t c = 1; c < order; c++)
        for (int s = 0; s < side; s++) {
            pack next = sub(mul(twice[s], now[s]), before[s]);

            s1[s] = add(s1[s], mul(now[s], fill(c1[c])));
            s2[s] = add(s2[s], mul(now[s], fill(c2[c])));
            before[s] = now[s];
            now[s] = next;
        }
}

void KERNEL(evaluate)(const double *x, size_t n, double center, double scale, size_t order,
                      const double *c1, const double *c2, double *s1, double *s2)
{
    pack t[SIDE], r1[SIDE], r2[SIDE];
    size_t i = 0;

    for (; i + SIDE * PACK <= n; i += SIDE * PACK) {
        for (size_t s = 0; s < SIDE; s++)
            t[s] = mul(sub(load(x + i + s * PACK), fill(center)), fill(scale));
        series_at(t, SIDE, order, c1, c2, r1, r2);
        for (size_t s = 0; s < SIDE; s++) {
            double *at1 = s1 + i + s * PACK, *at2 = s2 + i + s * PACK;

            store(at1, add(load(at1), r1[s]));
            store(at2, add(load(at2), r2[s]));
        }
    }
    for (; i < n; i += PACK) {
        size_t count = n - i < PACK ? n - i : PACK;

        t[0] = mul(sub(load_part(x + i, count, center), fill(center)), fill(scale));
        series_at(t, 1, order, c1, c2, r1, r2);
        store_part(s1 + i, count, add(load_part(s1 + i, count, 0), r1[0]));
        store_part(s2 + i, count, add(load_part(s2 + i, count, 0), r2[0]));
    }
}

void KERNEL(peaks)(const double *s1, const double *s2, size_t n, double of_s1, double of_s2,
                   double out[3])
{
    pack most1 = fill(0), most2 = fill(0), most = fill(0);

    for (size_t i = 0; i < n; i += PACK) {
        size_t count = n - i < PACK ? n - i : PACK;
        pack a = count < PACK ? load_part(s1 + i, count, 0) : load(s1 + i);
        pack b = count < PACK ? load_part(s2 + i, count, 0) : load(s2 + i);

        most1 = larger(absolute(a), most1);
        most2 = larger(absolute(b), most2);
        most = larger(absolute(add(mul(fill(of_s1), a), mul(fill(of_s2), b))), most);
    }
    out[0] = most_of(most1);
    out[1] = most_of(most2);
    out[2] = most_of(most);
}

double KERNEL(gradient)(const double *k, size_t n, double center, const double *s1,
                        const double *s2, double of_s1, double of_s2, double step, double *z)
{
    pack sum = fill(0);

    assert((s1 == NULL) == (s2 == NULL));
    for (size_t i = 0; i < n; i += PACK) {
        size_t count = n - i < PACK ? n - i : PACK;
        pack d = sub(count < PACK ? load_part(k + i, count, center) : load(k + i), fill(center));
        pack wd = over(d, add(fill(1), mul(d, d))), value = mul(fill(step), wd);

        sum = add(sum, wd);
        if (s1) {
            pack a = count < PACK ? load_part(s1 + i, count, 0) : load(s1 + i);
            pack b = count < PACK ? load_part(s2 + i, count, 0) : load(s2 + i);

            value = add(add(mul(fill(of_s1), a), mul(fill(of_s2), b)), value);
        }
        if (count < PACK)
            store_part(z + i, count, value);
        else
            store(z + i, value);
    }
    return total(sum);
}

void KERNEL(forces)(const double *k, size_t n, double center, bool squared, double *t,
                    double sums[2])
{
    pack sum = fill(0), squares = fill(0);

    for (size_t i = 0; i < n; i += PACK) {
        size_t count = n - i < PACK ? n - i : PACK;
        pack d = sub(count < PACK ? load_part(k + i, count, center) : load(k + i), fill(center));
        pack w = over(fill(1), add(fill(1), mul(d, d)));
        pack value = mul(w, sub(fill(0), absolute(d)));

        if (squared)
            value = mul(value, w);
        sum = add(sum, value);
        squares = add(squares, mul(value, value));
        if (count < PACK)
            store_part(t + i, count, value);
        else
            store(t + i, value);
    }
    sums[0] = total(sum);
    sums[1] = total(squares);
}

void KERNEL(decay)(const double *e, size_t n, double beta, double sums[3])
{
    pack s0 = fill(0), s1 = fill(0), s2 = fill(0);

    assert(beta >= 0);
    for (size_t i = 0; i < n; i += PACK) {
        size_t count = n - i < PACK ? n - i : PACK;
        pack far = count < PACK ? load_part(e + i, count, 0) : load(e + i);
        pack x = smaller(mul(fill(beta), far), fill(700));
        pack t = exp_pack(sub(fill(0), x)), tx;

        if (count < PACK)
            t = keep(first_lanes(count), t);
        tx = mul(t, x);
        s0 = add(s0, t);
        s1 = add(s1, tx);
        s2 = add(s2, mul(tx, x));
    }
    sums[0] = total(s0);
    sums[1] = total(s1);
    sums[2] = total(s2);
}

double KERNEL(shares)(double *e, size_t n, double beta, double scale)
{
    pack squares = fill(0), none = fill(0);

    for (size_t i = 0; i < n; i += PACK) {
        size_t count = n - i < PACK ? n - i : PACK;
        pack far = count < PACK ? load_part(e + i, count, 1) : load(e + i);
        pack x = pick(below(none, far), mul(fill(beta), far), none); /* infinity times 0 is 0 */
        pack value = mul(fill(scale), exp_pack(sub(none, x)));

        if (count < PACK) {
            value = keep(first_lanes(count), value);
            store_part(e + i, count, value);
        } else {
            store(e + i, value);
        }
        squares = add(squares, mul(value, value));
    }
    return total(squares);
}
