/* fault.h - allocations of the whole process that fail, those of all libraries included.
 *
 * fault.c has functions named malloc(), calloc(), realloc(), aligned_alloc(), posix_memalign() and
 * mmap(), which the libraries of the process then call; operator new calls malloc().  Linked into a
 * program they do what fault_from() says.  As a library that is loaded first (LD_PRELOAD) they do
 * what the environment says: KLDVE_FAULT=N fails the N-th, KLDVE_FAULT=N+ the N-th and all later
 * ones.  glibc only, and not with a sanitizer, which has a malloc() of its own. */
#ifndef KLDVE_TESTS_FAULT_H
#define KLDVE_TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum { FAULT_NAME = 48 };

/** Fail the allocation `n` from here, from 0 on, and all later ones if `ever`; a negative n counts
 *  only.  Allocations of all threads count: deterministic with one. */
void fault_from(long n, bool ever);
/** Fail what would make more than `nbytes` beside what there was before: memory that is short. */
void fault_above(size_t nbytes);
/** The most bytes at a time since then. */
size_t fault_peak(void);
/** No more of it.  @return how many allocations there were since fault_from(). */
long fault_end(void);
/** What this library asks for itself never fails: that of an interpreter around the calls.  By the beginning
 *  of its file's name, which is kept, not copied. */
void fault_spare(const char *library);
/** Of the last that failed: the library that asked, and the exported function of that library
 *  through which it was entered.  "" if there was none. */
const char *fault_library(void);
const char *fault_function(void);

#endif
