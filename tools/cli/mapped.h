/* mapped.h - a mapped file that somebody cuts while it is in use. */
#ifndef KLDVE_TOOLS_MAPPED_H
#define KLDVE_TOOLS_MAPPED_H

/** From now on such a file ends the command with a line that names it, and EXIT_FAILED, instead of
 * a signal.  What was being written does not appear. */
void mapped_guard(void);

#endif
