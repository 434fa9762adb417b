/* cancel.c - the best explanation that there is time for.  METHOD may take MS milliseconds; if it
 * does not make it, kl-dve takes its place, which needs one pass forward and one back.  Control-C
 * stops everything at once, in an orderly way.
 *
 *     cancel NETWORK.onnx PICTURE METHOD [MS]
 *
 * Ends with 0, 1 after a failure, 130 after Control-C. */
#include <kldve/onnx.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { INTERRUPTED = 130 }; /* as shells have it: 128 and the number of the signal */

/* For the handler; set before it is installed, and it stays. */
static kldve_ctx *ctx;

static void on_interrupt(int signal)
{
    (void)signal;
    kldve_ctx_cancel(ctx); /* safe in a handler */
}

static int catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    sigemptyset(&action.sa_mask);
    return sigaction(SIGINT, &action, NULL);
}

static kldve_status explain(kldve_explainer *net, const kldve_image *photo, const char *method,
                            double ms)
{
    const kldve_options options = {
        .struct_size = sizeof options, .method = method, .deadline_ms = ms};
    kldve_record r = {.struct_size = sizeof r};
    kldve_heatmap *map = NULL;
    kldve_status status = kldve_explain(net, photo, &options, &map);

    if (status == KLDVE_OK)
        status = kldve_heatmap_record(map, &r);
    if (status == KLDVE_OK)
        printf("%s: class %d, logit %.4f\n", method, (int)r.target, (double)r.logit);
    kldve_heatmap_free(map);
    return status;
}

static kldve_status explain_in_time(const char *network, const char *picture, const char *method,
                                    double ms)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_VJP_INPUT};
    kldve_explainer *net = NULL;
    kldve_image *photo = NULL;
    kldve_status status = kldve_onnx_explainer(ctx, network, &options, &net);

    if (status == KLDVE_OK)
        status = kldve_image_load(ctx, picture, &photo);
    if (status == KLDVE_OK) {
        printf("explaining\n");
        fflush(stdout);
        status = explain(net, photo, method, ms);
    }
    if (status == KLDVE_E_DEADLINE) {
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
        status = explain(net, photo, "kl-dve", 0); /* the explainer is as good as before */
    }
    kldve_image_free(photo);
    kldve_explainer_free(net);
    return status;
}

int main(int argc, char **argv)
{
    const double ms = argc > 4 ? strtod(argv[4], NULL) : 0;
    kldve_status status;

    if (argc < 4 || argc > 5 || kldve_ctx_new(NULL, &ctx)) {
        fprintf(stderr, "usage: cancel NETWORK.onnx PICTURE METHOD [MS]\n");
        return 2;
    }
    if (catch_interrupt()) {
        perror("cancel");
        return 1;
    }
    status = explain_in_time(argv[1], argv[2], argv[3], ms);
    if (status != KLDVE_OK)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    signal(SIGINT, SIG_DFL); /* the context ends here */
    kldve_ctx_free(ctx);
    return status == KLDVE_E_CANCELLED ? INTERRUPTED : status != KLDVE_OK;
}
