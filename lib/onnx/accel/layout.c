/* layout.c - layouts of arrays.  See layout.h. */
#include "accel/onednn.h"

#include <assert.h>
#include <string.h>

/* Take over md. */
static kx_layout *add_layout(kx_accel *a, kx_md md)
{
    kx_layout *l = kldve_ctx_alloc(a->ctx, 1, sizeof *l);

    assert(kx_md_rank(md) > 0);
    if (!l) {
        kx_md_free(a->ctx, md);
        return NULL;
    }
    l->md = md;
    l->next = a->layouts;
    a->layouts = l;
    return l;
}

void kx_layouts_free(kx_accel *a)
{
    while (a->layouts) {
        kx_layout *l = a->layouts;

        a->layouts = l->next;
        kx_md_free(a->ctx, l->md);
        kldve_ctx_release(a->ctx, l);
    }
}

/* ---- made here and for the other files of this folder ---- */

kx_layout *kx_layout_strided(kx_accel *a, int rank, const int64_t *dim, const int64_t *strides)
{
    dnnl_dims_t dims = {0}, step = {0};
    kx_md md;

    assert(rank > 0 && rank <= KX_MAX_RANK);
    for (int i = 0; i < rank; i++) {
        dims[i] = dim[i];
        step[i] = strides ? strides[i] : 0;
    }
    return kx_md_strided(a->ctx, rank, dims, strides ? step : NULL, &md) == dnnl_success
               ? add_layout(a, md)
               : NULL;
}

kx_layout *kx_layout_any(kx_accel *a, int rank, const int64_t *dim)
{
    return kx_layout_strided(a, rank, dim, NULL);
}

kx_layout *kx_layout_rows(kx_accel *a, int rank, const int64_t *dim)
{
    int64_t strides[KX_MAX_RANK], step = 1;

    assert(rank > 0 && rank <= KX_MAX_RANK);
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= dim[i];
    }
    return kx_layout_strided(a, rank, dim, strides);
}

kx_layout *kx_layout_tagged(kx_accel *a, int rank, const int64_t *dim, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims = {0};
    kx_md md;

    assert(rank > 0 && rank <= KX_MAX_RANK);
    for (int i = 0; i < rank; i++)
        dims[i] = dim[i];
    return kx_md_tagged(a->ctx, rank, dims, tag, &md) == dnnl_success ? add_layout(a, md) : NULL;
}

kx_layout *kx_layout_copy(kx_accel *a, kx_md md)
{
    kx_md copy;

    return kx_md_copy(a->ctx, md, &copy) == dnnl_success ? add_layout(a, copy) : NULL;
}

/* ---- for the planner ---- */

const kx_layout *kx_layout_plain(kx_accel *a, const kx_shape *shape)
{
    static const int64_t one = 1;

    return shape->rank ? kx_layout_rows(a, shape->rank, shape->dim) : kx_layout_rows(a, 1, &one);
}

const kx_layout *kx_layout_channels_last(kx_accel *a, const kx_shape *shape)
{
    assert(shape->rank == 4);
    return kx_layout_tagged(a, 4, shape->dim, dnnl_acdb);
}

const kx_layout *kx_layout_blocks(kx_accel *a, const kx_shape *shape)
{
    assert(shape->rank == 4 && shape->dim[1] % 8 == 0);
    return kx_layout_tagged(a, 4, shape->dim, dnnl_aBcd8b);
}

bool kx_layout_equal(const kx_layout *x, const kx_layout *y)
{
    return x == y || dnnl_memory_desc_equal(x->md, y->md);
}

size_t kx_layout_bytes(const kx_layout *x)
{
    return dnnl_memory_desc_get_size(x->md);
}

kldve_status kx_layout_slice(kx_accel *a, const kx_layout *whole, int32_t axis, int64_t from,
                             int64_t n, const kx_layout **out)
{
    dnnl_dims_t dims = {0}, offset = {0};
    int rank = kx_md_rank(whole->md);
    dnnl_status_t st;
    kx_md md;

    assert(axis >= 0 && axis < rank);
    memcpy(dims, *kx_md_dims(whole->md), (size_t)rank * sizeof dims[0]);
    assert(from >= 0 && n >= 0 && from + n <= dims[axis]);
    dims[axis] = n;
    offset[axis] = from;
    st = kx_md_part(a->ctx, whole->md, dims, offset, &md);
    if (st == dnnl_out_of_memory)
        return KLDVE_E_NOMEM;
    if (st != dnnl_success) {
        *out = NULL;
        return KLDVE_OK;
    }
    *out = add_layout(a, md);
    return *out ? KLDVE_OK : KLDVE_E_NOMEM;
}

const kx_layout *kx_layout_permuted(kx_accel *a, const kx_layout *from, const int32_t *perm)
{
    int rank = kx_md_rank(from->md), to[KX_MAX_RANK];
    kx_md md;

    assert(rank <= KX_MAX_RANK);
    for (int i = 0; i < rank; i++)
        to[perm[i]] = i; /* oneDNN asks where each axis goes */
    return kx_md_permuted(a->ctx, from->md, to, &md) == dnnl_success ? add_layout(a, md) : NULL;
}

/* Do the parts lie whole, one behind another, in tagged blocks of channels?  Then *dim is what they
 * make together. */
static kldve_status joins(kx_accel *a, int32_t n, const kx_layout *const *part,
                          dnnl_format_tag_t tag, int64_t block, int64_t dim[4], bool *out)
{
    *out = false;
    dim[0] = 1;
    dim[1] = 0;
    for (int32_t i = 0; i < n; i++) {
        const dnnl_dims_t *d = kx_md_rank(part[i]->md) == 4 ? kx_md_dims(part[i]->md) : NULL;
        const kx_layout *same;

        if (!d || (*d)[0] != 1 || (*d)[1] % block != 0)
            return KLDVE_OK;
        if (!(same = kx_layout_tagged(a, 4, *d, tag)))
            return KLDVE_E_NOMEM;
        if (!kx_layout_equal(same, part[i]))
            return KLDVE_OK;
        dim[1] += (*d)[1];
        dim[2] = (*d)[2];
        dim[3] = (*d)[3];
    }
    *out = true;
    return KLDVE_OK;
}

/* Of one picture: the channels are then what varies slowest in all of these. */
kldve_status kx_layout_join(kx_accel *a, int32_t n, const kx_layout *const *part, int32_t axis,
                            const kx_layout **out)
{
    static const struct {
        dnnl_format_tag_t tag;
        int64_t block;
    } tags[] = {{dnnl_abcd, 1}, {dnnl_aBcd16b, 16}, {dnnl_aBcd8b, 8}};

    assert(n > 0);
    for (size_t t = 0; axis == 1 && t < sizeof tags / sizeof tags[0]; t++) {
        int64_t dim[4];
        bool joined;
        kldve_status st = joins(a, n, part, tags[t].tag, tags[t].block, dim, &joined);

        if (st < 0)
            return st;
        if (joined) {
            *out = kx_layout_tagged(a, 4, dim, tags[t].tag);
            return *out ? KLDVE_OK : KLDVE_E_NOMEM;
        }
    }
    *out = NULL;
    return KLDVE_OK;
}
