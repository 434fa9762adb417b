/* kernel.h - what kernels of our own share. */
#ifndef KLDVE_ONNX_KERNEL_H
#define KLDVE_ONNX_KERNEL_H

#include <omp.h>

/** Compiled for wider vectors too and chosen when the library is loaded: too early for a sanitizer,
 *  whose checks are not set up then. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KX_WIDE __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define KX_WIDE
#endif

/** Below this many elements a second thread costs more than it brings. */
enum { KX_PARALLEL_FROM = 32768 };

/** Run a loop in several threads where `worth` says that it pays and there are several; else right
 *  here.  OpenMP would make a team even for one thread, and ask malloc for it every time. */
#define KX_SHARED(worth, ...)                                                                      \
    do {                                                                                           \
        if ((worth) && omp_get_max_threads() > 1) {                                                \
            _Pragma("omp parallel for schedule(static)") __VA_ARGS__                               \
        } else {                                                                                   \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    } while (0)

/** Weights lie where the file put them, perhaps not even at a multiple of 4 bytes. */
typedef float kx_unaligned_float __attribute__((aligned(1)));

#endif
