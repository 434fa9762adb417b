/* screen.h - the window: the picture with its heat on the left, what the user can choose on the
 * right. */
#ifndef SCREEN_H
#define SCREEN_H

#include "session.h"

/* What is shown. */
struct view {
    const char *network, *picture, *method;
    const struct answer *answer; /* NULL: there is none yet */
    float opacity;               /* of the heat, 0..1 */
    float progress;              /* of the question, 0..1; negative: all is answered */
};

struct screen;

/* NULL: SDL_GetError() says why. */
struct screen *screen_new(const char *title);

/* Accepts NULL. */
void screen_free(struct screen *screen);

/* Take over the pictures of a new answer; 0, or -1 with SDL_GetError(). */
int screen_load(struct screen *screen, const struct answer *answer);

void screen_draw(struct screen *screen, const struct view *view);

/* Write the window as a .bmp; 0, or -1 with SDL_GetError(). */
int screen_save(struct screen *screen, const struct view *view, const char *path);

/* The row of the class list at a place in the window, from 0; -1: there is none. */
int screen_row_at(struct screen *screen, int x, int y);

#endif
