/* bench_explain.c - what does an explanation cost on top of the inference that runs anyway?
 *
 *     bench-explain LIBONNXRUNTIME.so THREADS ROUNDS [--json FILE] MODEL.onnx...
 *
 * For each network, in one process, alternating: ONNX Runtime's bare forward pass, then
 * kldve_explain_input() with the reading `contrast` (forward + divergence + VJP + map).  Printed
 * are the medians, the median of the ratios pair by pair, and, from a child process for each, the
 * time from opening to the first result and the peak memory. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <kldve/onnx.h>

#include <onnxruntime_c_api.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-explain: %s: %s\n", what, why);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* ---- ONNX Runtime -----------------------------------------------------------------------------
 */

static const OrtApi *ort;

static void check(OrtStatus *status)
{
    if (status)
        die("ONNX Runtime", ort->GetErrorMessage(status));
}

typedef struct peer {
    OrtEnv *env;
    OrtSessionOptions *options;
    OrtSession *session;
    OrtMemoryInfo *memory;
    OrtValue *input;
    char *in_name, *out_name;
} peer;

static void load_ort(const char *library)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    const OrtApiBase *(*base)(void);

    if (!handle)
        die(library, dlerror());
    *(void **)&base = dlsym(handle, "OrtGetApiBase");
    if (!base || !(ort = base()->GetApi(ORT_API_VERSION)))
        die(library, "no OrtGetApiBase of this version");
}

static void peer_open(peer *p, const char *model, int threads, float *data, const kldve_shape *s)
{
    OrtAllocator *allocator;
    int64_t dim[4] = {1, s->in_channels, s->in_height, s->in_width};
    size_t bytes = (size_t)(dim[1] * dim[2] * dim[3]) * sizeof(float);

    check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bench", &p->env));
    check(ort->CreateSessionOptions(&p->options));
    check(ort->SetIntraOpNumThreads(p->options, threads));
    check(ort->SetInterOpNumThreads(p->options, 1));
    check(ort->SetSessionGraphOptimizationLevel(p->options, ORT_ENABLE_ALL));
    check(ort->CreateSession(p->env, model, p->options, &p->session));
    check(ort->GetAllocatorWithDefaultOptions(&allocator));
    check(ort->SessionGetInputName(p->session, 0, allocator, &p->in_name));
    check(ort->SessionGetOutputName(p->session, 0, allocator, &p->out_name));
    check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &p->memory));
    check(ort->CreateTensorWithDataAsOrtValue(p->memory, data, bytes, dim, 4,
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &p->input));
}

static void peer_run(peer *p)
{
    const char *in[] = {p->in_name}, *out[] = {p->out_name};
    const OrtValue *inputs[] = {p->input};
    OrtValue *output = NULL;

    check(ort->Run(p->session, NULL, in, inputs, 1, out, 1, &output));
    ort->ReleaseValue(output);
}

static void peer_close(peer *p)
{
    ort->ReleaseValue(p->input);
    ort->ReleaseMemoryInfo(p->memory);
    ort->ReleaseSession(p->session);
    ort->ReleaseSessionOptions(p->options);
    ort->ReleaseEnv(p->env);
}

/* ---- ours
 * ---------------------------------------------------------------------------------------- */

typedef struct own {
    kldve_ctx *ctx;
    kldve_onnx *net;
    kldve_explainer *explainer;
    kldve_timings stages;
} own;

static void must(const own *o, kldve_status st)
{
    if (st < 0)
        die("libkldve", kldve_ctx_message(o->ctx));
}

static void own_open(own *o, const char *model, int threads)
{
    kldve_onnx_options options = {.struct_size = sizeof options, .threads = threads};

    if (kldve_ctx_new(NULL, &o->ctx) < 0)
        die("libkldve", "out of memory");
    must(o, kldve_onnx_load(o->ctx, model, &options, &o->net));
    must(o, kldve_explainer_new(o->ctx, kldve_onnx_backend(), o->net, &o->explainer));
}

static void own_run(own *o, const float *input)
{
    kldve_heatmap *map = NULL;
    kldve_record record = {.struct_size = sizeof record};

    must(o, kldve_explain_input(o->explainer, input, NULL, &map));
    kldve_heatmap_record(map, &record);
    o->stages = record.timings_ms;
    kldve_heatmap_free(map);
}

static void own_close(own *o)
{
    kldve_explainer_free(o->explainer);
    kldve_onnx_free(o->net);
    kldve_ctx_free(o->ctx);
}

/* ---- measuring
 * ------------------------------------------------------------------------------------- */

