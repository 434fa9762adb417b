/* viewer.c - a window that shows why: pictures, classes with their probabilities, all methods.  A
 * thread of its own explains, and gives up what it does when the user wants to see something else.
 *
 *     viewer NETWORK.onnx PICTURE...
 *
 * Keys: up and down choose the class that is explained (or click on it), M and shift M the method,
 * space and backspace the picture, + and - how strong the heat is, escape ends.
 *
 * The environment variable VIEWER_KEYS presses keys, for tests: names of keys as SDL has them,
 * separated by spaces; "wait" waits for the answer, and FILE.bmp writes the window.  The program
 * then prints what each answer is to, and ends after the last key. */
#include "screen.h"

#include <stdio.h>
#include <string.h>

enum { POLL_MS = 50 }; /* how often the progress is drawn */

struct viewer {
    struct session *session;
    struct screen *screen;
    Uint32 answered; /* the event */
    const char *network, *const *picture;
    int pictures, at, methods, method;
    Sint32 asked, known; /* numbers of the last question, and of the one that has its answer */
    struct answer *answer;
    float opacity;
    const char *keys; /* that are still to be pressed; NULL: a user presses them */
    int failed, ended;
};

static void ask(struct viewer *v, int32_t target)
{
    const struct question question = {.picture = v->picture[v->at],
                                      .method = session_method(v->method),
                                      .target = target,
                                      .number = ++v->asked};

    session_ask(v->session, &question);
}

/* The class that the user looks at, or -1. */
static int32_t target_of(const struct viewer *v)
{
    return v->answer && !*v->answer->trouble ? v->answer->target : -1;
}

/* The name of a class in the list. */
static const char *class_of(const struct answer *answer, int32_t index)
{
    for (int i = 0; i < answer->count; i++)
        if (answer->best[i].index == index)
            return answer->best[i].name;
    return "";
}

static void take(struct viewer *v, Sint32 number, struct answer *answer)
{
    if (number != v->asked) { /* was on its way when the user asked for something else */
        answer_free(answer);
        return;
    }
    answer_free(v->answer);
    v->answer = answer;
    v->known = number;
    if (!answer || screen_load(v->screen, answer)) {
        fprintf(stderr, "viewer: %s\n", answer ? SDL_GetError() : "out of memory");
        v->failed = v->ended = 1;
    } else if (v->keys) {
        printf("%s: %s: %s\n", v->picture[v->at], session_method(v->method),
               *answer->trouble ? answer->trouble : class_of(answer, answer->target));
    }
}

static void choose_row(struct viewer *v, int row)
{
    if (v->answer && row >= 0 && row < v->answer->count)
        ask(v, v->answer->best[row].index);
}

static void step_class(struct viewer *v, int step)
{
    for (int i = 0; v->answer && i < v->answer->count; i++)
        if (v->answer->best[i].index == v->answer->target) {
            choose_row(v, i + step);
            return;
        }
}

static void step_method(struct viewer *v, int step)
{
    v->method = (v->method + step + v->methods) % v->methods;
    ask(v, target_of(v));
}

static void step_picture(struct viewer *v, int step)
{
    v->at = (v->at + step + v->pictures) % v->pictures;
    ask(v, -1);
}

static void step_opacity(struct viewer *v, float step)
{
    v->opacity = SDL_clamp(v->opacity + step, 0.0f, 1.0f);
}

static void press(struct viewer *v, SDL_Keysym key)
{
    const int back = key.mod & KMOD_SHIFT ? -1 : 1;

    switch (key.sym) {
    case SDLK_ESCAPE:
    case SDLK_q:
        v->ended = 1;
        break;
    case SDLK_UP:
        step_class(v, -1);
        break;
    case SDLK_DOWN:
        step_class(v, 1);
        break;
    case SDLK_m:
        step_method(v, back);
        break;
    case SDLK_SPACE:
    case SDLK_RIGHT:
        step_picture(v, 1);
        break;
    case SDLK_BACKSPACE:
    case SDLK_LEFT:
        step_picture(v, -1);
        break;
    case SDLK_PLUS:
    case SDLK_EQUALS:
    case SDLK_KP_PLUS:
        step_opacity(v, 0.1f);
        break;
    case SDLK_MINUS:
    case SDLK_KP_MINUS:
        step_opacity(v, -0.1f);
        break;
    default:
        break;
    }
}

