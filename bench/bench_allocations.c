/* bench_allocations.c - who asks for memory during one explanation.
 *
 *     bench-allocations [--model FILE] [--method NAME] [--threads N] [--most N] PICTURE
 *
 * The program has a malloc() of its own, which all libraries then use; it counts while a third
 * explanation runs.  A call belongs to the first library on its way that is not the C or C++
 * library.  --most N: fail if kldve and its engine ask more than N times. */
#define _GNU_SOURCE 1 /* dladdr() */

#include <dlfcn.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <kldve/onnx.h>

#include "bench.h"

enum { CALLS = 1 << 17, DEPTH = 8, OWNERS = 16 };

typedef struct call {
    void *from[DEPTH]; /* return addresses, innermost first */
    int depth;
    size_t nbytes;
} call;

static call calls[CALLS];
static atomic_int count; /* of all calls, also of those that found no room */
static atomic_bool counting;

/* glibc's own, behind the names that this program takes. */
void *__libc_malloc(size_t nbytes);
void *__libc_calloc(size_t n, size_t nbytes);
void *__libc_realloc(void *memory, size_t nbytes);
void *__libc_memalign(size_t alignment, size_t nbytes);

static void note(size_t nbytes)
{
    static _Thread_local bool inside; /* backtrace() may allocate */
    int at;

    if (!atomic_load(&counting) || inside)
        return;
    inside = true;
    at = atomic_fetch_add(&count, 1);
    if (at < CALLS) {
        calls[at].depth = backtrace(calls[at].from, DEPTH);
        calls[at].nbytes = nbytes;
    }
    inside = false;
}

void *malloc(size_t nbytes)
{
    note(nbytes);
    return __libc_malloc(nbytes);
}

void *calloc(size_t n, size_t nbytes)
{
    note(n * nbytes);
    return __libc_calloc(n, nbytes);
}

void *realloc(void *memory, size_t nbytes)
{
    note(nbytes);
    return __libc_realloc(memory, nbytes);
}

void *aligned_alloc(size_t alignment, size_t nbytes)
{
    note(nbytes);
    return __libc_memalign(alignment, nbytes);
}

int posix_memalign(void **out, size_t alignment, size_t nbytes)
{
    note(nbytes);
    *out = __libc_memalign(alignment, nbytes);
    return *out ? 0 : 12; /* ENOMEM */
}

/* ---- whose they are ------------------------------------------------------------------------ */

typedef struct owner {
    char name[40];
    long calls, bytes;
    size_t largest;
} owner;

/* The library that a call came from; "?" if no name can be found. */
static void name_of(const call *c, char *name, size_t size)
{
    static const char *const others[] = {"libc.", "libstdc++", "bench-allocations", "ld-linux"};

    snprintf(name, size, "?");
    for (int i = 0; i < c->depth; i++) {
        Dl_info info;
        const char *file, *slash;
        bool other = false;

        if (!dladdr(c->from[i], &info) || !info.dli_fname)
            continue;
        slash = strrchr(info.dli_fname, '/');
        file = slash ? slash + 1 : info.dli_fname;
        for (size_t k = 0; k < sizeof others / sizeof *others; k++)
            other = other || strncmp(file, others[k], strlen(others[k])) == 0;
        if (other)
            continue;
        snprintf(name, size, "%.*s", (int)strcspn(file, "."), file);
        return;
    }
}

static int gather(owner *list)
{
    int owners = 0, n = atomic_load(&count);

    for (int i = 0; i < n && i < CALLS; i++) {
        char name[sizeof list->name];
        int k = 0;

        name_of(&calls[i], name, sizeof name);
        while (k < owners && strcmp(list[k].name, name) != 0)
            k++;
        if (k == OWNERS)
            die("libraries", "too many");
        if (k == owners)
            memcpy(list[owners++].name, name, sizeof name);
        list[k].calls++;
        list[k].bytes += (long)calls[i].nbytes;
        if (calls[i].nbytes > list[k].largest)
            list[k].largest = calls[i].nbytes;
    }
    return owners;
}

/* ---- the explanation ----------------------------------------------------------------------- */

typedef struct options {
    const char *model, *method, *picture;
    int threads, most; /* most: -1, not given */
} options;

static options read_options(int argc, char **argv)
{
    options o = {.threads = 1, .most = -1};
    int at = 1;

    for (; at + 1 < argc; at += 2)
        if (strcmp(argv[at], "--model") == 0)
            o.model = argv[at + 1];
        else if (strcmp(argv[at], "--method") == 0)
            o.method = argv[at + 1];
        else if (strcmp(argv[at], "--threads") == 0)
            o.threads = number(argv[at + 1], 1024);
        else if (strcmp(argv[at], "--most") == 0)
            o.most = number(argv[at + 1], CALLS);
        else
            break;
    if (at + 1 != argc)
        die("usage", "bench-allocations [--model FILE] [--method NAME] [--threads N] [--most N] "
                     "PICTURE");
    o.picture = argv[at];
    return o;
}

static void must(kldve_ctx *ctx, kldve_status st)
{
    if (st < 0)
        die(kldve_status_name(st), kldve_ctx_message(ctx));
}

static void run(const options *o)
{
    kldve_onnx_options how = {.struct_size = sizeof how, .threads = o->threads};
    kldve_options why = {.struct_size = sizeof why, .method = o->method};
    kldve_ctx *ctx = NULL;
    kldve_explainer *ex = NULL;
    kldve_image *picture = NULL;

    must(NULL, kldve_ctx_new(NULL, &ctx));
    if (o->method)
        how.flags |= KLDVE_ONNX_FLAG_VJP_INPUT;
    must(ctx, kldve_onnx_explainer(ctx, o->model, &how, &ex));
    must(ctx, kldve_image_load(ctx, o->picture, &picture));
    for (int i = 0; i < 3; i++) {
        kldve_heatmap *map = NULL;

        atomic_store(&counting, i == 2);
        must(ctx, kldve_explain(ex, picture, &why, &map));
        atomic_store(&counting, false);
        kldve_heatmap_free(map);
    }
    kldve_image_free(picture);
    kldve_explainer_free(ex);
    kldve_ctx_free(ctx);
}

int main(int argc, char **argv)
{
    options o = read_options(argc, argv);
    owner list[OWNERS] = {{{0}, 0, 0, 0}};
    void *first[DEPTH];
    long ours = 0;
    int owners;

    backtrace(first, DEPTH); /* loads what it needs */
    run(&o);
    owners = gather(list);
    printf("| library | allocations | bytes, all in all | largest |\n|---|---:|---:|---:|\n");
    for (int i = 0; i < owners; i++) {
        printf("| %s | %ld | %ld | %zu |\n", list[i].name, list[i].calls, list[i].bytes,
               list[i].largest);
        if (strncmp(list[i].name, "libkldve", strlen("libkldve")) == 0)
            ours += list[i].calls;
    }
    if (atomic_load(&count) > CALLS)
        printf("(the first %d of %d)\n", CALLS, atomic_load(&count));
    if (o.most >= 0 && ours > o.most) {
        fprintf(stderr, "bench: %ld allocations are ours, %d were expected at most\n", ours,
                o.most);
        return 1;
    }
    return 0;
}
