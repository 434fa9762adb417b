/* op_case.h - one operator on a few numbers, written as text.
 *
 * Inputs, separated by blanks:
 *     2x3          float32, an input of the graph, random but far from every kink (op_case.c)
 *     +2x3         the same, all between 0.5 and 3         ~2x3  all between -0.9 and 0.9
 *     2x3:1,2,...  float32, these numbers                  s:1  and  s  rank 0
 *     i2x2:1,...   int64, an input of the graph            b2:0,1  the same, bool
 *     i8,2:1,-1    declared as int8; also i16, i32, u8, u16, u32, u64
 *     {1,-1}       int64, constant, rank 1                 {} none
 *     c2:1,2       float32, constant                       cs:1  of rank 0
 *     cbs:1        bool, constant, of rank 0
 *     _            omitted
 * Attributes: axis=1 alpha=0.5f perm=(0,2,1) mode='CRD' value=[2:1.5,2] (a tensor, as above). */
#ifndef KLDVE_TESTS_ONNX_OP_CASE_H
#define KLDVE_TESTS_ONNX_OP_CASE_H

#include "plain.h"

typedef struct op_case {
    const char *name;
    int32_t opset;
    const char *type; /* "Relu", or with its domain "com.microsoft:Gelu" */
    const char *attributes, *inputs;
    int32_t outputs;
} op_case;

typedef struct op_model op_model;

/** The operator without its domain. */
const char *op_case_type(const op_case *c);
/** The case as a model; never fails (a wrong text fails the test). */
op_model *op_model_new(const op_case *c);
void op_model_free(op_model *m);
/** Build its graph. */
kldve_status op_model_graph(const op_model *m, kldve_ctx *ctx, kx_graph **out);
/** Copy the numbers into the graph's inputs. */
void op_model_fill(const op_model *m, plain *p);

/** Compare with text like "2x3:1,2,3,4,5,6" (prefix i or b for the other types), relative and
 *  absolute tolerance 1e-5. */
void op_expect(const char *name, const kx_tensor *t, const char *expected);

/** Every float input that is not constant: VJP against central differences of order 4, din added
 * to, nothing read that is not announced, scratch used.  Returns how many inputs were checked. */
int op_check_vjp(const op_case *c, kldve_ctx *ctx);
/** Building the graph fails cleanly for every allocation that fails. */
void op_check_allocations(const op_case *c);

#endif
