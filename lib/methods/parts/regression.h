/* regression.h - a linear model of a network's output given parts of its input. */
#ifndef KLDVE_LIB_METHODS_REGRESSION_H
#define KLDVE_LIB_METHODS_REGRESSION_H

#include <stdbool.h>

#include <kldve/method.h>

/** Rows z_i of zeros and ones, each with a value y_i and a weight. */
typedef struct kldve_regression {
    size_t rows, columns;
    const uint8_t *z;     /**< [rows][columns] */
    const double *y;      /**< [rows] */
    const double *weight; /**< [rows], 0 or more */
    size_t together;      /**< this many consecutive rows were drawn as one; 0: nothing
                               was drawn, there is no error */
    double ridge;   /**< penalty on the squares of the coefficients, relative to a weight of 1 */
    bool intercept; /**< a constant term, not penalised */
    bool fixed_sum; /**< the coefficients add up to `sum` */
    double sum;
} kldve_regression;

/** Weighted ridge regression; formulas in regression.c.
 *  @param b      Coefficients, [columns].
 *  @param error  Their standard errors over the draw of the rows, [columns].
 *  @return KLDVE_OK, KLDVE_E_NOMEM, KLDVE_E_NUMERIC (the rows do not determine the coefficients).
 */
kldve_status kldve_regress(kldve_ctx *ctx, const kldve_regression *r, double *b, double *error);

#endif
