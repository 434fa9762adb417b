/* epoch.h - a network that several threads use while another one takes its place. */
#ifndef KLDVE_TESTS_EPOCH_H
#define KLDVE_TESTS_EPOCH_H

#include <stdint.h>

#include <kldve/kldve.h>
#include <kldve/onnx.h>

/** One loaded network.  The last thread to let go of it frees it. */
typedef struct epoch epoch;

/** The network of now, for the caller until epoch_let_go().  From any thread, like all of these. */
epoch *epoch_hold(void);
void epoch_let_go(epoch *e);
/** Load the network, for those who hold it from now on; NULL before the first. */
void epoch_replace(void);
/** Let go of the network of now. */
void epoch_end(void);
/** How many networks there were. */
int32_t epoch_count(void);

/** An explainer of the caller's context. */
kldve_status epoch_open(kldve_ctx *ctx, const epoch *e, kldve_explainer **out);

/** Say what failed, with the context's message if there is one, and end the process. */
_Noreturn void die(const char *what, const kldve_ctx *ctx);

#endif
