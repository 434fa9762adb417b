#include "explain.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>

FilmExplainer::FilmExplainer(const std::string &network)
{
    kldve_ctx *ctx = nullptr;
    kldve_explainer *net = nullptr;

    if (kldve_ctx_new(nullptr, &ctx) != KLDVE_OK)
        throw std::bad_alloc();
    ctx_.reset(ctx);
    check(kldve_onnx_explainer(ctx, network.c_str(), nullptr, &net));
    net_.reset(net);
}

void FilmExplainer::check(kldve_status status) const
{
    if (status != KLDVE_OK)
        throw std::runtime_error(kldve_ctx_message(ctx_.get()));
}

std::string FilmExplainer::name_of(std::int32_t index) const
{
    const char *name = nullptr;

    return kldve_labels_name(kldve_onnx_explainer_labels(net_.get()), index, &name) == KLDVE_OK
               ? name
               : "class " + std::to_string(index);
}

Found FilmExplainer::draw(cv::Mat &frame)
{
    CV_Assert(frame.type() == CV_8UC3);
    const kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_BGR, frame.cols, frame.rows, frame.data,
                                                static_cast<std::ptrdiff_t>(frame.step));
    kldve_image *image = nullptr;
    kldve_heatmap *map = nullptr;
    kldve_record record{};
    kldve_render_options look{};

    check(kldve_image_borrow(ctx_.get(), &pixels, nullptr, nullptr, &image));
    const Owned<kldve_image> owned_image(image);

    check(kldve_explain(net_.get(), image, nullptr, &map));
    const Owned<kldve_heatmap> owned_map(map);

    record.struct_size = sizeof record;
    check(kldve_heatmap_record(map, &record));
    largest_ = std::max(largest_, record.high);
    look.struct_size = sizeof look;
    look.high = static_cast<float>(largest_);
    check(kldve_heatmap_render_into(ctx_.get(), map, image, &look, &pixels));
    return {name_of(record.target), static_cast<double>(record.probability)};
}
