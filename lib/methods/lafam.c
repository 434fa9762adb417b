/* lafam.c - LaFAM: A. Karjauv and S. Albayrak, "LaFAM: Unsupervised Feature Attribution with
 * Label-free Activation Maps", 2024, arXiv:2407.06059.
 *
 *     E = mean over m of x_m
 *
 * The same map as KL-DVE's reading `paper`, without the detour; it does not depend on the class. */
#include "methods.h"

static kldve_status map(const kldve_job *job, float *e)
{
    kldve_job_sum(job, e); /* the number of maps is a factor that the normalisation removes */
    return KLDVE_OK;
}

const kldve_method kldve_method_lafam = {
    .struct_size = sizeof(kldve_method),
    .name = "lafam",
    .title = "LaFAM",
    .summary = "averages the feature maps, for no class in particular",
    .source = "Karjauv and Albayrak 2024, arXiv:2407.06059",
    .needs = KLDVE_NEED_FEATURES,
    .map = map,
    .result_flags = kldve_job_class_indifferent,
};
