/* font.h - a font of the system for a window. */
#ifndef FONT_H
#define FONT_H

#include <SDL_ttf.h>

/* The system's sans-serif font; NULL: SDL_GetError() says why. */
TTF_Font *font_open(int points, int bold);

#endif
