/* bench_explain.c - what does an explanation cost on top of the inference that runs anyway?
 *
 *     bench-explain LIBONNXRUNTIME.so [--threads N] [--batch N | --contexts N] [--rounds N]
 *                   [--clock wall|processor] [--json FILE] MODEL.onnx...
 *
 * The peer is ONNX Runtime's forward pass alone; ours is the whole explanation with the reading
 * `contrast`: forward + divergence + VJP + map.  Both run in one process and alternate.  It prints
 * medians over the rounds; for ratios, the median of the ratios round by round.
 *
 * One input at a time: the times; the time from opening to the first result and the largest
 * resident memory, each measured in a separate process; the stages.
 *
 * --clock processor: the processor time of the process instead of the time on the wall, for a
 * machine on which others work, too; of one thread.
 *
 * --batch N: N inputs at a time: pictures per second, and the gain of the batch over the same N one
 * by one.  ONNX Runtime needs a file that leaves the number of inputs open: see free_batch.py.
 *
 * --contexts N: N threads, each with a context and an explainer on one loaded network, compared
 * with one of them alone; for ONNX Runtime one session in N threads.  Each run uses one thread. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kldve/onnx.h>

#include "bench.h"
#include "ort.h"

enum {
    WARM_UPS = 3,   /* runs before the first round */
    COUNTED = 5,    /* runs per turn with several threads; their median is the turn's time */
    PAUSE_MS = 200, /* before such a turn; see turn() */
    CROWD_MS = 300, /* length of a crowd's turn, since its threads end at different times */
    KEPT = 64       /* runs whose stages are kept */
};

typedef struct task {
    const char *model;
    int threads, batch, contexts;
    size_t rounds;
    kldve_shape shape;
} task;

static void *allocate(size_t count, size_t nbytes)
{
    void *memory = calloc(count, nbytes);

    if (!memory)
        die("memory", "out of memory");
    return memory;
}

