/* flag_words.c - names of the flags of a result, and what they mean, for people. */
#include <stddef.h>

#include <kldve/kldve.h>

typedef struct flag_text {
    const char *name, *sentence;
} flag_text;

/* By number of the bit. */
static const flag_text texts[] = {
    {"flat", "the map shows nothing, because it is the same everywhere"},
    {"non-finite", "a number on the way to the map is NaN or infinite, so there is no map"},
    {"class-indifferent", "the map is the same for every class: it shows where the network looks, "
                          "not why it decides so"},
    {"saturated",
     "the probability is so near 0 or 1 that it hardly moves: deletion and insertion say little"},
    {"perplexity-limited",
     "these classes cannot have the perplexity, and the nearest possible one counts: choose a "
     "lower one"},
    {"not-all-paths",
     "a part of what decides goes around the explained layer, and the map does not show it"},
    {"low-confidence", "the network itself is unsure: another answer would be nearly as good"},
    {"clipped",
     "more speaks against the class than for it, which is not shown: sign \"signed\" shows both"},
};

/* NULL if the value is not exactly one flag. */
static const flag_text *text_of(uint64_t flag)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (flag == (uint64_t)1 << i)
            return &texts[i];
    return NULL;
}

const char *kldve_result_flag_name(uint64_t flag)
{
    const flag_text *text = text_of(flag);

    return text ? text->name : NULL;
}

const char *kldve_result_flag_sentence(uint64_t flag)
{
    const flag_text *text = text_of(flag);

    return text ? text->sentence : NULL;
}
