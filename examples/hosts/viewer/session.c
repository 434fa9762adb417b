#include "session.h"

#include <kldve/method.h>
#include <kldve/onnx.h>

#include <math.h>

enum {
    SHOWN_SIDE = 1600
}; /* pixels: pictures are shown no larger; the network sees the whole one */

struct session {
    SDL_Thread *thread;
    SDL_mutex *lock;
    SDL_cond *asked;
    Uint32 event;
    /* Under the lock. */
    struct question next;
    int waiting, quit;
    SDL_atomic_t thousandths, given_up;
    kldve_ctx *ctx; /* the worker's; the others only cancel what it does */
    /* The worker's own. */
    const char *network;
    kldve_explainer *explainer;
    kldve_image *photo, *shown; /* the picture, and the same as large as it is shown */
    const char *path;           /* of both */
};

/* Runs in the worker, within the calls of the library. */
static int32_t on_progress(void *opaque, const char *stage, int64_t done, int64_t total)
{
    struct session *session = opaque;

    (void)stage;
    if (total > 0)
        SDL_AtomicSet(&session->thousandths, (int)(1000 * done / total));
    return 0;
}

/* Once, with the first question. */
static int open_network(struct session *session)
{
    const kldve_onnx_options options = {.struct_size = sizeof options,
                                        .flags = KLDVE_ONNX_FLAG_VJP_INPUT};

    if (session->explainer)
        return 0;
    return kldve_onnx_explainer(session->ctx, session->network, &options, &session->explainer);
}

static void close_picture(struct session *session)
{
    kldve_image_free(session->shown);
    kldve_image_free(session->photo);
    session->shown = session->photo = NULL;
    session->path = NULL;
}

static int open_picture(struct session *session, const char *path)
{
    int32_t width, height, longer;

    if (session->path == path)
        return 0;
    close_picture(session);
    if (kldve_image_load(session->ctx, path, &session->photo))
        return 1;
    width = kldve_image_width(session->photo);
    height = kldve_image_height(session->photo);
    longer = SDL_max(SDL_max(width, height), SHOWN_SIDE);
    if (kldve_image_resize(session->ctx, session->photo, SDL_max(width * SHOWN_SIDE / longer, 1),
                           SDL_max(height * SHOWN_SIDE / longer, 1), &session->shown)) {
        close_picture(session);
        return 1;
    }
    session->path = path;
    return 0;
}

static SDL_Surface *to_surface(const kldve_image *image)
{
    const int width = kldve_image_width(image), height = kldve_image_height(image);
    SDL_Surface *made = SDL_CreateRGBSurfaceWithFormat(0, width, height, 24, SDL_PIXELFORMAT_RGB24);

    for (int y = 0; made && y < height; y++)
        SDL_memcpy((Uint8 *)made->pixels + (ptrdiff_t)y * made->pitch,
                   kldve_image_pixels(image) + (ptrdiff_t)y * width * 3, (size_t)width * 3);
    return made;
}

static void name_class(const struct session *session, struct answer_class *class)
{
    const char *name;

    if (kldve_labels_name(kldve_onnx_explainer_labels(session->explainer), class->index, &name) ==
        KLDVE_OK)
        SDL_utf8strlcpy(class->name, name, sizeof class->name);
    else
        SDL_snprintf(class->name, sizeof class->name, "class %d", (int)class->index);
}

/* Put a class into its place among the best, if it is one of them. */
static void insert(struct answer *answer, const float *logits, int32_t index)
{
    int32_t at = answer->count < SESSION_CLASSES ? answer->count++ : SESSION_CLASSES;

    for (; at > 0 && logits[answer->best[at - 1].index] < logits[index]; at--)
        if (at < SESSION_CLASSES)
            answer->best[at] = answer->best[at - 1];
    if (at < SESSION_CLASSES)
        answer->best[at].index = index;
}

static void rank(const struct session *session, const kldve_heatmap *map, struct answer *answer)
{
    const double *shares = NULL; /* a number has none */
    const float *logits = NULL;
    int32_t classes = 0;
    int found = 0;

    kldve_heatmap_logits(map, &logits, &classes);
    kldve_heatmap_probabilities(map, &shares, NULL);
    for (int32_t i = 0; i < classes; i++)
        insert(answer, logits, i);
    for (int32_t i = 0; i < answer->count; i++)
        found |= answer->best[i].index == answer->target;
    if (!found)
        answer->best[answer->count - 1].index = answer->target;
    for (int32_t i = 0; i < answer->count; i++) {
        answer->best[i].share = shares ? shares[answer->best[i].index] : (double)NAN;
        name_class(session, &answer->best[i]);
    }
}

