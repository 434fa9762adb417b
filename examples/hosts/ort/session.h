/* session.h - ONNX Runtime's C API as this host uses it: a network in memory, floats in and out.
 * What fails ends the program with one line. */
#ifndef HOSTS_ORT_SESSION_H
#define HOSTS_ORT_SESSION_H

#include <stddef.h>
#include <stdint.h>

struct session;

/* An output, and where its numbers go: ONNX Runtime writes them there, nothing is copied. */
struct output {
    const char *name;
    int64_t dim[8];
    int32_t rank;
    float *to;
};

/* bytes  [nbytes], borrowed for the call. */
struct session *session_new(const void *bytes, size_t nbytes, int threads);
/* The name of the network's first output.  Borrowed. */
const char *session_first_output(const struct session *s);
/* Run from `input`, which has the dimensions dim [rank], to outputs [count]. */
void session_run(const struct session *s, float *input, const int64_t *dim, int32_t rank,
                 const struct output *outputs, int32_t count);
void session_free(struct session *s);

#endif
