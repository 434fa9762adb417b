/* cpp.cc - kldve.hpp as a host uses it, in every standard from C++11 on, with and without
 * exceptions. cpp.sh builds it in all of these ways; -DWITH_ONNX where the engine is there,
 * -DSCENE= a picture. */
#include <kldve/kldve.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

static void demand(bool good, const char *what, int line)
{
    if (!good) {
        std::fprintf(stderr, "cpp.cc:%d: %s\n", line, what);
        std::exit(1);
    }
}
#define DEMAND(condition) demand(condition, #condition, __LINE__)

/* The value of an outcome that must be good, whatever kind of outcome it is. */
#ifdef KLDVE_HPP_EXCEPTIONS
template <class T> T good(T value)
{
    return value;
}
#define GOOD(call) call
#else
template <class T> T good(kldve::result<T> outcome)
{
    if (!outcome)
        std::fprintf(stderr, "%s\n", outcome.message().c_str());
    DEMAND(bool(outcome));
    return std::move(outcome).value();
}
#define GOOD(call) DEMAND(bool(call))
#endif

/* The status of a call that must fail, with this in its message. */
template <class F> kldve_status bad(F &&call, const char *text)
{
#ifdef KLDVE_HPP_EXCEPTIONS
    try {
        (void)call();
    } catch (const kldve::error &e) {
        DEMAND(std::strstr(e.what(), text) != nullptr);
        return e.status();
    }
    return KLDVE_OK;
#else
    auto outcome = call();
    DEMAND(!outcome && outcome.message().find(text) != std::string::npos);
    return outcome.status();
#endif
}

static_assert(!std::is_copy_constructible<kldve::heatmap>::value, "objects have one owner");
static_assert(std::is_nothrow_move_constructible<kldve::image>::value, "and can be moved");

/* The first map has the positive weight and is active in the second cell. */
static kldve::heatmap small_map(const kldve::context &ctx)
{
    const float logits[3] = {2, 1, 0};
    const float features[8] = {0, 1, 0, 0, 1, 0, 0, 0}; /* [2][2][2] */
    const float gradient[8] = {1, 1, 1, 1, -1, -1, -1, -1};
    kldve::arrays arrays;

    arrays.logits = logits;
    arrays.features = features;
    arrays.gradient = gradient;
    arrays.classes = 3;
    arrays.maps = arrays.height = arrays.width = 2;
    return good(kldve::explain(ctx, arrays));
}

static void maps()
{
    kldve::heatmap map;

    DEMAND(!map && map.values().empty() && map.record().classes == 0);
    {
        kldve::context ctx = good(kldve::context::make());

        map = small_map(ctx);
    } /* the map keeps its context */
    DEMAND(map.values().size() == 4 && map.values()[1] > 0.999f && map.values()[3] < 0.001f);
    DEMAND(map.logits()[0] == 2 && map.record().target == 0 && map.record().maps == 2);
    DEMAND(map.probabilities().size() == 3 && map.error().empty());
    DEMAND(good(map.upsample(8, 4)).size() == 32);
    DEMAND(good(map.render()).width() == 256);
    DEMAND(good(map.render_defaults(0, 0)).colormap == KLDVE_COLORMAP_PLASMA);
    DEMAND(good(map.metric("energy_area")) <= 1);
    kldve_metric_subject nothing = KLDVE_METRIC_SUBJECT_INIT;

    DEMAND(bad([&] { return map.metric("deletion", nothing); }, "needs the network") ==
           KLDVE_E_UNSUPPORTED);
    DEMAND(bad([&] { return map.metric("no_such"); }, "no_such") == KLDVE_E_UNSUPPORTED);
    DEMAND(bad([&] { return map.upsample(0, 4); }, "") == KLDVE_E_ARG);
}

static void failures()
{
    kldve::context ctx = good(kldve::context::make());
    kldve::options options;

    DEMAND(bad([&] { return kldve::image::load(ctx, "no-such.png"); }, "no-such.png") ==
           KLDVE_E_IO);
    options.method = "no-such-method";
    kldve::arrays arrays;
    DEMAND(bad([&] { return kldve::explain(ctx, arrays, options); }, "") != KLDVE_OK);
    DEMAND(bad([&] { return kldve::image().resize(2, 2); }, "") == KLDVE_E_ARG);
}

static void names()
{
    kldve::context ctx = good(kldve::context::make());
    kldve::labels labels = good(kldve::labels::parse(ctx, "cat\ndog\n"));
    bool found = false;

    DEMAND(labels.count() == 2 && std::strcmp(labels.name(1), "dog") == 0 && !labels.name(2));
    DEMAND(good(labels.find("cat")) == 0);
    DEMAND(bad([&] { return labels.find("cow"); }, "cow") == KLDVE_E_NOT_FOUND);
    for (const char *name : kldve::methods(ctx))
        found = found || std::strcmp(name, "grad-cam") == 0;
    DEMAND(found);
}

