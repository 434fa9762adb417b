/* cores.h - how many threads keep the machine busy. */
#ifndef KLDVE_TOOLS_CORES_H
#define KLDVE_TOOLS_CORES_H

#include <stdint.h>

/** Processors that this process may use, which a launcher may have bound to some; at least 1.
 *  @param processes  that share the machine, where they are not bound. */
int32_t cores_here(int32_t processes);

#endif
