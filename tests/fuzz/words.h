/* words.h - what models are made of, for harnesses that make some. */
#ifndef KLDVE_TESTS_FUZZ_WORDS_H
#define KLDVE_TESTS_FUZZ_WORDS_H

/** Names of attributes, their values and domains of operators; each ends with NULL. */
extern const char *const fuzz_attributes[];
extern const char *const fuzz_words[];
extern const char *const fuzz_domains[];

#endif
