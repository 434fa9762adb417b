/* text.h - small models written down in a line or two, for tables of test cases.
 *
 * Commands are separated by ";", words by spaces, lists by "," without spaces.  `_` is an empty
 * name.  Without `ir` and `opset` the model has IR version 8 and opset 13.
 *
 *     ir N / opset N   0: the field is left out; opset may come several times
 *     in NAME DIMS     float input; DIMS like 1,3,8,8, "N" is symbolic, "-" a scalar, "?" no shape
 *     out NAME         output
 *     w NAME DIMS [BYTES]
 *                      float tensor, elements 0.01, 0.02, ...; BYTES of raw_data if that is to
 *                      differ from what DIMS say; at most 1 MiB are written
 *     t NAME TYPE DIMS VALUES
 *                      f32, s8, u8, s16, u16 or s32 tensor; VALUES are repeated to fill it
 *     i NAME VALUES    int64 tensor with one dimension
 *     ext NAME DIMS KEY=VALUE...
 *                      float tensor with external data
 *     type NAME N      tensor [2] of TensorProto.DataType N with 8 bytes of raw_data
 *     segment NAME     tensor in segments
 *     sparse NAME      sparse tensor
 *     sequence NAME    input of a list
 *     n OP IN,... OUT,... ATTRIBUTE...
 *                      node; OP may be DOMAIN:OP
 *     fn NAME IN,... OUT,... ATTRIBUTE...
 *                      function "f:NAME" of the nodes up to `end`; ATTRIBUTE: a bare name, or
 *                      name=default
 *
 * Attributes:
 *
 *     name=3, name=0.5, name=[1,2], name=[0.5,1.0], name='text'
 *     name=@ref        of a function's attribute
 *     name={}          an empty graph
 *     name={OP:IN,...:OUT,...}
 *                      a graph of a single node without inputs
 *     name=tensor      of two floats
 *     name=none        no value */
#ifndef KLDVE_TESTS_NETWORKS_TEXT_H
#define KLDVE_TESTS_NETWORKS_TEXT_H

#include "writer.h"

/** A writer_make; `text` is a string.  Aborts on a command that it does not know. */
void write_text(writer *w, const void *text);

#endif
