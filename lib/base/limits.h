/* limits.h - limits of a context, from the inside. */
#ifndef KLDVE_LIB_LIMITS_H
#define KLDVE_LIB_LIMITS_H

#include <stdbool.h>

#include <kldve/common.h>

/** Whether this library has a limit of that number. */
bool kldve_is_limit(int32_t limit);

/** A limit that holds now; `limit` is a kldve_limit. */
int64_t kldve_limit_of(const kldve_ctx *ctx, int32_t limit);

/** What a message says of a limit that is met: how high it is and how to raise it. */
void kldve_limit_advice(const kldve_ctx *ctx, int32_t limit, char *text, size_t size);

#endif
