/* ort.h - the peer: ONNX Runtime's forward pass, from a library that is named at run time.
 *
 * Any failure ends the program. */
#ifndef BENCH_ORT_H
#define BENCH_ORT_H

#include <stdbool.h>

#include <kldve/backend.h>

/* One network. */
typedef struct peer peer;

/* Call this first, and once. */
void peer_library(const char *path);

/* With all graph optimisations; `threads` within an operator, one operator at a time. */
peer *peer_open(const char *model, int threads);

/* True if the file fixes the number of inputs: ONNX Runtime then takes no other number. */
bool peer_fixes_batch(const peer *p);

/* The inputs of peer_run(), [batch] of the sizes in `shape`, borrowed; call this once. */
void peer_set_inputs(peer *p, const kldve_shape *shape, int batch, float *inputs);

/* Several threads may run one peer at the same time. */
void peer_run(const peer *p);

void peer_close(peer *p);

#endif
