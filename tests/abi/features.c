/* features.c - what both libraries say they have is what the build found (HAVE_*: 0 or 1) and what
 * the kernel says of the processor.
 *
 *     features [LIMIT]  with DNNL_MAX_CPU_ISA=LIMIT in the environment */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <kldve/common.h>
#ifdef WITH_ONNX
#include <kldve/onnx.h>
#endif

/* The flags of the first processor, " sse ... avx2 ... ", which /proc/cpuinfo lists. */
static char flags[8192] = " ";

static void read_flags(void)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[sizeof flags - 2];

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "flags", 5) == 0) {
            line[strcspn(line, "\n")] = 0;
            snprintf(flags, sizeof flags, "%s ", line);
            break;
        }
    if (f)
        fclose(f);
}

static bool has(const char *flag)
{
    char word[32];

    snprintf(word, sizeof word, " %s ", flag);
    return strstr(flags, word) != NULL;
}

static int differ(const char *what, uint64_t got, uint64_t want)
{
    printf("%s: %#" PRIx64 ", expected %#" PRIx64 "\n", what, got, want);
    return got != want;
}

static uint64_t core(void)
{
    bool avx512 = has("avx512f") && has("avx512dq") && has("avx512vl");

    return (HAVE_PNG ? KLDVE_FEATURE_PNG : 0u) | (HAVE_JPEG ? KLDVE_FEATURE_JPEG : 0u) |
           (HAVE_BLAS ? KLDVE_FEATURE_BLAS : 0u) | (avx512 ? KLDVE_FEATURE_AVX512 : 0u) |
           (!avx512 && has("avx2") ? KLDVE_FEATURE_AVX2 : 0u);
}

#ifdef WITH_ONNX
static uint64_t engine(const char *limit)
{
    bool none = limit && strcmp(limit, "SSE41") == 0,
         short_ones = limit && strcmp(limit, "AVX2") == 0;
    bool avx2 = has("avx2") && !none;
    bool avx512 = avx2 && !short_ones && has("avx512f") && has("avx512bw") && has("avx512vl") &&
                  has("avx512dq");

    return (HAVE_DEMO ? KLDVE_ONNX_FEATURE_DEMO : 0u) |
           (ONEDNN >= 3 ? KLDVE_ONNX_FEATURE_ONEDNN3 : 0u) | (avx2 ? KLDVE_ONNX_FEATURE_AVX2 : 0u) |
           (avx512 ? KLDVE_ONNX_FEATURE_AVX512 : 0u) |
           (avx512 && has("avx512_vnni") ? KLDVE_ONNX_FEATURE_VNNI : 0u);
}

/* The bit of the demonstration network is what kldve_onnx_demo() answers. */
static int wrong_demo(void)
{
    kldve_onnx_files files = KLDVE_ONNX_FILES_INIT;
    bool there = kldve_onnx_demo(&files) == KLDVE_OK;

    return there != ((kldve_onnx_features() & KLDVE_ONNX_FEATURE_DEMO) != 0);
}
#endif

int main(int argc, char **argv)
{
    int bad;

    read_flags();
    bad = differ("core", kldve_features(), core());
#ifdef WITH_ONNX
    bad |= differ("engine", kldve_onnx_features(), engine(argc > 1 ? argv[1] : NULL));
    bad |= wrong_demo();
#else
    (void)argc;
    (void)argv;
#endif
    return bad;
}
