/* divergence.c - the divergence on its own: how far are one network's scores from another's, and in
 * which direction would each score have to move?
 *
 *     divergence N PERPLEXITY     standard input: N scores, then N scores of the other network
 *                                 standard output: KL, then N lines dKL/dk */
#include <kldve/divergence.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int32_t n = argc == 3 ? (int32_t)strtol(argv[1], NULL, 10) : -1;
    kldve_divergence_options options = {.struct_size = sizeof options};
    kldve_ctx *ctx = NULL;
    kldve_divergence *d = NULL;
    double *scores, *truth, *z, kl;
    int failed;

    if (n < 0 || !(scores = calloc((size_t)n + 1, 3 * sizeof *scores)) || kldve_ctx_new(NULL, &ctx))
        return 2;
    truth = scores + n;
    z = truth + n;
    for (int32_t i = 0; i < 2 * n; i++)
        if (scanf("%lf", &scores[i]) != 1)
            return 2;
    options.perplexity = strtod(argv[2], NULL);
    failed = kldve_divergence_new(ctx, n, &options, &d) || kldve_divergence_set_scores(d, scores) ||
             kldve_divergence_truth(d, truth, z, &kl);
    if (failed)
        fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    else
        printf("%.17g\n", kl);
    for (int32_t i = 0; i < n && !failed; i++)
        printf("%.17g\n", z[i]);
    kldve_divergence_free(d);
    kldve_ctx_free(ctx);
    free(scores);
    return failed != 0;
}
