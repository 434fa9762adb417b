/* kldve.hpp - libkldve for C++11 and newer: inline calls of the C API, no library of their own and
 * nothing but the standard library.
 *
 *     auto ctx = kldve::context::make();
 *     auto net = kldve::open(ctx, "net.onnx");
 *     auto photo = kldve::image::load(ctx, "photo.jpg");
 *     net.explain(photo).render(photo).save("why.png");
 *
 * That is with KLDVE_HPP_EXCEPTIONS defined before the include.  Without, each call gives a
 * kldve::result, which says whether it has a value: result.hpp.
 *
 * Objects can be moved, not copied; each keeps its context alive.  The rules of the C API hold:
 * one thread at a time for a context and what works with it.  get() gives the C object wherever a
 * call is missing here.  Options are the structs of the C API: kldve::options has its size filled
 * in and zeros elsewhere; what its pointers name is borrowed for the call.  A callback may throw:
 * the call that it stopped throws that on. */
#ifndef KLDVE_KLDVE_HPP
#define KLDVE_KLDVE_HPP

#include <kldve/method.h>
#include <kldve/metrics.h>
#include <kldve/result.hpp>
#if defined(__has_include) && __cplusplus >= 201703L
#if __has_include(<memory_resource>)
#include <memory_resource>
#endif
#endif