/* Uniform in -1..1; [batch][in_channels][in_height][in_width]. */
static float *make_inputs(const task *t)
{
    const kldve_shape *s = &t->shape;
    size_t n =
        (size_t)t->batch * (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
    float *input = allocate(n, sizeof *input);
    uint32_t seed = 1;

    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        input[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
    return input;
}

/* ---- ours ---- */

enum { FORWARD, DIVERGENCE, BACKWARD, REDUCE, STAGES };

typedef struct own {
    kldve_ctx *ctx;
    kldve_onnx *net; /* NULL: shared */
    kldve_explainer *explainer;
    const float *inputs; /* borrowed, [count][step] */
    size_t count, step;
    kldve_heatmap **maps; /* [count] */
    bool together;
    double stage[STAGES][KEPT]; /* of the first input */
    size_t runs;
} own;

static void must(const own *o, kldve_status st)
{
    if (st < 0)
        die("libkldve", kldve_ctx_message(o->ctx));
}

static kldve_status own_load(own *o, const char *model, int threads, int batch)
{
    kldve_onnx_options options = {
        .struct_size = sizeof options, .threads = threads, .batch = batch};

    if (kldve_ctx_new(NULL, &o->ctx) < 0)
        die("libkldve", "out of memory");
    return kldve_onnx_load(o->ctx, model, &options, &o->net);
}

/* Uses `net`, which belongs to `o` or to another. */
static void own_open(own *o, const kldve_onnx *net, const task *t, const float *inputs)
{
    const kldve_shape *s = &t->shape;

    if (!o->ctx && kldve_ctx_new(NULL, &o->ctx) < 0)
        die("libkldve", "out of memory");
    must(o, kldve_explainer_new(o->ctx, kldve_onnx_backend(), net, &o->explainer));
    o->inputs = inputs;
    o->count = (size_t)t->batch;
    o->step = (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
    o->maps = allocate(o->count, sizeof(kldve_heatmap *));
}

static own *own_new(const task *t, bool together, const float *inputs)
{
    own *o = allocate(1, sizeof *o);

    must(o, own_load(o, t->model, t->threads, together ? t->batch : 0));
    own_open(o, o->net, t, inputs);
    o->together = together && t->batch > 1;
    return o;
}

static own *own_beside(const own *first, const task *t, const float *inputs)
{
    own *o = allocate(1, sizeof *o);

    own_open(o, first->net, t, inputs);
    return o;
}

static void own_run(void *with)
{
    own *o = with;
    kldve_timings stage = {.struct_size = sizeof stage};

    if (o->together)
        must(o, kldve_explain_inputs(o->explainer, o->inputs, (int32_t)o->count, NULL, o->maps));
    for (size_t i = 0; i < o->count && !o->together; i++)
        must(o, kldve_explain_input(o->explainer, o->inputs + i * o->step, NULL, &o->maps[i]));
    must(o, kldve_heatmap_timings(o->maps[0], &stage));
    o->stage[FORWARD][o->runs % KEPT] = stage.forward;
    o->stage[DIVERGENCE][o->runs % KEPT] = stage.divergence;
    o->stage[BACKWARD][o->runs % KEPT] = stage.backward;
    o->stage[REDUCE][o->runs % KEPT] = stage.reduce;
    o->runs++;
    for (size_t i = 0; i < o->count; i++)
        kldve_heatmap_free(o->maps[i]);
}

static void own_free(own *o)
{
    kldve_explainer_free(o->explainer);
    kldve_onnx_free(o->net);
    kldve_ctx_free(o->ctx);
    free(o->maps);
    free(o);
}

/* ---- theirs ---- */

typedef struct other {
    peer *session;
    int times;
} other;

static void other_run(void *with)
{
    const other *o = with;

    for (int i = 0; i < o->times; i++)
        peer_run(o->session);
}

/* All inputs of the task together, or as many runs with one input. */
static other other_new(const task *t, bool together, float *inputs)
{
    other o = {peer_open(t->model, t->threads), together ? 1 : t->batch};

    peer_set_inputs(o.session, &t->shape, together ? t->batch : 1, inputs);
    return o;
}

/* ---- a crowd: several threads, each with its own work ---- */

typedef struct member {
    void (*run)(void *);
    void *with;
    int times;
} member;

typedef struct crowd {
    member *members;
    int count;
} crowd;

static void *member_run(void *with)
{
    const member *m = with;

    for (int i = 0; i < m->times; i++)
        m->run(m->with);
    return NULL;
}

static void crowd_run(void *with)
{
    const crowd *c = with;
    pthread_t *thread = allocate((size_t)c->count, sizeof *thread);

    for (int i = 0; i < c->count; i++)
        if (pthread_create(&thread[i], NULL, member_run, &c->members[i]) != 0)
            die("thread", "cannot start");
    for (int i = 0; i < c->count; i++)
        pthread_join(thread[i], NULL);
    free(thread);
}

/* ---- taking turns ---- */

typedef struct contender {
    void (*run)(void *);
    void *with;
    double *ms; /* [rounds] */
} contender;

static double (*clock_now)(void) = now;

static double run_once(const contender *c)
{
    double start = clock_now();

    c->run(c->with);
    return clock_now() - start;
}

/* Worker threads keep spinning after their library's turn, on the cores that the other library
 * needs next: ONNX Runtime's for some 30 ms, OpenMP's for some 10.  The pause lets them fall
 * asleep; the uncounted run after it wakes the threads whose turn it is. */
static double turn(const contender *c)
{
    struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    double ms[COUNTED];

    nanosleep(&pause, NULL);
    c->run(c->with);
    for (int i = 0; i < COUNTED; i++)
        ms[i] = run_once(c);
    return median(ms, COUNTED);
}

/* Fills in c[].ms.  `pauses`: the contenders have spinning threads; every other round then runs in
 * reverse. */
static void alternate(contender *c, size_t count, size_t rounds, bool pauses)
{
    for (size_t k = 0; k < count; k++) {
        c[k].ms = allocate(rounds, sizeof(double));
        for (int i = 0; i < WARM_UPS && !pauses; i++)
            c[k].run(c[k].with);
    }
    for (size_t i = 0; i < rounds; i++)
        for (size_t k = 0; k < count; k++) {
            contender *next = pauses && i % 2 ? &c[count - 1 - k] : &c[k];

            next->ms[i] = pauses ? turn(next) : run_once(next);
        }
}

/* The median over the rounds of a's time divided by b's. */
static double ratio(const contender *a, const contender *b, size_t rounds)
{
    double *of = allocate(rounds, sizeof *of), middle;

    for (size_t i = 0; i < rounds; i++)
        of[i] = a->ms[i] / b->ms[i];
    middle = median(of, rounds);
    free(of);
    return middle;
}

/* ---- a separate process for every measurement ---- */

/* Neither engine may find the memory, the warm caches or the threads of earlier work.  The parent
 * receives what `work` writes to `result`. */
static void apart(void (*work)(const task *, void *), const task *t, void *result, size_t nbytes)
{
    int fd[2];
    pid_t child;

    fflush(NULL);
    if (pipe(fd) != 0 || (child = fork()) < 0)
        die("process", strerror(errno));
    if (child == 0) {
        work(t, result);
        _exit(write(fd[1], result, nbytes) == (ssize_t)nbytes ? 0 : 1);
    }
    close(fd[1]);
    if (read(fd[0], result, nbytes) != (ssize_t)nbytes)
        die(t->model, "the measurement failed");
    close(fd[0]);
    waitpid(child, NULL, 0);
}

typedef struct probed {
    kldve_shape shape;
    char refusal[256]; /* why it cannot run in a batch, or "" */
} probed;

static void probe(const task *t, void *result)
{
    probed *found = result;
    own single = {0}, batch = {0};

    *found = (probed){.shape = {.struct_size = sizeof found->shape}};
    must(&single, own_load(&single, t->model, 1, 0));
    own_open(&single, single.net, t, NULL);
    must(&single, kldve_explainer_shape(single.explainer, &found->shape));
    if (t->batch == 1)
        return;
    if (peer_fixes_batch(peer_open(t->model, 1)))
        snprintf(found->refusal, sizeof found->refusal, "batch: fixed in the file");
    else if (own_load(&batch, t->model, 1, t->batch) < 0)
        snprintf(found->refusal, sizeof found->refusal, "batch: %s", kldve_ctx_message(batch.ctx));
}

typedef struct first {
    double ms;      /* opening to first result */
    double peak_mb; /* of the process */
} first;

static first first_since(double start)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (first){now() - start, (double)usage.ru_maxrss / 1024};
}

static void first_own(const task *t, void *result)
{
    float *inputs = make_inputs(t);
    double start = now();

    own_run(own_new(t, true, inputs));
    *(first *)result = first_since(start);
}

static void first_other(const task *t, void *result)
{
    float *inputs = make_inputs(t);
    double start = now();
    other o = other_new(t, true, inputs);

    other_run(&o);
    *(first *)result = first_since(start);
}

/* ---- one input at a time, or a batch ---- */

typedef struct times {
    double theirs, ours, ratio;    /* ms, all inputs of the task together */
    double gain_theirs, gain_ours; /* time one by one / time together */
    double stage[STAGES];          /* ms */
} times;

static void measure_times(const task *t, void *result)
{
    times *out = result;
    float *inputs = make_inputs(t);
    bool batch = t->batch > 1;
    own *o = own_new(t, true, inputs), *o_singly = batch ? own_new(t, false, inputs) : NULL;
    other p = other_new(t, true, inputs), p_singly = {NULL, 0};
    contender c[] = {{other_run, &p, NULL},
                     {own_run, o, NULL},
                     {other_run, &p_singly, NULL},
                     {own_run, o_singly, NULL}};

    if (batch)
        p_singly = other_new(t, false, inputs);
    alternate(c, batch ? 4 : 2, t->rounds, t->threads > 1);
    out->ratio = ratio(&c[1], &c[0], t->rounds);
    out->gain_theirs = batch ? ratio(&c[2], &c[0], t->rounds) : 1;
    out->gain_ours = batch ? ratio(&c[3], &c[1], t->rounds) : 1;
    out->theirs = median(c[0].ms, t->rounds);
    out->ours = median(c[1].ms, t->rounds);
    for (int s = 0; s < STAGES; s++)
        out->stage[s] = median(o->stage[s], o->runs < KEPT ? o->runs : KEPT);
    if (batch) {
        own_free(o_singly);
        peer_close(p_singly.session);
    }
    own_free(o);
    peer_close(p.session);
}

static void report_times(const task *t, const char *name, FILE *json)
{
    first f_theirs, f_ours;
    times m;

    apart(first_other, t, &f_theirs, sizeof f_theirs);
    apart(first_own, t, &f_ours, sizeof f_ours);
    apart(measure_times, t, &m, sizeof m);
    if (t->batch > 1)
        printf("| %-24s | %d | %d | %7.2f | %7.2f | %5.3f | %.2f | %.2f | %5.0f / %-5.0f |\n", name,
               t->threads, t->batch, 1e3 * t->batch / m.theirs, 1e3 * t->batch / m.ours, m.ratio,
               m.gain_theirs, m.gain_ours, f_theirs.peak_mb, f_ours.peak_mb);
    else
        printf("| %-24s | %d | %8.2f | %8.2f | %5.3f | %6.0f / %-6.0f | %5.0f / %-5.0f | "
               "%.2f + %.2f + %.2f + %.2f |\n",
               name, t->threads, m.theirs, m.ours, m.ratio, f_theirs.ms, f_ours.ms,
               f_theirs.peak_mb, f_ours.peak_mb, m.stage[FORWARD], m.stage[DIVERGENCE],
               m.stage[BACKWARD], m.stage[REDUCE]);
    if (json)
        fprintf(json,
                "\"threads\": %d, \"batch\": %d, \"onnxruntime_ms\": %.4f, \"explain_ms\": %.4f, "
                "\"ratio\": %.4f, \"onnxruntime_gain\": %.4f, \"explain_gain\": %.4f, "
                "\"onnxruntime_first_ms\": %.1f, \"explain_first_ms\": %.1f, "
                "\"onnxruntime_peak_mb\": %.1f, \"explain_peak_mb\": %.1f, \"forward_ms\": %.4f, "
                "\"divergence_ms\": %.4f, \"backward_ms\": %.4f, \"reduce_ms\": %.4f",
                t->threads, t->batch, m.theirs, m.ours, m.ratio, m.gain_theirs, m.gain_ours,
                f_theirs.ms, f_ours.ms, f_theirs.peak_mb, f_ours.peak_mb, m.stage[FORWARD],
                m.stage[DIVERGENCE], m.stage[BACKWARD], m.stage[REDUCE]);
}

/* ---- contexts ---- */

typedef struct scaling {
    double theirs_one, theirs_all, ours_one, ours_all; /* per second */
    double theirs, ours;                               /* factors: all / one */
} scaling;

/* How often each member runs, so that a turn lasts about CROWD_MS. */
static int often(void (*run)(void *), void *with)
{
    contender c = {run, with, NULL};
    double ms[WARM_UPS];

    for (int i = 0; i < WARM_UPS; i++)
        ms[i] = run_once(&c);
    return (int)fmin(1e4, ceil(CROWD_MS / median(ms, WARM_UPS)));
}

static void measure_scaling(const task *t, void *result)
{
    size_t n = (size_t)t->contexts;
    scaling *out = result;
    float *input = make_inputs(t);
    member *ours = allocate(n, sizeof *ours), *theirs = allocate(n, sizeof *theirs);
    own *loaded = own_new(t, true, input);
    other session = other_new(t, true, input);
    int own_times = often(own_run, loaded), other_times = often(other_run, &session);
    crowd of[] = {{ours, 1}, {ours, t->contexts}, {theirs, 1}, {theirs, t->contexts}};
    contender c[4];
    double rate[4];

    for (size_t i = 0; i < n; i++) {
        ours[i] = (member){own_run, i > 0 ? own_beside(loaded, t, input) : loaded, own_times};
        theirs[i] = (member){other_run, &session, other_times};
    }
    for (size_t k = 0; k < 4; k++)
        c[k] = (contender){crowd_run, &of[k], NULL};
    alternate(c, 4, t->rounds, false);
    out->ours = t->contexts * ratio(&c[0], &c[1], t->rounds);
    out->theirs = t->contexts * ratio(&c[2], &c[3], t->rounds);
    for (size_t k = 0; k < 4; k++)
        rate[k] = 1e3 * of[k].count * of[k].members->times / median(c[k].ms, t->rounds);
    out->ours_one = rate[0];
    out->ours_all = rate[1];
    out->theirs_one = rate[2];
    out->theirs_all = rate[3];
    while (n-- > 0)
        own_free(ours[n].with); /* the loaded network last */
    peer_close(session.session);
}

static void report_scaling(const task *t, const char *name, FILE *json)
{
    scaling m;

    apart(measure_scaling, t, &m, sizeof m);
    printf("| %-24s | %d | %8.2f | %8.2f | %.2f | %8.2f | %8.2f | %.2f |\n", name, t->contexts,
           m.ours_one, m.ours_all, m.ours, m.theirs_one, m.theirs_all, m.theirs);
    if (json)
        fprintf(json,
                "\"contexts\": %d, \"explain_one_per_s\": %.4f, \"explain_all_per_s\": %.4f, "
                "\"explain_factor\": %.4f, \"onnxruntime_one_per_s\": %.4f, "
                "\"onnxruntime_all_per_s\": %.4f, \"onnxruntime_factor\": %.4f",
                t->contexts, m.ours_one, m.ours_all, m.ours, m.theirs_one, m.theirs_all, m.theirs);
}

/* ---- the command ---- */

static void head(const task *t)
{
    if (t->contexts > 1)
        printf("| network | contexts | explain: one, per s | all, per s | factor | ONNX Runtime "
               "forward: one, per s | all, per s | factor |\n|---|---|---|---|---|---|---|---|\n");
    else if (t->batch > 1)
        printf("| network | threads | batch | ONNX Runtime forward, pictures/s | explain, "
               "pictures/s | ratio of times | gain of the batch, ONNX Runtime | explain | peak, MB "
               "|\n|---|---|---|---|---|---|---|---|---|\n");
    else
        printf("| network | threads | ONNX Runtime forward, ms | explain, ms | ratio | first "
               "result, ms | peak, MB | forward + divergence + VJP + map, ms |\n"
               "|---|---|---|---|---|---|---|---|\n");
}

static void report(task *t, FILE *json)
{
    const char *slash = strrchr(t->model, '/'), *name = slash ? slash + 1 : t->model;
    probed found;

    apart(probe, t, &found, sizeof found);
    t->shape = found.shape;
    if (json)
        fprintf(json, "  {\"model\": \"%s\", \"rounds\": %zu, ", name, t->rounds);
    if (found.refusal[0]) {
        printf("| %-24s | %s |\n", name, found.refusal);
        if (json)
            fprintf(json, "\"batch\": %d, \"refused\": true", t->batch);
    } else if (t->contexts > 1)
        report_scaling(t, name, json);
    else
        report_times(t, name, json);
}

int main(int argc, char **argv)
{
    static const char usage[] = "bench-explain LIBONNXRUNTIME.so [--threads N] [--batch N | "
                                "--contexts N] [--rounds N] [--clock wall|processor] "
                                "[--json FILE] MODEL.onnx...";
    task t = {.threads = 1, .batch = 1, .contexts = 1, .rounds = 11};
    const char *json_path = NULL;
    FILE *json = NULL;
    int at = 2;

    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (strcmp(argv[at], "--threads") == 0)
            t.threads = number(argv[at + 1], 1024);
        else if (strcmp(argv[at], "--batch") == 0)
            t.batch = number(argv[at + 1], 1024);
        else if (strcmp(argv[at], "--contexts") == 0)
            t.contexts = number(argv[at + 1], 1024);
        else if (strcmp(argv[at], "--rounds") == 0)
            t.rounds = (size_t)number(argv[at + 1], 100000);
        else if (strcmp(argv[at], "--clock") == 0 && strcmp(argv[at + 1], "processor") == 0)
            clock_now = spent;
        else if (strcmp(argv[at], "--clock") == 0 && strcmp(argv[at + 1], "wall") == 0)
            clock_now = now;
        else if (strcmp(argv[at], "--json") == 0)
            json_path = argv[at + 1];
        else
            die("usage", usage);
    if (argc <= at || (t.contexts > 1 && (t.batch > 1 || t.threads > 1)) ||
        (clock_now == spent && (t.contexts > 1 || t.threads > 1)))
        die("usage", usage);
    peer_library(argv[1]);
    if (json_path && !(json = fopen(json_path, "w")))
        die(json_path, strerror(errno));
    head(&t);
    for (int i = at; i < argc; i++) {
        t.model = argv[i];
        if (json)
            fprintf(json, "%s", i == at ? "[\n" : "},\n");
        report(&t, json);
    }
    if (json && (fprintf(json, "}\n]\n") < 0 || fclose(json) != 0))
        die(json_path, "cannot write");
    return 0;
}