/* The map, drawn so that the window can fade it in over the picture. */
static int explain(struct session *session, const struct question *question, struct answer *answer)
{
    const kldve_render_options opaque = {.struct_size = sizeof opaque, .opacity = 1};
    const kldve_options options = {.struct_size = sizeof options,
                                   .method = question->method,
                                   .target_kind = question->target < 0 ? KLDVE_TARGET_RANK
                                                                       : KLDVE_TARGET_INDEX,
                                   .target = question->target < 0 ? 0 : question->target};
    kldve_record record = {.struct_size = sizeof record};
    kldve_heatmap *map = NULL;
    kldve_image *drawn = NULL;
    const Uint64 start = SDL_GetPerformanceCounter();
    int failed = kldve_explain(session->explainer, session->photo, &options, &map);

    answer->ms =
        1e3 * (double)(SDL_GetPerformanceCounter() - start) / (double)SDL_GetPerformanceFrequency();
    failed = failed || kldve_heatmap_record(map, &record) ||
             kldve_heatmap_render(session->ctx, map, session->shown, &opaque, &drawn);
    if (!failed) {
        answer->target = record.target;
        rank(session, map, answer);
        answer->heat = to_surface(drawn);
    }
    kldve_image_free(drawn);
    kldve_heatmap_free(map);
    return failed;
}

static void answer_question(struct session *session, const struct question *question,
                            struct answer *answer)
{
    int failed = open_picture(session, question->picture);

    if (!failed)
        answer->photo = to_surface(session->shown);
    failed = failed || open_network(session) || explain(session, question, answer);
    if (failed)
        SDL_strlcpy(answer->trouble, kldve_ctx_message(session->ctx), sizeof answer->trouble);
    else if (!answer->photo || !answer->heat)
        SDL_strlcpy(answer->trouble, SDL_GetError(), sizeof answer->trouble);
}

/* Wait for the next question; 0: there will be none. */
static int next_question(struct session *session, struct question *question)
{
    int more;

    SDL_LockMutex(session->lock);
    while (!session->waiting && !session->quit)
        SDL_CondWait(session->asked, session->lock);
    more = !session->quit;
    *question = session->next;
    session->waiting = 0;
    SDL_AtomicSet(&session->thousandths, 0);
    if (more)
        kldve_ctx_resume(session->ctx); /* what was cancelled was the question before */
    SDL_UnlockMutex(session->lock);
    return more;
}

/* Hand the answer over, unless another question came meanwhile. */
static void send(struct session *session, Sint32 number, struct answer *answer)
{
    SDL_Event event = {.user = {.type = session->event, .code = number, .data1 = answer}};
    int outdated;

    SDL_LockMutex(session->lock);
    outdated = session->waiting || session->quit;
    SDL_UnlockMutex(session->lock);
    if (outdated)
        SDL_AtomicAdd(&session->given_up, 1);
    if (outdated || SDL_PushEvent(&event) != 1)
        answer_free(answer);
}

static int work(void *opaque)
{
    struct session *session = opaque;
    struct question question;

    while (next_question(session, &question)) {
        struct answer *answer = SDL_calloc(1, sizeof *answer);

        if (answer)
            answer_question(session, &question, answer);
        send(session, question.number, answer);
    }
    return 0;
}

struct session *session_new(const char *network, Uint32 event)
{
    struct session *session = SDL_calloc(1, sizeof *session);

    if (!session) {
        SDL_OutOfMemory();
        return NULL;
    }
    session->network = network;
    session->event = event;
    session->lock = SDL_CreateMutex();
    session->asked = SDL_CreateCond();
    if (kldve_ctx_new(NULL, &session->ctx) == KLDVE_OK)
        kldve_ctx_set_progress(session->ctx, on_progress, session);
    if (session->lock && session->asked && session->ctx)
        session->thread = SDL_CreateThread(work, "explain", session);
    if (!session->thread) {
        session_free(session);
        return NULL;
    }
    return session;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    if (session->thread) {
        SDL_LockMutex(session->lock);
        session->quit = 1;
        kldve_ctx_cancel(session->ctx);
        SDL_CondSignal(session->asked);
        SDL_UnlockMutex(session->lock);
        SDL_WaitThread(session->thread, NULL);
    }
    close_picture(session);
    kldve_explainer_free(session->explainer);
    kldve_ctx_free(session->ctx);
    SDL_DestroyCond(session->asked);
    SDL_DestroyMutex(session->lock);
    SDL_free(session);
}

void session_ask(struct session *session, const struct question *question)
{
    SDL_LockMutex(session->lock);
    session->next = *question;
    session->waiting = 1;
    kldve_ctx_cancel(session->ctx);
    SDL_CondSignal(session->asked);
    SDL_UnlockMutex(session->lock);
}

float session_progress(struct session *session)
{
    return (float)SDL_AtomicGet(&session->thousandths) / 1000;
}

int session_given_up(struct session *session)
{
    return SDL_AtomicGet(&session->given_up);
}

const char *session_method(int32_t index)
{
    const char *name = NULL;

    kldve_method_name(index, &name);
    return name;
}

void answer_free(struct answer *answer)
{
    if (!answer)
        return;
    SDL_FreeSurface(answer->photo);
    SDL_FreeSurface(answer->heat);
    SDL_free(answer);
}
