/* choose_scores.c - what kind of scores the logits are: probabilities of classes, yes against no,
 * or one number. */
#include "choose.h"

/* The caller's word stands against what the file does with its scores: what is printed is then not
 * what the file prints. */
static kldve_status say_against(int32_t scores, kx_choice *c)
{
    static const char *const name[] = {[KLDVE_SCORES_SOFTMAX] = "softmax",
                                       [KLDVE_SCORES_SIGMOID] = "sigmoid",
                                       [KLDVE_SCORES_RAW] = "raw",
                                       [KLDVE_SCORES_NUMBER] = "number"};
    int32_t file = c->scores;

    c->scores = scores;
    if (file == scores || (file != KLDVE_SCORES_SOFTMAX && file != KLDVE_SCORES_SIGMOID))
        return KLDVE_OK;
    return kx_say(&c->notes,
                  "the file ends in a %s: the scores before it are read as \"%s\" because that was "
                  "asked for, which is not what the file prints",
                  name[file], name[scores]);
}

/* As the caller wants it read. */
static kldve_status take_asked(kldve_ctx *ctx, int32_t scores, int32_t count, kx_choice *c)
{
    if (count == 1 && scores == KLDVE_SCORES_SOFTMAX)
        return kldve_ctx_failf(
            ctx, KLDVE_E_ARG,
            "scores: '%.80s' has one score, of which a softmax is always 1: give "
            "sigmoid, raw or number",
            c->logits->name);
    if (count > 1 && scores == KLDVE_SCORES_NUMBER)
        return kldve_ctx_failf(ctx, KLDVE_E_ARG,
                               "scores: '%.80s' has %d scores, so it is not one number: give "
                               "softmax, sigmoid or raw",
                               c->logits->name, (int)count);
    return say_against(scores, c);
}

/* One score, of which the file says at most what it does with it. */
static kldve_status read_single(bool named, kx_choice *c)
{
    bool sigmoid = c->scores == KLDVE_SCORES_SIGMOID, softmax = c->scores == KLDVE_SCORES_SOFTMAX;

    if (sigmoid)
        return kx_say(&c->notes,
                      "the network gives one score with a sigmoid: it is explained as yes against "
                      "no; scores \"number\" explains it as a number");
    if (named) {
        c->scores = KLDVE_SCORES_RAW;
        return kx_say(&c->notes,
                      "the network gives one score without a sigmoid: because there are labels, it "
                      "is explained as yes against no with the probability sigmoid(score); scores "
                      "\"number\" explains it as a number");
    }
    c->scores = KLDVE_SCORES_NUMBER;
    return kx_say(&c->notes,
                  "the network gives one %s: it is explained as a number; scores \"sigmoid\" "
                  "explains it as the score of yes against no",
                  softmax ? "score, and its softmax, which is always 1"
                          : "score without a sigmoid");
}

kldve_status kx_choose_scores(kldve_ctx *ctx, int32_t asked, bool named, int32_t count,
                              kx_choice *c)
{
    kldve_status st;

    if (asked) {
        st = take_asked(ctx, asked - 1, count, c);
        return st == KLDVE_E_NOMEM
                   ? kldve_ctx_fail(ctx, st, "out of memory while choosing the scores")
                   : st;
    }
    if (count > 1)
        return KLDVE_OK;
    st = read_single(named, c);
    return st < 0 ? kldve_ctx_fail(ctx, st, "out of memory while choosing the scores") : st;
}
