/* test_faults.c - every allocation of the process fails once, whoever asks for it; that one and all
 * later ones; all that would take more than so many bytes.  The call returns KLDVE_E_NOMEM, or the
 * right map without, nothing of ours is left, and the next call works.
 *
 *     test_faults [POINTS [SCENARIO [FIRST [MODE]]]]
 *
 * tries some POINTS, evenly spread; 0 tries the point FIRST in this process, for a debugger.
 * Each point is a process of its own, so that a crash is one point.  What ends badly is listed with
 * the function that asked last.  oneDNN writes to null pointers that it got (docs/reliability.md),
 * so a crash of its own is no failure of this test, unless memory is short as it is in practice:
 * above a number of bytes. */
#define _GNU_SOURCE 1 /* MAP_ANONYMOUS */

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kldve/onnx.h>

#include "fault.h"

enum { SECONDS = 20, BLAMED = 64, SIDE = 64 };

/* What calls need and make. */
typedef struct session {
    kldve_ctx *ctx;
    kldve_explainer *ex;
    kldve_image *picture;
    kldve_heatmap *map; /* of the last call that explained */
    const char *method;
} session;

typedef struct scenario {
    const char *name;
    kldve_status (*act)(session *s);
    bool explainer; /* of the demonstration network, opened before */
    const char *method;
} scenario;

/* ---- the calls ------------------------------------------------------------------------------ */

static kldve_status open_explainer(session *s, kldve_explainer **out)
{
    const kldve_onnx_options how = {
        .struct_size = sizeof how, .threads = 1, .flags = KLDVE_ONNX_FLAG_VJP_INPUT};

    return kldve_onnx_explainer(s->ctx, NULL, &how, out);
}

static kldve_status act_open(session *s)
{
    kldve_explainer *ex = NULL;
    kldve_status st = open_explainer(s, &ex);

    kldve_explainer_free(ex);
    return st;
}

static kldve_status act_card(session *s)
{
    kldve_onnx_files files = {.struct_size = sizeof files};
    kldve_card *card = NULL;
    kldve_status st = kldve_onnx_demo(&files);

    if (st == KLDVE_OK)
        st = kldve_card_parse(s->ctx, files.card, files.card_nbytes, NULL, &card);
    kldve_card_free(card);
    return st;
}

static kldve_status act_explain(session *s)
{
    kldve_options why = {.struct_size = sizeof why, .method = s->method, .samples = 5};
    kldve_image *drawn = NULL;
    kldve_status st;

    if (strcmp(s->method, "rise") != 0 && strcmp(s->method, "lime") != 0)
        why.samples = 0;
    s->map = NULL;
    st = kldve_explain(s->ex, s->picture, &why, &s->map);
    if (st == KLDVE_OK)
        st = kldve_heatmap_render(s->ctx, s->map, s->picture, NULL, &drawn);
    kldve_image_free(drawn);
    return st;
}

static kldve_status act_first(session *s)
{
    kldve_status st = open_explainer(s, &s->ex);

    if (st == KLDVE_OK)
        st = act_explain(s);
    kldve_explainer_free(s->ex);
    s->ex = NULL;
    return st;
}

static kldve_status through_file(session *s, int32_t format)
{
    kldve_image *read = NULL;
    void *bytes = NULL;
    size_t nbytes = 0;
    kldve_status st = kldve_image_encode(s->ctx, s->picture, format, 0, &bytes, &nbytes);

    if (st == KLDVE_OK)
        st = kldve_image_decode(s->ctx, bytes, nbytes, &read);
    kldve_image_free(read);
    kldve_ctx_release(s->ctx, bytes);
    return st;
}

static kldve_status act_png(session *s)
{
    return through_file(s, KLDVE_FILE_FORMAT_PNG);
}

static kldve_status act_jpeg(session *s)
{
    return through_file(s, KLDVE_FILE_FORMAT_JPEG);
}

static const scenario scenarios[] = {
    {"open", act_open, false, NULL},
    {"card", act_card, false, NULL},
    {"png", act_png, false, NULL},
    {"jpeg", act_jpeg, false, NULL},
    {"open and explain", act_first, false, "kl-dve"},
    {"kl-dve", act_explain, true, "kl-dve"},
    {"eigen-cam", act_explain, true, "eigen-cam"},
    {"lrp-composite", act_explain, true, "lrp-composite"},
    {"full-grad", act_explain, true, "full-grad"},
    {"guided-backprop", act_explain, true, "guided-backprop"},
    {"score-cam", act_explain, true, "score-cam"},
    {"rise", act_explain, true, "rise"},
    {"lime", act_explain, true, "lime"},
};

/* ---- a point ------------------------------------------------------------------------------- */

enum { GOOD, WRONG_STATUS = 10, NO_MESSAGE, NOT_AGAIN, WRONG_MAP, LEFT_BEHIND, NO_SETUP };

static void must(kldve_status st)
{
    if (st != KLDVE_OK)
        _exit(NO_SETUP);
}

static void set_up(const scenario *what, session *s)
{
    static unsigned char rgb[3 * SIDE * SIDE];
    kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, SIDE, SIDE, rgb, 0);

    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (unsigned char)(7 * i);
    *s = (session){.method = what->method};
    must(kldve_ctx_new(NULL, &s->ctx));
    must(kldve_image_from_pixels(s->ctx, &pixels, &s->picture));
    if (what->explainer)
        must(open_explainer(s, &s->ex));
}

