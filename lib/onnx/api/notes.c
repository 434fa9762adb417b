/* notes.c - what the engine chose by itself, and what everyone who sees the maps should know. */
#include "notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NOTE_SIZE = 512 };

struct kx_note {
    kx_note *next;
    char text[];
};

kldve_status kx_say(kx_notes *notes, const char *format, ...)
{
    char text[NOTE_SIZE];
    kx_note *note;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    note = kx_arena_alloc(notes->arena, 1, sizeof *note + strlen(text) + 1);
    if (!note)
        return KLDVE_E_NOMEM;
    note->next = NULL;
    strcpy(note->text, text);
    if (notes->last)
        notes->last->next = note;
    else
        notes->first = note;
    notes->last = note;
    return KLDVE_OK;
}

const char *kx_note_at(const kx_notes *notes, int32_t index)
{
    const kx_note *note = notes->first;

    for (int32_t i = 0; note && i < index; i++)
        note = note->next;
    return note && index >= 0 ? note->text : NULL;
}
