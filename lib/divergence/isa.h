/* isa.h - names of the kernels in the file that is compiled for one instruction set, which the
 * build passes as KLDVE_ISA. */
#ifndef KLDVE_LIB_DIVERGENCE_ISA_H
#define KLDVE_LIB_DIVERGENCE_ISA_H

#include "kernels.h"

#define ISA_NAME_(name, isa) kldve_##name##_##isa
#define ISA_NAME(name, isa) ISA_NAME_(name, isa)
#define KERNEL(name) ISA_NAME(name, KLDVE_ISA)

bool KERNEL(extent)(const double *x, size_t n, double *low, double *high);
double KERNEL(pairs)(const double *k, size_t n, bool narrow, double *s1, double *s2);
double KERNEL(pairs_log)(const double *k, size_t n, double range);
double KERNEL(row_log)(const double *x, size_t n, double at, double range);
double KERNEL(meet)(const kldve_slot *a, const kldve_slot *b, double shift);
double KERNEL(meet_self)(const kldve_slot *a, bool apart, bool narrow);
double KERNEL(meet_log)(const kldve_slot *a, const kldve_slot *b, double shift);
void KERNEL(moments)(const double *x, const double *q, size_t n, double center, double scale,
                     size_t order, double *m);
void KERNEL(combine)(const double *matrix, size_t order, const double *in, double *out);
void KERNEL(evaluate)(const double *x, size_t n, double center, double scale, size_t order,
                      const double *c1, const double *c2, double *s1, double *s2);
void KERNEL(gauss)(const double *y, const double *count, size_t first, size_t last,
                   const kldve_row *row, double sums[3]);
void KERNEL(decay)(const double *e, size_t n, double beta, double sums[3]);
double KERNEL(shares)(double *e, size_t n, double beta, double scale);
void KERNEL(joint)(const kldve_pull *set, const kldve_row *row, size_t n, double *out);
double KERNEL(pull)(const kldve_pull *set, const kldve_row *row, size_t first, size_t last,
                    double *joint);
void KERNEL(peaks)(const double *s1, const double *s2, size_t n, double of_s1, double of_s2,
                   double out[3]);
double KERNEL(gradient)(const double *k, size_t n, double center, const double *s1,
                        const double *s2, double of_s1, double of_s2, double step, double *z);
void KERNEL(forces)(const double *k, size_t n, double center, bool squared, double *t,
                    double sums[2]);
extern const kldve_kernels KERNEL(kernels);

#endif