static float *make_input(const kldve_shape *s)
{
    size_t n = (size_t)s->in_channels * (size_t)s->in_height * (size_t)s->in_width;
    float *input = malloc(n * sizeof *input);
    uint32_t seed = 1;

    if (!input)
        die("input", "out of memory");
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        input[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
    return input;
}

static kldve_shape shape_of(const char *model)
{
    kldve_shape s = {.struct_size = sizeof s};
    own o;

    own_open(&o, model, 1);
    kldve_explainer_shape(o.explainer, &s);
    own_close(&o);
    return s;
}

typedef struct first {
    double ms;      /* opening to first result */
    double peak_mb; /* of the process */
} first;

/* In a child of its own, so that neither engine finds the other's memory or warm caches. */
static first measure_first(const char *model, int threads, bool theirs, const kldve_shape *s)
{
    int fd[2];
    first f = {0, 0};
    pid_t child;

    if (pipe(fd) != 0)
        die("pipe", strerror(errno));
    child = fork();
    if (child == 0) {
        float *input = make_input(s);
        double start = now();
        struct rusage usage;

        if (theirs) {
            peer p;

            peer_open(&p, model, threads, input, s);
            peer_run(&p);
        } else {
            own o;

            own_open(&o, model, threads);
            own_run(&o, input);
        }
        f.ms = now() - start;
        getrusage(RUSAGE_SELF, &usage);
        f.peak_mb = (double)usage.ru_maxrss / 1024;
        _exit(write(fd[1], &f, sizeof f) == sizeof f ? 0 : 1);
    }
    close(fd[1]);
    if (child < 0 || read(fd[0], &f, sizeof f) != sizeof f)
        die(model, "the measurement of the first result failed");
    close(fd[0]);
    waitpid(child, NULL, 0);
    return f;
}

static void measure(const char *model, int threads, size_t rounds, FILE *json, bool more)
{
    const char *slash = strrchr(model, '/'), *name = slash ? slash + 1 : model;
    kldve_shape s;
    double *theirs = malloc(rounds * sizeof *theirs), *ours = malloc(rounds * sizeof *ours);
    double *ratio = malloc(rounds * sizeof *ratio), a, b, r;
    first first_theirs, first_ours;
    float *input;
    peer p;
    own o;

    { /* the sizes, from a child too: this process must not have run anything before it forks */
        int fd[2];

        if (pipe(fd) != 0)
            die("pipe", strerror(errno));
        if (fork() == 0) {
            s = shape_of(model);
            _exit(write(fd[1], &s, sizeof s) == sizeof s ? 0 : 1);
        }
        close(fd[1]);
        if (read(fd[0], &s, sizeof s) != sizeof s)
            die(model, "cannot be loaded");
        close(fd[0]);
        wait(NULL);
    }
    first_theirs = measure_first(model, threads, true, &s);
    first_ours = measure_first(model, threads, false, &s);
    { /* and so must the timing itself, before the next network forks */
        fflush(NULL);
        pid_t child = fork();

        if (child != 0) {
            int status = 1;

            waitpid(child, &status, 0);
            if (status != 0)
                exit(1);
            free(theirs);
            free(ours);
            free(ratio);
            return;
        }
    }
    input = make_input(&s);
    peer_open(&p, model, threads, input, &s);
    own_open(&o, model, threads);
    for (int i = 0; i < 3; i++) {
        peer_run(&p);
        own_run(&o, input);
    }
    for (size_t i = 0; i < rounds; i++) {
        double t0 = now(), t1, t2;

        peer_run(&p);
        t1 = now();
        own_run(&o, input);
        t2 = now();
        theirs[i] = t1 - t0;
        ours[i] = t2 - t1;
        ratio[i] = ours[i] / theirs[i];
    }
    a = median(theirs, rounds);
    b = median(ours, rounds);
    r = median(ratio, rounds);
    printf("| %-24s | %d | %8.2f | %8.2f | %5.3f | %6.0f / %-6.0f | %5.0f / %-5.0f | %.2f + %.2f + "
           "%.2f + %.2f |\n",
           name, threads, a, b, r, first_theirs.ms, first_ours.ms, first_theirs.peak_mb,
           first_ours.peak_mb, o.stages.forward, o.stages.divergence, o.stages.backward,
           o.stages.reduce);
    if (json)
        fprintf(json,
                "  {\"model\": \"%s\", \"threads\": %d, \"rounds\": %zu, \"onnxruntime_ms\": %.4f, "
                "\"explain_ms\": %.4f, \"ratio\": %.4f, \"onnxruntime_first_ms\": %.1f, "
                "\"explain_first_ms\": %.1f, \"onnxruntime_peak_mb\": %.1f, \"explain_peak_mb\": "
                "%.1f}%s\n",
                name, threads, rounds, a, b, r, first_theirs.ms, first_ours.ms,
                first_theirs.peak_mb, first_ours.peak_mb, more ? "," : "");
    fflush(NULL);
    own_close(&o);
    peer_close(&p);
    _exit(0);
}

int main(int argc, char **argv)
{
    FILE *json = NULL;
    int threads, at = 4;
    size_t rounds;

    if (argc < 5)
        die("usage", "bench-explain LIBONNXRUNTIME.so THREADS ROUNDS [--json FILE] MODEL.onnx...");
    load_ort(argv[1]);
    threads = atoi(argv[2]);
    rounds = (size_t)atoi(argv[3]);
    if (threads < 1 || rounds < 1)
        die("usage", "THREADS and ROUNDS are at least 1");
    if (strcmp(argv[at], "--json") == 0 && at + 2 < argc) {
        json = fopen(argv[at + 1], "w");
        if (!json)
            die(argv[at + 1], strerror(errno));
        fprintf(json, "[\n");
        at += 2;
    }
    printf(
        "| network | threads | ONNX Runtime forward, ms | explain, ms | ratio | first result, ms "
        "| peak, MB | forward + divergence + VJP + map, ms |\n"
        "|---|---|---|---|---|---|---|---|\n");
    for (; at < argc; at++)
        measure(argv[at], threads, rounds, json, at + 1 < argc);
    if (json) {
        fprintf(json, "]\n");
        fclose(json);
    }
    return 0;
}