/* Within rounding: without memory oneDNN may take other code.  NULL: of calls without a map. */
static bool alike(const kldve_heatmap *a, const kldve_heatmap *b)
{
    const float *x, *y;
    int32_t nx, ny;

    if (!a || !b)
        return a == b;
    if (kldve_heatmap_values(a, &x, &nx) != KLDVE_OK ||
        kldve_heatmap_values(b, &y, &ny) != KLDVE_OK || nx != ny)
        return false;
    for (int32_t i = 0; i < nx; i++)
        if (!(fabsf(x[i] - y[i]) <= 1e-3f))
            return false;
    return true;
}

/* What fails: allocation n; that one and all later ones; all that would make more than n bytes. */
enum mode { ONE, ALL_FROM, ABOVE, MODES };

/* Of a run without a fault. */
typedef struct totals {
    long allocations, bytes; /* bytes: the most at a time */
} totals;

/* In a process of its own. */
static int try_point(const scenario *what, long n, enum mode mode, totals *all)
{
    session s;
    size_t now = 0, most = 0;
    kldve_heatmap *map;
    kldve_status st;

    set_up(what, &s);
    if (mode == ABOVE)
        fault_above((size_t)n);
    else
        fault_from(n, mode == ALL_FROM);
    st = what->act(&s);
    *all = (totals){.allocations = fault_end(), .bytes = (long)fault_peak()};
    map = s.map;
    if (st != KLDVE_OK && st != KLDVE_E_NOMEM) {
        printf("    %ld: %s: %s\n", n, kldve_status_name(st), kldve_ctx_message(s.ctx));
        fflush(stdout);
        return WRONG_STATUS;
    }
    if (st != KLDVE_OK && !strstr(kldve_ctx_message(s.ctx), "memory"))
        return NO_MESSAGE;
    if (what->act(&s) != KLDVE_OK)
        return NOT_AGAIN;
    if (st == KLDVE_OK && !alike(map, s.map))
        return WRONG_MAP;
    kldve_heatmap_free(map);
    kldve_heatmap_free(s.map);
    kldve_explainer_free(s.ex);
    kldve_image_free(s.picture);
    must(kldve_ctx_memory(s.ctx, &now, &most));
    kldve_ctx_free(s.ctx);
    return now == 0 ? GOOD : LEFT_BEHIND;
}

static int run_point(const scenario *what, long n, enum mode mode, totals *all)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(NO_SETUP);
        alarm(SECONDS);
        _exit(try_point(what, n, mode, all));
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("test_faults");
        exit(1);
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- all points ---------------------------------------------------------------------------- */

typedef struct blame {
    char what[160];
    long points, first;
} blame;

static void add_blame(blame list[BLAMED], int result, long n)
{
    char what[sizeof list->what];
    int i = 0;

    snprintf(what, sizeof what, "%s %d: %s %s", result < 0 ? "signal" : "failure", abs(result),
             fault_library(), fault_function());
    while (i < BLAMED - 1 && list[i].points > 0 && strcmp(list[i].what, what) != 0)
        i++;
    memcpy(list[i].what, what, sizeof what);
    if (list[i].points++ == 0)
        list[i].first = n;
}

/* @return failures: points that did not end well, but for crashes of oneDNN's. */
static long run(const scenario *what, long first, long points, enum mode mode, totals *shared)
{
    static const char *const names[MODES] = {"one fails", "all from it on fail", "memory is short"};
    blame list[BLAMED] = {{{0}, 0, 0}};
    long bad = 0, crashes = 0, tried = 0, last, step;

    if (run_point(what, -1, ONE, shared) != GOOD) {
        printf("%s: fails without a fault\n", what->name);
        return 1;
    }
    last = mode == ABOVE ? shared->bytes : shared->allocations;
    step = last > points ? last / points : 1;
    for (long n = first; n < last; n += step, tried++) {
        int result = run_point(what, n, mode, shared);

        if (result == GOOD)
            continue;
        if (result < 0 && mode != ABOVE && strncmp(fault_library(), "libdnnl.", 8) == 0)
            crashes++;
        else
            bad++;
        add_blame(list, result, n);
    }
    printf("%-16s %-20s of %ld points of %ld: %ld failures, %ld crashes of oneDNN\n", what->name,
           names[mode], tried, last, bad, crashes);
    for (int i = 0; i < BLAMED && list[i].points > 0; i++)
        printf("    %5ld %s, the first at %ld\n", list[i].points, list[i].what, list[i].first);
    return bad;
}

int main(int argc, char **argv)
{
    long points = argc > 1 ? strtol(argv[1], NULL, 10) : LONG_MAX, bad = 0;
    long first = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    long mode = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
    totals *all =
        mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (points < 0 || all == MAP_FAILED)
        return 2;
    fault_from(-1, false); /* what it shares with children is there before them */
    fault_end();
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (points == 0 && strcmp(argv[2], scenarios[i].name) == 0)
            return try_point(&scenarios[i], first, (enum mode)mode, all);
        else if (argc <= 2 || strcmp(argv[2], scenarios[i].name) == 0)
            for (int m = 0; m < MODES; m++)
                bad += run(&scenarios[i], first, points, (enum mode)m, all);
    printf("%ld failures in all\n", bad);
    return bad > 0;
}
