/* attend.c - see attend.h. */
#include "attend.h"

#include <string.h>

void kx_attend_probe(size_t n, float *cotangent)
{
    for (size_t i = 0; i < n; i++)
        cotangent[i] = (float)(i + 1) / (float)n;
}

static bool any(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0)
            return true;
    return false;
}

/* What nothing reads has a gradient of exactly zero: no rounding makes it another number. */
void kx_attend_read(const kx_attention *a, const float *gradient, float *read)
{
    size_t tokens = (size_t)a->tokens, count = 0;

    for (size_t q = 0; q < tokens; q++) {
        read[q] = 0;
        for (size_t h = 0; h < (size_t)a->heads && read[q] == 0; h++)
            read[q] = any(gradient + (h * tokens + q) * tokens, tokens);
        count += read[q] != 0;
    }
    for (size_t q = 0; q < tokens; q++)
        read[q] = count ? read[q] / (float)count : 1 / (float)tokens;
}
