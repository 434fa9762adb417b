/* can.c - would an explanation work? */
#include "admission.h"
#include "explainer.h"
#include "options.h"

static kldve_status check(kldve_explainer *ex, const kldve_options *options)
{
    kldve_run run;
    kldve_status st = kldve_run_prepare(&run, ex->ctx, &ex->net.shape, options, &ex->buffers[0]);

    return st < 0 ? st : kldve_run_admit_network(&run, &ex->net);
}

kldve_status kldve_explainer_check(kldve_explainer *ex, const kldve_options *options)
{
    double before;

    if (!ex)
        return KLDVE_E_ARG;
    before = kldve_ctx_enter(ex->ctx, "check", kldve_options_deadline(options));
    return kldve_ctx_leave(ex->ctx, before, check(ex, options));
}
