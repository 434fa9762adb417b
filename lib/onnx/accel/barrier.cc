// barrier.cc - see barrier.h.  The only C++ of the libraries: C cannot catch what oneDNN throws.
#include "accel/barrier.h"

#include <cstdlib>
#include <sys/mman.h>

// Pages for code and blocks of malloc() have one limit in common, but what malloc() has left in its
// heap is none for pages.  A large block would also raise the size from which malloc() maps blocks.
bool kx_has_room(size_t nbytes)
{
    void *pages, *volatile block; // volatile, or compilers leave out malloc() and free()
    bool both;

    if (nbytes <= KX_ROOM_OBJECT) {
        block = nbytes ? std::malloc(nbytes) : nullptr;
        both = !nbytes || block;
        std::free(block);
        return both;
    }
    pages = mmap(nullptr, nbytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    block = std::malloc(KX_ROOM_OBJECT);
    both = pages != MAP_FAILED && block;
    std::free(block);
    if (pages != MAP_FAILED)
        munmap(pages, nbytes);
    return both;
}

namespace
{

// After an exception the primitive that was being made stays in oneDNN's cache as one that will
// never be ready, and everybody who wants the like of it fails: so empty the cache.
void forget_primitives() noexcept
{
    int capacity = 0;

    if (dnnl_get_primitive_cache_capacity(&capacity) == dnnl_success && capacity > 0 &&
        dnnl_set_primitive_cache_capacity(0) == dnnl_success)
        dnnl_set_primitive_cache_capacity(capacity);
}

template <typename Call, Call call, size_t room> struct behind;

template <typename... Args, dnnl_status_t (*call)(Args...), size_t room>
struct behind<dnnl_status_t (*)(Args...), call, room> {
    static dnnl_status_t barrier(Args... args) noexcept
    {
        if (!kx_has_room(room))
            return dnnl_out_of_memory;
        try {
            return call(args...);
        } catch (...) {
            if (room != KX_ROOM_RUN)
                forget_primitives();
            return dnnl_out_of_memory;
        }
    }
};

} // namespace

#define BEHIND(name, room) behind<decltype(&dnnl_##name), &dnnl_##name, room>::barrier,
extern const struct kx_dnnl kx_dnnl = {KX_DNNL_CALLS(BEHIND)};