/* z against central differences of KL. */
static void divergence()
{
    kldve::context ctx = good(kldve::context::make());
    kldve::divergence d = good(kldve::divergence::make(ctx, 5));
    std::vector<double> scores = {0.3, -1, 2, 0.7, 0};
    const double step = 1e-5;

    GOOD(d.set_scores(scores));
    auto at = good(d.onehot(2));
    for (std::size_t i = 0; i < scores.size(); i++) {
        std::vector<double> moved = scores;

        moved[i] = scores[i] + step;
        GOOD(d.set_scores(moved));
        double above = good(d.onehot(2)).kl;
        moved[i] = scores[i] - step;
        GOOD(d.set_scores(moved));
        DEMAND(std::fabs((above - good(d.onehot(2)).kl) / (2 * step) - at.z[i]) < 1e-8);
    }
    DEMAND(bad([&] { return d.set_scores(std::vector<double>(4)); }, "scores") == KLDVE_E_ARG);
    DEMAND(bad([&] { return d.onehot(5); }, "") == KLDVE_E_ARG);
}

#ifdef __cpp_lib_memory_resource
/* Everything comes from the resource and goes back there. */
class counting : public std::pmr::memory_resource
{
  public:
    long live = 0, calls = 0;

  private:
    void *do_allocate(std::size_t nbytes, std::size_t alignment) override
    {
        live++;
        calls++;
        return std::pmr::new_delete_resource()->allocate(nbytes, alignment);
    }
    void do_deallocate(void *block, std::size_t nbytes, std::size_t alignment) override
    {
        live--;
        std::pmr::new_delete_resource()->deallocate(block, nbytes, alignment);
    }
    bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override
    {
        return this == &other;
    }
};

static void memory()
{
    counting resource;

    {
        kldve::context ctx = good(kldve::context::make(&resource));

        (void)small_map(ctx);
        DEMAND(resource.calls > 1 && resource.live > 0);
    }
    DEMAND(resource.live == 0);
    /* An empty resource throws, which becomes a status. */
#ifdef KLDVE_HPP_CATCHES
    DEMAND(bad([&] { return kldve::context::make(std::pmr::null_memory_resource()); }, "memory") ==
           KLDVE_E_NOMEM);
#endif
}
#else
static void memory()
{
}
#endif

/* A host's picture in and out: blue, green, red, with a gap behind each row. */
static void pixels()
{
    kldve::context ctx = good(kldve::context::make());
    unsigned char bgr[2][8] = {{1, 2, 3, 4, 5, 6, 0, 0}, {7, 8, 9, 10, 11, 12, 0, 0}};
    kldve_pixels given = kldve_pixels_of(KLDVE_PIXEL_BGR, 2, 2, bgr, sizeof bgr[0]);
    kldve::image copy = good(kldve::image::from_pixels(ctx, given));
    kldve::image borrowed = good(kldve::image::borrow(ctx, given));
    kldve::heatmap map = small_map(ctx);

    DEMAND(copy.width() == 2 && copy.pixels()[0] == 3 && copy.pixels()[11] == 10);
    DEMAND(borrowed.height() == 2);
    unsigned char drawn[2][8] = {{0}};
    GOOD(map.render_into(copy, kldve_pixels_of(KLDVE_PIXEL_BGR, 2, 2, drawn, sizeof drawn[0])));
    DEMAND(drawn[0][0] != 0 || drawn[0][3] != 0);
#ifdef WITH_ONNX
    std::vector<unsigned char> png = good(copy.encode(KLDVE_FILE_FORMAT_PNG));
    DEMAND(good(kldve::image::decode(ctx, png)).pixels()[0] == 3);
#endif
}

/* Limits and deadlines are said, and go away again. */
static void control()
{
    kldve::context ctx = good(kldve::context::make());

    GOOD(ctx.limit(KLDVE_LIMIT_LABELS, 4));
    DEMAND(bad([&] { return kldve::labels::parse(ctx, "cat\ndog\n"); }, "labels") == KLDVE_E_LIMIT);
    GOOD(ctx.limit(KLDVE_LIMIT_LABELS, 0));
    DEMAND(good(kldve::labels::parse(ctx, "cat\ndog\n")).count() == 2);
    DEMAND(bad([&] { return ctx.limit(1000, 4); }, "") == KLDVE_E_UNSUPPORTED);
    DEMAND(bad([&] { return ctx.deadline(-1); }, "") == KLDVE_E_ARG);
}

