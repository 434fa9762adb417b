/* mutator.h - what a harness with a mutator of its own calls and offers: libFuzzer's interface,
 * which driver.c has, too. */
#ifndef KLDVE_TESTS_FUZZ_MUTATOR_H
#define KLDVE_TESTS_FUZZ_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/** Change bytes [nbytes] somehow.  @return how many there are now, at most `room`. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t nbytes, size_t room);

/** The same by the harness, which knows the format. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t nbytes, size_t room, unsigned seed);

#endif
