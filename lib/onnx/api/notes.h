/* notes.h - what the engine chose by itself, and what everyone who sees the maps should know. */
#ifndef KLDVE_ONNX_NOTES_H
#define KLDVE_ONNX_NOTES_H

#include "graph/graph.h"

typedef struct kx_note kx_note;

/** Sentences without a full stop, in the order in which they were said. */
typedef struct kx_notes {
    kx_arena *arena; /**< where they are kept */
    kx_note *first, *last;
} kx_notes;

/** Add a sentence; it is cut at 511 bytes.
 *  @return KLDVE_OK, KLDVE_E_NOMEM (without a message). */
kldve_status kx_say(kx_notes *notes, const char *format, ...) KLDVE_PRINTF(2, 3);

/** By number from 0; NULL past the last. */
const char *kx_note_at(const kx_notes *notes, int32_t index);

#endif