#ifdef WITH_ONNX
static void network()
{
    kldve::context ctx = good(kldve::context::make());
    kldve::explainer net = good(kldve::open_demo(ctx));
    kldve::image scene = good(kldve::image::load(ctx, SCENE));
    kldve::options cat;
    long steps = 0;

    DEMAND(net.shape().classes == good(net.explain(scene)).record().classes);
    ctx.on_progress([&steps](const char *, std::int64_t, std::int64_t) { return ++steps > 0; });
    kldve::heatmap why = good(net.explain(scene));
    DEMAND(steps > 0 && good(why.render(scene)).width() == scene.width());
    std::vector<kldve::heatmap> both = good(net.explain({&scene, &scene}));
    DEMAND(both.size() == 2 && std::fabs(both[1].values()[7] - why.values()[7]) < 1e-4f);
    cat.target_kind = KLDVE_TARGET_INDEX;
    cat.target = 1;
    DEMAND(good(net.explain(scene, cat)).record().target == 1);
    GOOD(net.check(cat));
    DEMAND(good(net.parameters()).size() > 0);
    GOOD(net.randomise(KLDVE_RANDOMISE_CASCADE, 0, 1));
    GOOD(net.randomise(KLDVE_RANDOMISE_NONE));
    cat.method = "no-such-method";
    DEMAND(bad([&] { return net.check(cat); }, "no-such-method") == KLDVE_E_UNSUPPORTED);
    DEMAND(bad([&] { return net.explain(kldve::span<const float>()); }, "size") == KLDVE_E_ARG);
    std::vector<float> input = good(net.input(scene));

    DEMAND(good(net.forward(input))[0] == good(net.explain(input)).logits()[0]);
    DEMAND(bad([&] { return net.forward(kldve::span<const float>(input.data(), 1)); }, "size") ==
           KLDVE_E_ARG);
    DEMAND(bad([&] { return net.explain(kldve::features()); }, "whole network") == KLDVE_E_ARG);

    ctx.on_progress([&ctx](const char *, std::int64_t, std::int64_t) {
        ctx.cancel();
        return true;
    });
    DEMAND(bad([&] { return net.explain(scene); }, "") == KLDVE_E_CANCELLED);
    ctx.on_progress(nullptr);
    GOOD(ctx.deadline(1e-3));
    DEMAND(bad([&] { return net.explain(scene); }, "") == KLDVE_E_DEADLINE);
    GOOD(ctx.deadline(0));
    long lines = 0;
    ctx.on_log(KLDVE_LOG_DEBUG, [&lines](std::int32_t, const char *line) { lines += *line != 0; });
    (void)good(net.explain(scene));
    DEMAND(lines > 0);
    ctx.on_log(KLDVE_LOG_NONE, nullptr);

    ctx.on_progress([](const char *, std::int64_t, std::int64_t) { return false; });
    DEMAND(bad([&] { return net.explain(scene); }, "") == KLDVE_E_CANCELLED);
#ifdef KLDVE_HPP_CATCHES
    struct boom {
    };
    bool caught = false;
    ctx.on_progress([](const char *, std::int64_t, std::int64_t) -> bool { throw boom(); });
    try {
        (void)net.explain(scene);
    } catch (const boom &) {
        caught = true;
    }
    DEMAND(caught);
#endif
    ctx.on_progress(nullptr);
    DEMAND(good(net.explain(scene)).record().target == why.record().target);
    DEMAND(bad([&] { return kldve::network::load(ctx, "no-such.onnx"); }, "no-such") == KLDVE_E_IO);
}

/* The explainer keeps its network alive. */
static void own_network()
{
    kldve::context ctx = good(kldve::context::make());
    kldve::sized<kldve_onnx_files> demo;
    kldve::explainer net;

    DEMAND(kldve_onnx_demo(&demo) == KLDVE_OK);
    {
        const unsigned char *bytes = static_cast<const unsigned char *>(demo.model);
        kldve::network loaded = good(
            kldve::network::load(ctx, kldve::span<const unsigned char>(bytes, demo.model_nbytes)));

        DEMAND(loaded.tensors().size() > 3 && loaded.chosen().layer);
        net = good(loaded.open(ctx));
    }
    kldve::card card = good(kldve::card::parse(ctx, std::string(demo.card, demo.card_nbytes)));
    kldve::input_spec spec = card.input();
    GOOD(net.set_input(spec));
    std::vector<float> grey(static_cast<std::size_t>(net.shape().in_channels) *
                            static_cast<std::size_t>(net.shape().in_height) *
                            static_cast<std::size_t>(net.shape().in_width));
    DEMAND(good(net.explain(grey)).values().size() > 1);
}
#endif

/* What is assigned over is freed while the context that it was made from, which nobody else keeps,
 * is there. */
static void assigned_over()
{
    const unsigned char grey[4] = {1, 2, 3, 4};
    const kldve_pixels wide = kldve_pixels_of(KLDVE_PIXEL_GREY, 2, 1, grey, 0);
    const kldve_pixels high = kldve_pixels_of(KLDVE_PIXEL_GREY, 1, 2, grey, 0);
    kldve::image one, other;

    {
        kldve::context ctx = good(kldve::context::make());

        one = good(kldve::image::from_pixels(ctx, wide));
    }
    {
        kldve::context ctx = good(kldve::context::make());

        other = good(kldve::image::from_pixels(ctx, high));
    }
    one = std::move(other);
    DEMAND(one.width() == 1);
}

int main()
{
    maps();
    assigned_over();
    failures();
    names();
    divergence();
    memory();
    control();
    pixels();
#ifdef WITH_ONNX
    network();
    own_network();
#endif
    return 0;
}
