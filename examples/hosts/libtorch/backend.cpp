#include "backend.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/script.h>

#include <memory>
#include <stdexcept>

namespace
{

struct State {
    kldve_ctx *ctx;
    torch::jit::Module module;
    kldve_shape shape;
    torch::Tensor input, scores, maps; // of the last forward pass, with autograd's graph
};

// No exception may cross the library, which is C: it becomes a status and a message.
template <typename Work> kldve_status guarded(kldve_ctx *ctx, Work work) noexcept
{
    try {
        work();
        return KLDVE_OK;
    } catch (const c10::Error &e) {
        return kldve_ctx_fail(ctx, KLDVE_E_BACKEND, e.what_without_backtrace());
    } catch (const std::bad_alloc &) {
        return kldve_ctx_fail(ctx, KLDVE_E_NOMEM, "out of memory");
    } catch (const std::exception &e) {
        return kldve_ctx_fail(ctx, KLDVE_E_BACKEND, e.what());
    }
}

void run(State &state, const torch::Tensor &input)
{
    const auto result = state.module.forward({input});

    if (!result.isTuple() || result.toTupleRef().elements().size() != 2)
        throw std::runtime_error("the module gives no pair of scores and maps");
    state.input = input;
    state.scores = result.toTupleRef().elements()[0].toTensor();
    state.maps = result.toTupleRef().elements()[1].toTensor();
    if (state.scores.dim() != 2 || state.scores.size(0) != 1 || state.maps.dim() != 4 ||
        state.maps.size(0) != 1)
        throw std::runtime_error("not scores [1][classes] and maps [1][maps][height][width]");
}

void copy(const torch::Tensor &from, float *to)
{
    const auto plain = from.detach().to(torch::kCPU, torch::kFloat).contiguous();

    std::copy_n(plain.data_ptr<float>(), plain.numel(), to);
}

// The gradient of <cotangent, scores> at a tensor that the scores were computed from.
torch::Tensor gradient_at(const State &state, const torch::Tensor &at, const float *cotangent)
{
    const auto seed = torch::from_blob(const_cast<float *>(cotangent), state.scores.sizes());
    const auto gradient = torch::autograd::grad({state.scores}, {at}, {seed.to(state.scores)},
                                                /*retain_graph=*/true, /*create_graph=*/false,
                                                /*allow_unused=*/true)[0];

    return gradient.defined() ? gradient : torch::zeros_like(at);
}

kldve_status open(kldve_ctx *ctx, const void *config, void **out)
{
    return guarded(ctx, [&] {
        const auto &net = *static_cast<const TorchNetwork *>(config);
        auto state =
            std::make_unique<State>(State{ctx, torch::jit::load(net.path), {}, {}, {}, {}});

        state->module.eval();
        {
            torch::NoGradGuard sizes_only;
            run(*state, torch::zeros({1, net.channels, net.height, net.width}));
        }
        state->shape.in_channels = static_cast<std::int32_t>(net.channels);
        state->shape.in_height = static_cast<std::int32_t>(net.height);
        state->shape.in_width = static_cast<std::int32_t>(net.width);
        state->shape.classes = static_cast<std::int32_t>(state->scores.size(1));
        state->shape.maps = static_cast<std::int32_t>(state->maps.size(1));
        state->shape.height = static_cast<std::int32_t>(state->maps.size(2));
        state->shape.width = static_cast<std::int32_t>(state->maps.size(3));
        *out = state.release();
    });
}

void shape(const void *opaque, kldve_shape *out)
{
    const std::size_t room = out->struct_size;

    *out = static_cast<const State *>(opaque)->shape;
    out->struct_size = room;
}

kldve_status forward(void *opaque, const float *input, float *logits, float *features)
{
    auto &state = *static_cast<State *>(opaque);

    return guarded(state.ctx, [&] {
        const auto &s = state.shape;
        const auto borrowed = torch::from_blob(const_cast<float *>(input),
                                               {1, s.in_channels, s.in_height, s.in_width});

        run(state, borrowed.clone().requires_grad_());
        copy(state.scores, logits);
        copy(state.maps, features);
    });
}

kldve_status vjp(void *opaque, const float *cotangent, float *gradient)
{
    auto &state = *static_cast<State *>(opaque);

    return guarded(state.ctx, [&] { copy(gradient_at(state, state.maps, cotangent), gradient); });
}

kldve_status vjp_input(void *opaque, const float *cotangent, std::int32_t rule, float *gradient)
{
    auto &state = *static_cast<State *>(opaque);

    if (rule != KLDVE_RULE_GRADIENT)
        return kldve_ctx_fail(state.ctx, KLDVE_E_UNSUPPORTED,
                              "autograd gives the true gradient only");
    return guarded(state.ctx, [&] { copy(gradient_at(state, state.input, cotangent), gradient); });
}

void close(void *opaque)
{
    delete static_cast<State *>(opaque);
}

kldve_backend make_table()
{
    kldve_backend table{};

    table.struct_size = sizeof table;
    table.name = "libtorch";
    table.open = open;
    table.shape = shape;
    table.forward = forward;
    table.close = close;
    table.vjp = vjp;
    table.vjp_input = vjp_input;
    return table;
}

} // namespace

const kldve_backend *torch_backend()
{
    static const kldve_backend table = make_table();

    return &table;
}
