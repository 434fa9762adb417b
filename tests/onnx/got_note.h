/* got_note.h - kldve_onnx_note() as an expression: NULL past the last. */
#ifndef KLDVE_TESTS_GOT_NOTE_H
#define KLDVE_TESTS_GOT_NOTE_H

#include <kldve/onnx.h>

static inline const char *got_note(const kldve_onnx *net, int32_t index)
{
    const char *note = NULL;

    kldve_onnx_note(net, index, &note);
    return note;
}

#endif
