/* probe.h - are there threads?  OpenMP ends the process where the system has none left. */
#ifndef KLDVE_ONNX_PROBE_H
#define KLDVE_ONNX_PROBE_H

#include <stdbool.h>

/** Whether the system has so many threads at the moment, the calling one among them: they are
 *  started and ended. */
bool kx_has_threads(int threads);

#endif
