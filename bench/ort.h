/* ort.h - the peer: ONNX Runtime's forward pass, from the library that is named at run time.
 *
 * Every failure ends the program. */
#ifndef BENCH_ORT_H
#define BENCH_ORT_H

#include <stdbool.h>

#include <kldve/backend.h>

/* One network. */
typedef struct peer peer;

/* Comes first, once. */
void peer_library(const char *path);

/* With all graph optimisations; `threads` within an operator, one operator at a time. */
peer *peer_open(const char *model, int threads);

/* The file itself says how many inputs there are at once: ONNX Runtime takes no other number. */
bool peer_fixes_batch(const peer *p);

/* What peer_run() runs on; called once: inputs [batch] of the sizes of `shape`, borrowed. */
void peer_set_inputs(peer *p, const kldve_shape *shape, int batch, float *inputs);

/* Several threads may run one peer at the same time. */
void peer_run(const peer *p);

void peer_close(peer *p);

#endif
