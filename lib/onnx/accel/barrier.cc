// barrier.cc - see barrier.h.  The only C++ of the libraries: C cannot catch what oneDNN throws.
#include "accel/barrier.h"

#include <cstdlib>

bool kx_has_room(size_t nbytes)
{
    void *volatile memory = nullptr; // volatile, or compilers leave out both calls

    if (nbytes == 0)
        return true;
    memory = std::malloc(nbytes);
    std::free(memory);
    return memory != nullptr;
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
