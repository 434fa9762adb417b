/* question.h - what the threads ask, and the maps that answer it. */
#ifndef KLDVE_TESTS_QUESTION_H
#define KLDVE_TESTS_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include <kldve/kldve.h>

typedef struct question {
    int32_t method, picture;
} question;

/** Compute all maps once, alone, and keep them.  How many they are. */
int32_t question_begin(void);
void question_end(void);

/** One by chance; those that take many passes are one in a hundred. */
question question_draw(uint32_t *random);
const char *question_method(question q);

kldve_status question_ask(kldve_ctx *ctx, kldve_explainer *explainer, question q,
                          kldve_heatmap **map);
/** Whether the map is the first one of this question, to the bit. */
bool question_is_answered(question q, const kldve_heatmap *map);

/** A linear congruential generator: 24 bits. */
uint32_t next_random(uint32_t *state);

#endif
