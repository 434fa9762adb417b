/* watch.h - what holds for every input of every harness.  A promise that is broken ends the
 * program, which is what a fuzzer looks for. */
#ifndef KLDVE_TESTS_FUZZ_WATCH_H
#define KLDVE_TESTS_FUZZ_WATCH_H

#include <stdbool.h>

#include <kldve/backend.h>

enum {
    WATCH_MEMORY = 64 << 20, /**< bytes that one input may take */
    WATCH_SECONDS = 10       /**< of the processor, for one input, under sanitizers */
};

/** A context with small limits; the clock of this input starts. */
kldve_ctx *watch_open(void);
/** Look at what a call returned: `made` is whether it wrote its output.  A failure has a message
 *  that is clean text, a success has none and has written.  With KLDVE_FUZZ_SHOW in the environment
 *  it is printed. */
void watch_call(const kldve_ctx *ctx, kldve_status status, bool made);
/** The objects of a context hold as many bytes as they did: `now` of kldve_ctx_memory(). */
void watch_memory(const kldve_ctx *ctx, size_t before);
/** The input took no longer than it may. */
void watch_time(void);
/** All of that, and nothing is left in the context, which is freed. */
void watch_close(kldve_ctx *ctx);

/** UTF-8 in one line, without control characters and without what turns the direction of text. */
void watch_text(const char *text);
/** Say why, and abort, unless it holds. */
void watch_that(bool holds, const char *why);

#endif
