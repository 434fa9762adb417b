/* cards.h - ready cards: how well-known networks take their pictures. */
#ifndef KLDVE_TOOLS_CARDS_H
#define KLDVE_TOOLS_CARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A card that is part of the command. */
typedef struct ready_card {
    const char *name, *text; /**< static; the text is JSON */
    size_t nbytes;           /**< of the text */
} ready_card;

/** Whether --card names a ready card: one has that name, and there is no such file.  *out is
 *  written then. */
bool ready_card_named(const char *name, ready_card *out);

/** "; did you mean 'yolo-640'?" for a card that does not exist, "" where no ready card has such a
 *  name.  Returns `out`, NEAREST_HINT bytes. */
const char *ready_card_hint(const char *name, char *out);

/** The names of the cards, by number from 0; NULL past the last. */
const char *ready_card_name(int32_t index);

#endif
