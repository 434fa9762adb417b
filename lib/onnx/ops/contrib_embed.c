/* contrib_embed.c - what stands at the beginning of a language model in ONNX Runtime's files
 * (domain com.microsoft): EmbedLayerNormalization, QEmbedLayerNormalization.
 *
 *     y = layer normalisation of word[id] + position[p] + segment[s] */
#include "basic.h"
#include "emit.h"
#include "families.h"
#include "quantise.h"

static const char ours[] = "com.microsoft";

typedef struct embedding {
    kx_value *ids, *segments, *positions; /* [batch][tokens]; the last two may be NULL */
    kx_value *word, *position, *segment;  /* [entries][size]; segment may be NULL */
    kx_value *gamma, *beta;
} embedding;

static kldve_status check_table(kx_expander *e, const kx_value *v, const char *what)
{
    if (!v || v->shape.rank != 2)
        return kx_invalid(e->g, e->n, "the table of %s must be a matrix", what);
    return KLDVE_OK;
}

static kldve_status put(kx_expander *e, const embedding *m)
{
    kx_attr attr[2] = {kx_attr_of_int("axis", -1), {0}};
    kx_value *sum;
    int64_t tokens;
    kldve_status st;

    if (m->ids->shape.rank != 2 || m->ids->dtype != KX_I64)
        return kx_invalid(e->g, e->n, "input 0 must be integers [batch][tokens]");
    if ((st = check_table(e, m->word, "words")) < 0 ||
        (st = check_table(e, m->position, "positions")) < 0 ||
        (m->segments && (st = check_table(e, m->segment, "segments")) < 0))
        return st;
    tokens = m->ids->shape.dim[1];
    if (!m->positions && m->position->shape.dim[0] < tokens)
        return kx_invalid(e->g, e->n, "%lld positions for %lld tokens",
                          (long long)m->position->shape.dim[0], (long long)tokens);
    sum = kx_emit2(e, "Gather", m->word, m->ids);
    sum = kx_emit2(e, "Add", sum,
                   m->positions ? kx_emit2(e, "Gather", m->position, m->positions)
                                : kx_emit_slice(e, m->position, 0, 0, tokens));
    if (m->segments)
        sum = kx_emit2(e, "Add", sum, kx_emit2(e, "Gather", m->segment, m->segments));
    attr[1] = kx_attr_of_float("epsilon", kx_attr_float(e->n, "epsilon", 1e-12f));
    e->out[0] =
        kx_emit(e, "LayerNormalization", (kx_value *[]){sum, m->gamma, m->beta}, 3, attr, 2);
    e->out[2] = sum;
    return e->status;
}

/* Numbers of tokens in use: what a mask of 0 and 1 counts. */
static void count_mask(kx_expander *e, kx_value *mask)
{
    const kx_attr gone = kx_attr_of_int("keepdims", 0);

    if (!mask) /* ONNX Runtime puts out zeros */
        mask = kx_emit2(e, "Mul", e->n->in[0], kx_emit_int(e, 0));
    e->out[1] = kx_emit(e, "ReduceSum", (kx_value *[]){mask, kx_emit_ints(e, &(int64_t){1}, 1)}, 2,
                        &gone, 1);
}

/* ids, segments, word, position, segment, gamma, beta, mask, positions -> y, mask, sum */
static kldve_status expand_embed(kx_expander *e)
{
    embedding m;
    kldve_status st = kx_expect(e->g, e->n, 1, 9, 3);

    if (st < 0)
        return st;
    for (int32_t i = 2; i < 7; i++)
        if (i != 4 && !kx_input(e, i))
            return kx_invalid(e->g, e->n, "required input %d is missing", i);
    kx_attr_ignore(e->n, "mask_index_type");
    m = (embedding){.ids = e->n->in[0],
                    .segments = kx_input(e, 1),
                    .positions = kx_input(e, 8),
                    .word = kx_input(e, 2),
                    .position = kx_input(e, 3),
                    .segment = kx_input(e, 4),
                    .gamma = kx_input(e, 5),
                    .beta = kx_input(e, 6)};
    if ((st = put(e, &m)) < 0)
        return st;
    if (e->n->nout > 1)
        count_mask(e, kx_input(e, 7));
    return e->status;
}

/* The five tables in inputs 2 to 6, their scales from 8, their zero points from 13 on. */
static kldve_status expand_quantised(kx_expander *e)
{
    kx_value *table[5] = {NULL};
    embedding m;
    kldve_status st = kx_expect(e->g, e->n, 1, 18, 2);

    if (st < 0)
        return st;
    for (int32_t i = 0; i < 5; i++) {
        if (!kx_input(e, 2 + i) && i == 2)
            continue;
        if (!kx_input(e, 2 + i) || !kx_input(e, 8 + i))
            return kx_invalid(e->g, e->n, "required input %d or %d is missing", 2 + i, 8 + i);
        table[i] = kx_emit_dequantised(e, e->n->in[2 + i], e->n->in[8 + i], kx_input(e, 13 + i), 0);
    }
    if (e->status < 0)
        return e->status;
    m = (embedding){.ids = e->n->in[0],
                    .segments = kx_input(e, 1),
                    .word = table[0],
                    .position = table[1],
                    .segment = table[2],
                    .gamma = table[3],
                    .beta = table[4]};
    if ((st = put(e, &m)) < 0)
        return st;
    if (e->n->nout > 1)
        count_mask(e, kx_input(e, 7));
    return e->status;
}

const kx_op kx_contrib_embed_ops[] = {
    {.type = "EmbedLayerNormalization", .domain = ours, .since = 1, .expand = expand_embed},
    {.type = "QEmbedLayerNormalization", .domain = ours, .since = 1, .expand = expand_quantised},
    {0},
};
