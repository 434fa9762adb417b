#include "screen.h"

#include <math.h>

#include "font.h"

enum {
    WIDTH = 1080, /* of the window at first, pixels */
    HEIGHT = 680,
    PANEL = 340, /* width of what stands on the right */
    GAP = 20,
    ROW = 30, /* height of a class in the list */
    LIST_TOP = 196
};

static const SDL_Color paper = {24, 26, 31, 255}, panel_colour = {33, 36, 43, 255},
                       ink = {230, 232, 236, 255}, grey = {142, 148, 160, 255},
                       bar = {61, 68, 82, 255}, accent = {255, 159, 67, 255},
                       chosen = {92, 64, 34, 255}, alarm = {255, 110, 104, 255};

struct screen {
    SDL_Window *window;
    SDL_Renderer *renderer;
    TTF_Font *normal, *bold;
    SDL_Texture *photo, *heat;
    int rows; /* of the list, as drawn last */
};

struct screen *screen_new(const char *title)
{
    struct screen *screen = SDL_calloc(1, sizeof *screen);

    if (!screen) {
        SDL_OutOfMemory();
        return NULL;
    }
    if (TTF_Init() == 0)
        screen->window = SDL_CreateWindow(title, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED,
                                          WIDTH, HEIGHT, SDL_WINDOW_RESIZABLE);
    if (screen->window)
        screen->renderer = SDL_CreateRenderer(screen->window, -1, 0);
    if (!screen->renderer || !(screen->normal = font_open(14, 0)) ||
        !(screen->bold = font_open(16, 1))) {
        screen_free(screen);
        return NULL;
    }
    SDL_SetWindowMinimumSize(screen->window, 2 * PANEL, LIST_TOP + 4 * ROW);
    return screen;
}

void screen_free(struct screen *screen)
{
    if (!screen)
        return;
    SDL_DestroyTexture(screen->heat);
    SDL_DestroyTexture(screen->photo);
    if (screen->bold)
        TTF_CloseFont(screen->bold);
    if (screen->normal)
        TTF_CloseFont(screen->normal);
    if (screen->renderer)
        SDL_DestroyRenderer(screen->renderer);
    if (screen->window)
        SDL_DestroyWindow(screen->window);
    if (TTF_WasInit())
        TTF_Quit();
    SDL_free(screen);
}

/* Replace a texture by a surface, or by nothing. */
static int replace(struct screen *screen, SDL_Texture **texture, SDL_Surface *by)
{
    if (*texture)
        SDL_DestroyTexture(*texture);
    *texture = NULL;
    if (!by)
        return 0;
    *texture = SDL_CreateTextureFromSurface(screen->renderer, by);
    if (!*texture)
        return -1;
    SDL_SetTextureScaleMode(*texture, SDL_ScaleModeLinear);
    return SDL_SetTextureBlendMode(*texture, SDL_BLENDMODE_BLEND);
}

int screen_load(struct screen *screen, const struct answer *answer)
{
    const int failed = replace(screen, &screen->photo, answer->photo);

    return failed ? failed : replace(screen, &screen->heat, answer->heat);
}

static void fill(struct screen *screen, SDL_Color c, SDL_Rect where)
{
    SDL_SetRenderDrawColor(screen->renderer, c.r, c.g, c.b, c.a);
    SDL_RenderFillRect(screen->renderer, &where);
}

/* One line of text from x to `end`, cut off there; with `end` before x it ends at x. */
static void write(struct screen *screen, TTF_Font *font, SDL_Color c, int x, int y, int end,
                  const char *text)
{
    SDL_Surface *drawn = *text ? TTF_RenderUTF8_Blended(font, text, c) : NULL;
    SDL_Texture *texture = drawn ? SDL_CreateTextureFromSurface(screen->renderer, drawn) : NULL;

    if (texture) {
        const int width = end < x ? drawn->w : SDL_min(drawn->w, end - x);
        const SDL_Rect from = {0, 0, width, drawn->h};
        const SDL_Rect to = {end < x ? x - width : x, y, width, drawn->h};

        SDL_RenderCopy(screen->renderer, texture, &from, &to);
        SDL_DestroyTexture(texture);
    }
    SDL_FreeSurface(drawn);
}

/* The picture as large as it fits, and the heat over it. */
static void draw_picture(struct screen *screen, const struct view *view, SDL_Rect room)
{
    SDL_Rect where;
    float scale;
    int width, height;

    if (!screen->photo || SDL_QueryTexture(screen->photo, NULL, NULL, &width, &height))
        return;
    scale = SDL_min((float)room.w / (float)width, (float)room.h / (float)height);
    where.w = (int)lroundf((float)width * scale);
    where.h = (int)lroundf((float)height * scale);
    where.x = room.x + (room.w - where.w) / 2;
    where.y = room.y + (room.h - where.h) / 2;
    SDL_RenderCopy(screen->renderer, screen->photo, NULL, &where);
    if (screen->heat) {
        SDL_SetTextureAlphaMod(screen->heat, (Uint8)lroundf(255 * view->opacity));
        SDL_RenderCopy(screen->renderer, screen->heat, NULL, &where);
    }
}

static void draw_class(struct screen *screen, const struct answer_class *class, int is_target,
                       SDL_Rect where)
{
    char share[16] = "";
    SDL_Rect part = where;

    fill(screen, is_target ? chosen : panel_colour, where);
    if (!isnan(class->share)) {
        part.w = (int)lround(where.w * class->share);
        part.y += where.h - 4;
        part.h = 3;
        fill(screen, is_target ? accent : bar, part);
        SDL_snprintf(share, sizeof share, "%.1f %%", 100 * class->share);
    }
    write(screen, screen->normal, is_target ? accent : ink, where.x + 8, where.y + 4,
          where.x + where.w - 70, class->name);
    write(screen, screen->normal, is_target ? accent : grey, where.x + where.w - 8, where.y + 4, 0,
          share);
}

