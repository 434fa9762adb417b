/* kernels_truth.c - rows of the truth's affinities: their entropy and the forces they exert.
 *
 *     e_j = |y - y_j|^2 - nearest^2,  written (|y - y_j| - nearest) (|y - y_j| + nearest)
 *     p_j = scale exp(-beta e_j) */
#include "isa.h"

#include <assert.h>

#include "pack.h"

INLINE pack excess(pack y, double at, pack nearest)
{
    pack dist = absolute(sub(y, fill(at)));

    return mul(sub(dist, nearest), add(dist, nearest));
}

void KERNEL(gauss)(const double *y, const double *count, size_t first, size_t last,
                   const kldve_row *row, double sums[3])
{
    pack s0 = fill(0), s1 = fill(0), s2 = fill(0), nearest = fill(row->nearest);

    assert(first <= last && row->beta >= 0 && row->nearest >= 0);
    for (size_t j = first; j < last; j += PACK) {
        size_t rest = last - j;
        pack values = rest >= PACK ? load(y + j) : load_part(y + j, rest, y[j]);
        pack counts = rest >= PACK ? load(count + j) : load_part(count + j, rest, 0);
        pack x = mul(fill(row->beta), excess(values, row->y, nearest));
        pack t = mul(counts, exp_pack(sub(fill(0), x))), tx = mul(t, x);

        s0 = add(s0, t);
        s1 = add(s1, tx);
        s2 = add(s2, mul(tx, x));
    }
    sums[0] += total(s0);
    sums[1] += total(s1);
    sums[2] += total(s2);
}

/* p_j, and p_ji if wanted. */
INLINE pack forward(const kldve_row *row, pack y)
{
    pack e = excess(y, row->y, fill(row->nearest));

    return mul(fill(row->scale), exp_pack(mul(fill(-row->beta), e)));
}

INLINE pack backward(const kldve_pull *set, const kldve_row *row, size_t j, pack y)
{
    pack x = mul(load(set->beta + j), excess(y, row->y, load(set->nearest + j)));

    return mul(load(set->scale + j), exp_pack(sub(fill(0), x)));
}

void KERNEL(joint)(const kldve_pull *set, const kldve_row *row, size_t n, double *out)
{
    for (size_t j = 0; j < n; j += PACK) {
        pack y = load(set->y + j), p = add(forward(row, y), backward(set, row, j, y));

        if (n - j < PACK)
            store_part(out + j, n - j, p);
        else
            store(out + j, p);
    }
}

INLINE double pull_loop(const kldve_pull *set, const kldve_row *row, size_t first, size_t last,
                        double *joint)
{
    pack sum = fill(0), parts = fill(0);

    assert(first <= last);
    for (size_t j = first; j < last; j += PACK) {
        pack y = load(set->y + j), d = sub(fill(row->k), load(set->k + j));
        pack far = add(fill(1), mul(d, d)), p = forward(row, y), f;

        if (last - j < PACK)
            p = keep(first_lanes(last - j), p);
        f = over(mul(p, d), far);
        sum = add(sum, f);
        store(set->force + j, sub(load(set->force + j), f));
        if (joint) {
            pack both = add(p, backward(set, row, j, y));

            parts = add(parts, mul(p, add(log_pack(both), log_pack(far))));
        }
    }
    if (joint)
        *joint += total(parts);
    return total(sum);
}

double KERNEL(pull)(const kldve_pull *set, const kldve_row *row, size_t first, size_t last,
                    double *joint)
{
    return joint ? pull_loop(set, row, first, last, joint) : pull_loop(set, row, first, last, NULL);
}
