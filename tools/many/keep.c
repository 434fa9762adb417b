/* keep.c - see keep.h. */
#include "keep.h"

#include <stdlib.h>

#ifdef __GLIBC__

#include <malloc.h>

void keep_memory(void)
{
    enum { LARGEST = 32 << 20, PAD = 4 << 20 }; /* glibc takes no larger threshold for mmap() */

    mallopt(M_MMAP_THRESHOLD, LARGEST);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, PAD);
}

#else

void keep_memory(void)
{
}

#endif