namespace kldve
{
inline namespace KLDVE_HPP_MODE
{

using options = sized<kldve_options>;
using arrays = sized<kldve_arrays>;
using input_spec = sized<kldve_input_spec>;
using render_options = sized<kldve_render_options>;
using divergence_options = sized<kldve_divergence_options>;
using record = sized<kldve_record>;
using timings = sized<kldve_timings>;
using features = sized<kldve_feature_maps>;
using shape = sized<kldve_shape>;

/** A context: memory, messages, progress, log. */
class context
{
  public:
    /** @param allocator  Copied.  NULL: malloc() and free(). */
    static outcome<context> make(const kldve_allocator *allocator = nullptr)
    {
        auto s = std::make_shared<detail::state>();
        kldve_status status = kldve_ctx_new(allocator, &s->ctx);

        return detail::give(nullptr, status, context(std::move(s)));
    }
#ifdef __cpp_lib_memory_resource
    /** Memory from a std::pmr::memory_resource, which outlives what was made from the context and
     *  is safe from every thread that uses it. */
    static outcome<context> make(std::pmr::memory_resource *memory)
    {
        sized<kldve_allocator> allocator;

        allocator.alloc = [](void *opaque, std::size_t nbytes) -> void * {
            return allocate(static_cast<std::pmr::memory_resource *>(opaque), nbytes);
        };
        allocator.free = [](void *opaque, void *block) {
            char *start = static_cast<char *>(block) - HEAD;

            static_cast<std::pmr::memory_resource *>(opaque)->deallocate(
                start, *reinterpret_cast<std::size_t *>(start), HEAD);
        };
        allocator.opaque = memory;
        return make(&allocator);
    }
#endif
    context() = default;
    kldve_ctx *get() const
    {
        return state_ ? state_->ctx : nullptr;
    }
    /** Why the last failed call failed; borrowed. */
    const char *message() const
    {
        return kldve_ctx_message(get());
    }

    /** @param progress  Called during long work with a stage, steps done and steps in all; false
     *                   stops the call.  An empty one removes it. */
    void on_progress(std::function<bool(const char *, std::int64_t, std::int64_t)> progress)
    {
        state_->progress = std::move(progress);
        kldve_ctx_set_progress(get(), state_->progress ? &on_step : nullptr, state_.get());
    }

    /** @param log  Called with a kldve_log_level and one line; an empty one removes it. */
    void on_log(std::int32_t level, std::function<void(std::int32_t, const char *)> log)
    {
        state_->log = std::move(log);
        kldve_ctx_set_log(get(), level, state_->log ? &on_line : nullptr, state_.get());
    }

    /** Stop the call that runs; from any thread, also from a signal handler. */
    void cancel() const noexcept
    {
        kldve_ctx_cancel(get());
    }
    /** Forget a cancel that came too late. */
    void resume() const noexcept
    {
        kldve_ctx_resume(get());
    }
    /** How long each later call may take; 0: as long as it needs. */
    outcome<void> deadline(double milliseconds)
    {
        return detail::give(state_.get(), kldve_ctx_set_deadline(get(), milliseconds));
    }
    /** @param which  A KLDVE_LIMIT_; value 0: its default. */
    outcome<void> limit(std::int32_t which, std::int64_t value)
    {
        return detail::give(state_.get(), kldve_ctx_set_limit(get(), which, value));
    }

    const std::shared_ptr<detail::state> &shared() const
    {
        return state_;
    }

  private:
    explicit context(std::shared_ptr<detail::state> s) : state_(std::move(s))
    {
    }

    static std::int32_t on_step(void *opaque, const char *stage, std::int64_t done,
                                std::int64_t total)
    {
        detail::state &s = *static_cast<detail::state *>(opaque);
        bool go_on = false;

        return !(detail::guarded(s, [&] { go_on = s.progress(stage, done, total); }) && go_on);
    }

    static void on_line(void *opaque, std::int32_t level, const char *message)
    {
        detail::state &s = *static_cast<detail::state *>(opaque);

        detail::guarded(s, [&] { s.log(level, message); });
    }
#ifdef __cpp_lib_memory_resource
    /* A block begins with its size: C frees by address alone. */
    static constexpr std::size_t HEAD = alignof(std::max_align_t);

    static void *take(std::pmr::memory_resource *memory, std::size_t nbytes)
    {
        char *start = static_cast<char *>(memory->allocate(nbytes + HEAD, HEAD));

        *reinterpret_cast<std::size_t *>(start) = nbytes + HEAD;
        return start + HEAD;
    }

    /* A resource that has no memory throws; C is told by NULL. */
    static void *allocate(std::pmr::memory_resource *memory, std::size_t nbytes) noexcept
    {
        if (nbytes > SIZE_MAX - HEAD)
            return nullptr;
#ifdef KLDVE_HPP_CATCHES
        try {
            return take(memory, nbytes);
        } catch (...) {
            return nullptr;
        }
#else
        return take(memory, nbytes);
#endif
    }
#endif
    std::shared_ptr<detail::state> state_;
};

/** A picture. */
class image : public detail::object<kldve_image, kldve_image_free>
{
  public:
    using object::object;
    static outcome<image> load(const context &c, const std::string &path)
    {
        kldve_image *made = nullptr;
        kldve_status status = kldve_image_load(c.get(), path.c_str(), &made);

        return detail::give(c.shared().get(), status, image(c.shared(), made));
    }
    static outcome<image> decode(const context &c, span<const unsigned char> bytes)
    {
        kldve_image *made = nullptr;
        kldve_status status = kldve_image_decode(c.get(), bytes.data(), bytes.size(), &made);

        return detail::give(c.shared().get(), status, image(c.shared(), made));
    }
    /** @param given  Of the host: kldve_pixels_of() fills it in.  Copied. */
    static outcome<image> from_pixels(const context &c, const kldve_pixels &given)
    {
        kldve_image *made = nullptr;
        kldve_status status = kldve_image_from_pixels(c.get(), &given, &made);

        return detail::give(c.shared().get(), status, image(c.shared(), made));
    }
    /** Without a copy: the pixels stay where they are, unchanged, as long as the picture lives. */
    static outcome<image> borrow(const context &c, const kldve_pixels &given)
    {
        kldve_image *made = nullptr;
        kldve_status status = kldve_image_borrow(c.get(), &given, nullptr, nullptr, &made);

        return detail::give(c.shared().get(), status, image(c.shared(), made));
    }
    std::int32_t width() const
    {
        return kldve_image_width(get());
    }
    std::int32_t height() const
    {
        return kldve_image_height(get());
    }
    /** [height][width][3], RGB; empty of a picture that borrows pixels in another format. */
    span<const std::uint8_t> pixels() const
    {
        const std::uint8_t *rgb = kldve_image_pixels(get());
        std::size_t count = static_cast<std::size_t>(width()) * static_cast<std::size_t>(height());

        return span<const std::uint8_t>(rgb, rgb ? 3 * count : 0);
    }
    /** @param interpolation  A kldve_interpolation. */
    outcome<image> resize(std::int32_t to_width, std::int32_t to_height,
                          std::int32_t interpolation = KLDVE_INTERPOLATION_BILINEAR) const
    {
        kldve_image *made = nullptr;
        kldve_status status =
            kldve_image_resize_by(ctx(), get(), interpolation, to_width, to_height, &made);

        return detail::give(state_.get(), status, image(state_, made));
    }
    /** A file in memory.
     *  @param format  A kldve_file_format. */
    outcome<std::vector<unsigned char>> encode(std::int32_t format, std::int32_t quality = 0) const
    {
        std::vector<unsigned char> file;
        void *bytes = nullptr;
        std::size_t nbytes = 0;
        kldve_status status = kldve_image_encode(ctx(), get(), format, quality, &bytes, &nbytes);

        if (status == KLDVE_OK)
            file.assign(static_cast<unsigned char *>(bytes),
                        static_cast<unsigned char *>(bytes) + nbytes);
        kldve_ctx_release(ctx(), bytes);
        return detail::give(state_.get(), status, std::move(file));
    }
    /** @param quality  Of a JPEG, 1..100; 0: the default. */
    outcome<void> save(const std::string &path, std::int32_t quality = 0) const
    {
        return detail::give(state_.get(), kldve_image_save(ctx(), get(), path.c_str(), quality));
    }
};

/** Names of classes. */
class labels : public detail::object<kldve_labels, kldve_labels_free>
{
  public:
    using object::object;
    static outcome<labels> load(const context &c, const std::string &path)
    {
        kldve_labels *made = nullptr;
        kldve_status status = kldve_labels_load(c.get(), path.c_str(), &made);

        return detail::give(c.shared().get(), status, labels(c.shared(), made));
    }
    static outcome<labels> parse(const context &c, const std::string &lines)
    {
        kldve_labels *made = nullptr;
        kldve_status status = kldve_labels_parse(c.get(), lines.data(), lines.size(), &made);

        return detail::give(c.shared().get(), status, labels(c.shared(), made));
    }
    std::int32_t count() const
    {
        return kldve_labels_count(get());
    }
    /** NULL where there is no such class. */
    const char *name(std::int32_t index) const
    {
        return detail::text(get(), index, &kldve_labels_name);
    }
    outcome<std::int32_t> find(const std::string &what) const
    {
        std::int32_t index = -1;
        kldve_status status = kldve_labels_find(ctx(), get(), what.c_str(), &index);

        return detail::give(state_.get(), status, index);
    }
};

/** The result of an explanation. */
class heatmap : public detail::object<kldve_heatmap, kldve_heatmap_free>
{
  public:
    using object::object;
    kldve::record record() const
    {
        kldve::record r;

        (void)(kldve_heatmap_record(get(), &r) == KLDVE_OK); /* all zero without a map */
        return r;
    }
    kldve::timings timings() const
    {
        kldve::timings t;

        (void)(kldve_heatmap_timings(get(), &t) == KLDVE_OK);
        return t;
    }
    /** Whether the record has a flag, a KLDVE_RESULT_*. */
    bool has(std::uint64_t flag) const
    {
        return (record().flags & flag) != 0;
    }
    /** What everyone who sees this map should know; NULL: nothing. */
    const char *remark() const
    {
        return kldve_heatmap_remark(get());
    }

    /* [height][width] in 0..1, and the arrays behind it; empty where there is none. */
    span<const float> values() const
    {
        return detail::array(get(), &kldve_heatmap_values);
    }
    span<const float> error() const
    {
        return detail::array(get(), &kldve_heatmap_error);
    }
    span<const float> logits() const
    {
        return detail::array(get(), &kldve_heatmap_logits);
    }
    span<const double> probabilities() const
    {
        return detail::array(get(), &kldve_heatmap_probabilities);
    }
    span<const double> z() const
    {
        return detail::array(get(), &kldve_heatmap_z);
    }
    span<const double> alpha() const
    {
        return detail::array(get(), &kldve_heatmap_alpha);
    }
    span<const double> cotangent() const
    {
        return detail::array(get(), &kldve_heatmap_cotangent);
    }
    span<const double> weights() const
    {
        return detail::array(get(), &kldve_heatmap_weights);
    }

    /** The map over the picture. */
    outcome<image> render(const image &picture,
                          const kldve_render_options &how = render_options()) const
    {
        return drawn(picture.get(), how);
    }
    /** The map alone. */
    outcome<image> render(const kldve_render_options &how = render_options()) const
    {
        return drawn(nullptr, how);
    }
    /** The map over the picture, into the host's own memory. */
    outcome<void> render_into(const image &picture, const kldve_pixels &dest,
                              const kldve_render_options &how = render_options()) const
    {
        return detail::give(state_.get(),
                            kldve_heatmap_render_into(ctx(), get(), picture.get(), &how, &dest));
    }
    /** What render() makes of options; 0 x 0: of the map alone. */
    outcome<render_options> render_defaults(std::int32_t width, std::int32_t height,
                                            const kldve_render_options &how = render_options()) const
    {
        render_options made;
        kldve_status status =
            kldve_heatmap_render_defaults(ctx(), get(), width, height, &how, &made);

        return detail::give(state_.get(), status, made);
    }
    /** [height][width]. */
    outcome<std::vector<float>> upsample(std::int32_t width, std::int32_t height) const
    {
        bool fits = width > 0 && height > 0;
        std::vector<float> to(
            fits ? static_cast<std::size_t>(width) * static_cast<std::size_t>(height) : 0);
        kldve_status status = kldve_heatmap_upsample(ctx(), get(), width, height,
                                                     static_cast<std::ptrdiff_t>(width) *
                                                         static_cast<std::ptrdiff_t>(sizeof(float)),
                                                     to.data());

        return detail::give(state_.get(), status, std::move(to));
    }
    /** The map of one frame of a film. */
    outcome<heatmap> frame(std::int32_t number) const
    {
        kldve_heatmap *made = nullptr;
        kldve_status status = kldve_heatmap_frame(ctx(), get(), number, &made);

        return detail::give(state_.get(), status, heatmap(state_, made));
    }
    /** One number that describes the map, "energy_area"; see metrics.h. */
    outcome<double> metric(const std::string &name) const
    {
        double value = 0;
        kldve_status status = kldve_metric_compute(ctx(), get(), name.c_str(), nullptr, &value);

        return detail::give(state_.get(), status, value);
    }
    /** The same of a metric that looks at more than the map; see metrics.h. */
    outcome<double> metric(const std::string &name, const kldve_metric_subject &subject) const
    {
        double value = 0;
        kldve_status status = kldve_metric_compute(ctx(), get(), name.c_str(), &subject, &value);

        return detail::give(state_.get(), status, value);
    }
    /** Several numbers, which share the work on the map; see metrics.h. */
    outcome<std::vector<double>> metrics(const std::vector<std::string> &names) const
    {
        std::vector<const char *> all;
        std::vector<double> values(names.size());

        for (const std::string &name : names)
            all.push_back(name.c_str());
        kldve_status status = kldve_metric_compute_several(ctx(), get(), all.data(),
                                                           static_cast<std::int32_t>(all.size()),
                                                           nullptr, values.data());

        return detail::give(state_.get(), status, std::move(values));
    }
    /** One map from several of one picture. */
    static outcome<heatmap> fuse(const context &c, const std::vector<const heatmap *> &maps)
    {
        auto all = detail::pointers<kldve_heatmap>(maps);
        kldve_heatmap *made = nullptr;
        kldve_status status =
            kldve_heatmap_fuse(c.get(), all.data(), static_cast<std::int32_t>(all.size()), &made);

        return detail::give(c.shared().get(), status, heatmap(c.shared(), made));
    }

  private:
    outcome<image> drawn(const kldve_image *picture, const kldve_render_options &how) const
    {
        kldve_image *made = nullptr;
        kldve_status status = kldve_heatmap_render(ctx(), get(), picture, &how, &made);

        return detail::give(state_.get(), status, image(state_, made));
    }
};

/** A network ready to be explained. */
class explainer : public detail::object<kldve_explainer, kldve_explainer_free>
{
  public:
    using object::object;
    /** On any engine: backend.h. */
    static outcome<explainer> make(const context &c, const kldve_backend &backend,
                                   const void *config)
    {
        kldve_explainer *made = nullptr;
        kldve_status status = kldve_explainer_new(c.get(), &backend, config, &made);

        return detail::give(c.shared().get(), status, explainer(c.shared(), made));
    }
    kldve::shape shape() const
    {
        kldve::shape s;

        (void)(kldve_explainer_shape(get(), &s) == KLDVE_OK);
        return s;
    }
    /** What was chosen for you, and what everyone who sees its maps should know; borrowed. */
    std::vector<const char *> notes() const
    {
        return detail::texts(get(), &kldve_explainer_note);
    }
    outcome<void> set_input(const kldve_input_spec &spec)
    {
        return detail::give(state_.get(), kldve_explainer_set_input(get(), &spec));
    }
    /** The layers with parameters, from the logits to the input; borrowed. */
    outcome<std::vector<const char *>> parameters()
    {
        std::vector<const char *> names;
        const char *name = nullptr;
        kldve_status status;

        while ((status = kldve_explainer_parameters(get(), static_cast<std::int32_t>(names.size()),
                                                    &name)) == KLDVE_OK)
            names.push_back(name);
        return detail::give(state_.get(), status == KLDVE_E_NOT_FOUND ? KLDVE_OK : status,
                            std::move(names));
    }
    /** Random parameters, for the sanity metrics; KLDVE_RANDOMISE_NONE: its own again. */
    outcome<void> randomise(std::int32_t kind, std::int32_t layer = 0, std::uint64_t seed = 0)
    {
        return detail::give(state_.get(), kldve_explainer_randomise(get(), kind, layer, seed));
    }
    /** Whether it can explain with these options, before any work. */
    outcome<void> check(const kldve_options &how = options())
    {
        return detail::give(state_.get(), kldve_explainer_check(get(), &how));
    }
    /** Picture -> [in_channels][in_height][in_width]: what the network is given of it. */
    outcome<std::vector<float>> input(const image &picture)
    {
        std::vector<float> values(input_size());
        kldve_status status = kldve_explainer_input(get(), picture.get(), values.data());

        return detail::give(state_.get(), status, std::move(values));
    }
    /** [count][in_channels][in_height][in_width] -> logits [count][classes], without explaining. */
    outcome<std::vector<float>> forward(span<const float> inputs,
                                        const kldve_options &how = options())
    {
        std::size_t one = input_size(), count = inputs.size() / one;
        std::vector<float> logits(count * static_cast<std::size_t>(shape().classes));

        if (count * one != inputs.size())
            return detail::failure<std::vector<float>>(
                KLDVE_E_ARG, "the inputs have not the network's size");
        kldve_status status = kldve_explainer_forward(
            get(), inputs.data(), static_cast<std::int32_t>(count), &how, logits.data());

        return detail::give(state_.get(), status, std::move(logits));
    }
    outcome<heatmap> explain(const image &picture, const kldve_options &how = options())
    {
        kldve_heatmap *made = nullptr;
        kldve_status status = kldve_explain(get(), picture.get(), &how, &made);

        return detail::give(state_.get(), status, heatmap(state_, made));
    }
    /** @param input  [in_channels][in_height][in_width]. */
    outcome<heatmap> explain(span<const float> input, const kldve_options &how = options())
    {
        kldve_heatmap *made = nullptr;

        if (input.size() != input_size())
            return detail::failure<heatmap>(KLDVE_E_ARG, "the input has not the network's size");
        kldve_status status = kldve_explain_input(get(), input.data(), &how, &made);

        return detail::give(state_.get(), status, heatmap(state_, made));
    }
    /** By the head of a network, from what another engine computed in front of it. */
    outcome<heatmap> explain(const kldve_feature_maps &given, const kldve_options &how = options())
    {
        kldve_heatmap *made = nullptr;
        kldve_status status = kldve_explain_features(get(), &given, &how, &made);

        return detail::give(state_.get(), status, heatmap(state_, made));
    }
    outcome<std::vector<heatmap>> explain(const std::vector<const image *> &pictures,
                                          const kldve_options &how = options())
    {
        auto all = detail::pointers<kldve_image>(pictures);
        std::vector<kldve_heatmap *> made(all.size());
        std::vector<heatmap> maps;
        kldve_status status = kldve_explain_many(
            get(), all.data(), static_cast<std::int32_t>(all.size()), &how, made.data());

        for (kldve_heatmap *one : made)
            maps.emplace_back(state_, one);
        return detail::give(state_.get(), status, std::move(maps));
    }

  private:
    std::size_t input_size() const
    {
        kldve::shape s = shape();

        return static_cast<std::size_t>(s.in_channels) * static_cast<std::size_t>(s.in_height) *
               static_cast<std::size_t>(s.in_width);
    }
};

/** Explain what an inference that ran elsewhere left behind. */
inline outcome<heatmap> explain(const context &c, const kldve_arrays &given,
                                const kldve_options &how = options())
{
    kldve_heatmap *made = nullptr;
    kldve_status status = kldve_explain_arrays(c.get(), &given, &how, &made);

    return detail::give(c.shared().get(), status, heatmap(c.shared(), made));
}

/** The cotangent at the logits to start your own autograd with, [classes]. */
inline outcome<std::vector<float>> cotangent(const context &c, span<const float> logits,
                                             const kldve_options &how = options())
{
    std::vector<float> t(logits.size());
    kldve_status status = kldve_arrays_cotangent(
        c.get(), logits.data(), static_cast<std::int32_t>(logits.size()), &how, t.data());

    return detail::give(c.shared().get(), status, std::move(t));
}

/** The names of the methods, for options.method: the library's, then those of the context. */
inline std::vector<const char *> methods(const context &c = context())
{
    std::vector<const char *> names;
    const kldve_method *one = nullptr;

    while (kldve_method_at(c.get(), static_cast<std::int32_t>(names.size()), &one) == KLDVE_OK)
        names.push_back(one->name);
    return names;
}

/** The KL divergence of pairwise affinities on its own; divergence.h. */
class divergence : public detail::object<kldve_divergence, kldve_divergence_free>
{
  public:
    /** A divergence and its gradient with respect to the scores over the temperature. */
    struct gradient {
        double kl;
        std::vector<double> z;
    };
    divergence() = default;
    static outcome<divergence> make(const context &c, std::int32_t scores,
                                    const kldve_divergence_options &how = divergence_options())
    {
        kldve_divergence *made = nullptr;
        kldve_status status = kldve_divergence_new(c.get(), scores, &how, &made);

        return detail::give(c.shared().get(), status,
                            divergence(c.shared(), made, status == KLDVE_OK ? scores : 0));
    }
    outcome<void> set_scores(span<const double> scores)
    {
        if (scores.size() != n_)
            return detail::failure<void>(KLDVE_E_ARG, "not as many scores as the divergence has");
        return detail::give(state_.get(), kldve_divergence_set_scores(get(), scores.data()));
    }
    outcome<gradient> onehot(std::int32_t target) const
    {
        gradient g = empty();
        kldve_status status = kldve_divergence_onehot(get(), target, g.z.data(), &g.kl);

        return detail::give(state_.get(), status, std::move(g));
    }
    outcome<gradient> truth(span<const double> y)
    {
        gradient g = empty();

        if (y.size() != n_)
            return detail::failure<gradient>(KLDVE_E_ARG, "not as many values as there are scores");
        kldve_status status = kldve_divergence_truth(get(), y.data(), g.z.data(), &g.kl);

        return detail::give(state_.get(), status, std::move(g));
    }
    outcome<gradient> positives(span<const std::int32_t> targets)
    {
        gradient g = empty();
        kldve_status status = kldve_divergence_positives(
            get(), targets.data(), static_cast<std::int32_t>(targets.size()), g.z.data(), &g.kl);

        return detail::give(state_.get(), status, std::move(g));
    }
    outcome<std::vector<double>> contrast(std::int32_t target) const
    {
        std::vector<double> t(n_);
        kldve_status status = kldve_divergence_contrast(get(), target, t.data());

        return detail::give(state_.get(), status, std::move(t));
    }
    outcome<std::vector<double>> rivals(std::int32_t target) const
    {
        std::vector<double> t(n_);
        kldve_status status = kldve_divergence_rivals(get(), target, t.data());

        return detail::give(state_.get(), status, std::move(t));
    }
    outcome<std::vector<double>> neighbours(std::int32_t target, double perplexity = 0) const
    {
        std::vector<double> t(n_);
        kldve_status status = kldve_divergence_neighbours(get(), target, perplexity, t.data());

        return detail::give(state_.get(), status, std::move(t));
    }

  private:
    divergence(std::shared_ptr<detail::state> s, kldve_divergence *made, std::int32_t n)
        : object(std::move(s), made), n_(static_cast<std::size_t>(n))
    {
    }
    gradient empty() const
    {
        return gradient{0, std::vector<double>(n_)};
    }

    std::size_t n_ = 0;
};

} // namespace KLDVE_HPP_MODE
} // namespace kldve

#if defined(__has_include)
#if __has_include(<kldve/onnx.h>) && __has_include(<kldve/onnx.hpp>)
#include <kldve/onnx.hpp>
#endif
#endif
#endif
