/* smooth_steps.c - the steps of augmentation smoothing: changed forms of one input, the mean of
 * their maps. */
#include "steps.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/finite.h"
#include "base/size.h"
#include "remark.h"
#include "stages/normalise.h"
#include "stages/smooth.h"

kldve_status kldve_run_smooth_begin(const kldve_run *run, float **changed, float **sum)
{
    size_t inputs = run->net->inputs, cells = kldve_run_cells(run), count;

    assert(run->map);
    *changed = NULL;
    if (kldve_size_add(inputs, cells, &count))
        *changed = kldve_ctx_alloc(run->job.ctx, count, sizeof **changed);
    if (!*changed)
        return kldve_ctx_fail(run->job.ctx, KLDVE_E_NOMEM,
                              "out of memory for a variant of the input");
    *sum = *changed + inputs;
    memset(*sum, 0, cells * sizeof **sum);
    return KLDVE_OK;
}

void kldve_run_smooth_input(const kldve_run *run, const float *input, int32_t variant,
                            float *changed)
{
    size_t width = (size_t)run->job.shape->in_width;

    kldve_smooth_change(input, run->net->inputs / width, width, variant, changed);
}

void kldve_run_smooth_add(const kldve_run *run, int32_t variant, float *sum)
{
    size_t height = (size_t)run->map->record.height, width = (size_t)run->map->record.width;

    kldve_smooth_add(run->options.sign, run->map->values, height, width, variant, sum);
}

void kldve_run_smooth_end(kldve_run *run, const float *sum)
{
    size_t count = kldve_run_cells(run);
    bool zero = kldve_all_zero(sum, count);
    double range[2];

    memcpy(run->map->values, sum, count * sizeof *sum);
    kldve_heatmap_set_flat(run->map,
                           kldve_normalise(run->options.sign, run->map->values, count, range));
    run->map->record.low = run->map->record.high = (double)NAN; /* each had its own */
    kldve_remark(run, zero, run->map);
}
