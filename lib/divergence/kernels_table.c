/* kernels_table.c - the kernels of one instruction set. */
#include "isa.h"

#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)

const kldve_kernels KERNEL(kernels) = {
    .name = TEXT(KLDVE_ISA),
    .extent = KERNEL(extent),
    .pairs = KERNEL(pairs),
    .pairs_log = KERNEL(pairs_log),
    .row_log = KERNEL(row_log),
    .meet = KERNEL(meet),
    .meet_self = KERNEL(meet_self),
    .meet_log = KERNEL(meet_log),
    .moments = KERNEL(moments),
    .combine = KERNEL(combine),
    .evaluate = KERNEL(evaluate),
    .gauss = KERNEL(gauss),
    .decay = KERNEL(decay),
    .shares = KERNEL(shares),
    .joint = KERNEL(joint),
    .pull = KERNEL(pull),
    .peaks = KERNEL(peaks),
    .gradient = KERNEL(gradient),
    .forces = KERNEL(forces),
};
