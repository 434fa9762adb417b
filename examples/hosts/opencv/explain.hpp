// explain.hpp - explains frames of a film that are cv::Mat, without a copy of the library's own.
#pragma once

#include <kldve/onnx.h>

#include <opencv2/core.hpp>

#include <memory>
#include <string>

// What one frame showed.
struct Found {
    std::string name; // of the class
    double probability;
};

class FilmExplainer
{
  public:
    // Throws std::runtime_error with the library's message, as every function here.
    explicit FilmExplainer(const std::string &network);

    // Draw the heat over a frame, in place.  `frame` is CV_8UC3, B,G,R, also a part of a larger
    // one.
    //
    // The colours have one scale for the whole film, up to the largest value so far.  What glows
    // less than before matters less than before, and nothing flickers.
    Found draw(cv::Mat &frame);

    // The value that the end of the colours stands for.
    double scale() const
    {
        return largest_;
    }

  private:
    struct Free {
        void operator()(kldve_ctx *ctx) const
        {
            kldve_ctx_free(ctx);
        }
        void operator()(kldve_explainer *explainer) const
        {
            kldve_explainer_free(explainer);
        }
        void operator()(kldve_image *image) const
        {
            kldve_image_free(image);
        }
        void operator()(kldve_heatmap *map) const
        {
            kldve_heatmap_free(map);
        }
    };
    template <typename T> using Owned = std::unique_ptr<T, Free>;

    void check(kldve_status status) const;
    std::string name_of(std::int32_t index) const;

    Owned<kldve_ctx> ctx_; // first: it is freed last
    Owned<kldve_explainer> net_;
    double largest_ = 0;
};
