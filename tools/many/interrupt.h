/* interrupt.h - Ctrl-C and its kin end long work in good order. */
#ifndef KLDVE_TOOLS_INTERRUPT_H
#define KLDVE_TOOLS_INTERRUPT_H

#include <stdbool.h>

/** From now on SIGINT, SIGTERM and SIGHUP only ask to stop; the second of them ends the process. */
void interrupt_begin(void);
/** Whether one of them came. */
bool interrupt_came(void);

#endif
