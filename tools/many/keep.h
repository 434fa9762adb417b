/* keep.h - memory that is freed after one picture and taken again for the next. */
#ifndef KLDVE_TOOLS_KEEP_H
#define KLDVE_TOOLS_KEEP_H

/** Have malloc() keep what is freed, where it can be told so, instead of giving large blocks back
 *  to the system and taking them again, which costs a page fault for every 4 KiB.  A process then
 *  keeps what it held at its peak. */
void keep_memory(void);

#endif