/* A name and its value, and the keys that change it. */
static void draw_choice(struct screen *screen, int x, int y, const char *name, const char *value,
                        const char *keys)
{
    write(screen, screen->normal, grey, x, y, x + 70, name);
    write(screen, screen->normal, ink, x + 76, y, x + PANEL - 2 * GAP - 60, value);
    write(screen, screen->normal, grey, x + PANEL - 2 * GAP, y, 0, keys);
}

static const char *file_name(const char *path)
{
    const char *slash = SDL_strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void draw_choices(struct screen *screen, const struct view *view, int x)
{
    const SDL_Rect line = {x + 76, 142, PANEL - 2 * GAP - 76 - 70, 4};
    SDL_Rect part = line;

    part.w = (int)lroundf((float)line.w * view->opacity);
    write(screen, screen->bold, ink, x, 20, x + PANEL - 2 * GAP, file_name(view->network));
    draw_choice(screen, x, 64, "picture", file_name(view->picture), "space");
    draw_choice(screen, x, 94, "method", view->method, "M");
    draw_choice(screen, x, 134, "heat", "", "+  -");
    fill(screen, bar, line);
    fill(screen, accent, part);
    write(screen, screen->normal, grey, x, 170, x + PANEL, "why this class?");
    write(screen, screen->normal, grey, x + PANEL - 2 * GAP, 170, 0, "up, down");
}

static void draw_classes(struct screen *screen, const struct view *view, SDL_Rect room)
{
    const struct answer *answer = view->answer;

    screen->rows = answer ? SDL_min(answer->count, room.h / ROW) : 0;
    for (int i = 0; i < screen->rows; i++)
        draw_class(screen, &answer->best[i], answer->best[i].index == answer->target,
                   (SDL_Rect){room.x, room.y + i * ROW, room.w, ROW - 2});
}

/* Lines of text, broken where they have to be. */
static void write_lines(struct screen *screen, SDL_Color c, SDL_Rect room, const char *text)
{
    SDL_Surface *drawn =
        *text ? TTF_RenderUTF8_Blended_Wrapped(screen->normal, text, c, (Uint32)room.w) : NULL;
    SDL_Texture *texture = drawn ? SDL_CreateTextureFromSurface(screen->renderer, drawn) : NULL;

    if (texture) {
        const SDL_Rect to = {room.x, room.y + room.h - drawn->h, drawn->w, drawn->h};

        SDL_RenderCopy(screen->renderer, texture, NULL, &to);
        SDL_DestroyTexture(texture);
    }
    SDL_FreeSurface(drawn);
}

/* What the worker does, or what came out of it. */
static void draw_state(struct screen *screen, const struct view *view, SDL_Rect room)
{
    char text[64] = "";
    SDL_Rect part = {room.x, room.y + room.h + 6, room.w, 3};

    if (view->progress >= 0) {
        fill(screen, bar, part);
        part.w = (int)lroundf((float)part.w * view->progress);
        fill(screen, accent, part);
        write_lines(screen, grey, room, "explaining ...");
    } else if (view->answer && *view->answer->trouble) {
        write_lines(screen, alarm, room, view->answer->trouble);
    } else if (view->answer) {
        SDL_snprintf(text, sizeof text, "%.0f ms", view->answer->ms);
        write_lines(screen, grey, room, text);
    }
}

static void paint(struct screen *screen, const struct view *view)
{
    int width, height;

    SDL_GetRendererOutputSize(screen->renderer, &width, &height);
    SDL_SetRenderDrawColor(screen->renderer, paper.r, paper.g, paper.b, paper.a);
    SDL_RenderClear(screen->renderer);
    fill(screen, panel_colour, (SDL_Rect){width - PANEL, 0, PANEL, height});
    draw_picture(screen, view, (SDL_Rect){GAP, GAP, width - PANEL - 2 * GAP, height - 2 * GAP});
    draw_choices(screen, view, width - PANEL + GAP);
    draw_classes(
        screen, view,
        (SDL_Rect){width - PANEL + GAP, LIST_TOP, PANEL - 2 * GAP, height - LIST_TOP - 70});
    draw_state(screen, view, (SDL_Rect){width - PANEL + GAP, height - 60, PANEL - 2 * GAP, 40});
}

void screen_draw(struct screen *screen, const struct view *view)
{
    paint(screen, view);
    SDL_RenderPresent(screen->renderer);
}

int screen_save(struct screen *screen, const struct view *view, const char *path)
{
    SDL_Surface *copy;
    int width, height, failed;

    paint(screen, view); /* what was presented cannot be read */
    SDL_GetRendererOutputSize(screen->renderer, &width, &height);
    copy = SDL_CreateRGBSurfaceWithFormat(0, width, height, 24, SDL_PIXELFORMAT_RGB24);
    failed = !copy ||
             SDL_RenderReadPixels(screen->renderer, NULL, SDL_PIXELFORMAT_RGB24, copy->pixels,
                                  copy->pitch) ||
             SDL_SaveBMP(copy, path);
    SDL_FreeSurface(copy);
    return failed ? -1 : 0;
}

int screen_row_at(struct screen *screen, int x, int y)
{
    int width, height;

    SDL_GetRendererOutputSize(screen->renderer, &width, &height);
    if (x < width - PANEL + GAP || x >= width - GAP || y < LIST_TOP ||
        y >= LIST_TOP + screen->rows * ROW)
        return -1;
    return (y - LIST_TOP) / ROW;
}