static struct view view_of(const struct viewer *v)
{
    return (struct view){.network = v->network,
                         .picture = v->picture[v->at],
                         .method = session_method(v->method),
                         .answer = v->answer,
                         .opacity = v->opacity,
                         .progress = v->known == v->asked ? -1 : session_progress(v->session)};
}

/* Do one word of VIEWER_KEYS that is no key; 0: it is one. */
static int do_word(struct viewer *v, const char *word)
{
    const struct view view = view_of(v);

    if (strcmp(word, "wait") == 0)
        return 1;
    if (strstr(word, ".bmp")) {
        v->failed |= screen_save(v->screen, &view, word);
        if (v->failed)
            fprintf(stderr, "viewer: %s\n", SDL_GetError());
        return 1;
    }
    if (SDL_atoi(word) > 0)
        SDL_Delay((Uint32)SDL_atoi(word));
    return SDL_atoi(word) > 0;
}

/* Press the keys up to the next word that waits for an answer. */
static void press_keys(struct viewer *v)
{
    while (*v->keys) {
        const size_t length = strcspn(v->keys, " ");
        char word[256] = "";
        SDL_Keysym key = {.sym = SDLK_UNKNOWN};

        SDL_strlcpy(word, v->keys, SDL_min(length + 1, sizeof word));
        if (strcmp(word, "wait") == 0 && v->known != v->asked)
            return;
        v->keys += length + (v->keys[length] == ' ');
        if (!do_word(v, word)) {
            key.sym = SDL_GetKeyFromName(word);
            press(v, key);
        }
    }
    v->ended = 1;
}

static void handle(struct viewer *v, const SDL_Event *event)
{
    if (event->type == v->answered)
        take(v, event->user.code, event->user.data1);
    else if (event->type == SDL_QUIT)
        v->ended = 1;
    else if (event->type == SDL_KEYDOWN)
        press(v, event->key.keysym);
    else if (event->type == SDL_MOUSEBUTTONDOWN)
        choose_row(v, screen_row_at(v->screen, event->button.x, event->button.y));
    else if (event->type == SDL_MOUSEWHEEL)
        step_opacity(v, 0.05f * (float)event->wheel.y);
}

static void show(struct viewer *v)
{
    SDL_Event event;

    ask(v, -1);
    while (!v->ended) {
        const int wait = v->keys || v->known != v->asked ? POLL_MS : -1;
        const struct view view = view_of(v);

        screen_draw(v->screen, &view);
        if (v->keys)
            press_keys(v);
        if (SDL_WaitEventTimeout(&event, wait))
            do
                handle(v, &event);
            while (SDL_PollEvent(&event));
    }
}

/* Answers that nobody has taken. */
static void drop_answers(const struct viewer *v)
{
    SDL_Event event;

    while (SDL_PeepEvents(&event, 1, SDL_GETEVENT, v->answered, v->answered) > 0)
        answer_free(event.user.data1);
}

static int run(struct viewer *v)
{
    if (!(v->screen = screen_new("kldve")) ||
        !(v->session = session_new(v->network, v->answered))) {
        fprintf(stderr, "viewer: %s\n", SDL_GetError());
        v->failed = 1;
    } else {
        show(v);
    }
    if (v->keys && v->session)
        printf("%d given up\n", session_given_up(v->session));
    session_free(v->session);
    drop_answers(v);
    answer_free(v->answer);
    screen_free(v->screen);
    return v->failed;
}

int main(int argc, char **argv)
{
    struct viewer v = {.opacity = 0.5f, .keys = SDL_getenv("VIEWER_KEYS")};

    if (argc < 3) {
        fprintf(stderr, "usage: viewer NETWORK.onnx PICTURE...\n");
        return 2;
    }
    if (SDL_Init(SDL_INIT_VIDEO)) {
        fprintf(stderr, "viewer: %s\n", SDL_GetError());
        v.failed = 1;
    } else {
        v.answered = SDL_RegisterEvents(1);
        v.network = argv[1];
        v.picture = (const char *const *)(argv + 2);
        v.pictures = argc - 2;
        while (session_method(v.methods))
            v.methods++;
        run(&v);
    }
    SDL_Quit();
    return v.failed;
}
