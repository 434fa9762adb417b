// video.cpp - a camera or a film with the heat of each frame over it, by OpenCV.
//
//     video CAMERA|FILM NETWORK.onnx            in a window; any key ends
//     video CAMERA|FILM NETWORK.onnx OUT.avi    into a film (Motion JPEG), without a window
//
// CAMERA is a number from 0.  Prints how many frames it explained in a second.
#include "explain.hpp"

#include <opencv2/highgui.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace
{

cv::VideoCapture open_source(const std::string &name)
{
    const bool is_camera = name.find_first_not_of("0123456789") == std::string::npos;
    cv::VideoCapture source;

    if (is_camera ? !source.open(std::stoi(name)) : !source.open(name))
        throw std::runtime_error(name + ": cannot be opened as a camera or film");
    return source;
}

cv::VideoWriter open_target(const std::string &path, const cv::VideoCapture &like)
{
    const double rate = like.get(cv::CAP_PROP_FPS);
    const cv::Size size(static_cast<int>(like.get(cv::CAP_PROP_FRAME_WIDTH)),
                        static_cast<int>(like.get(cv::CAP_PROP_FRAME_HEIGHT)));
    cv::VideoWriter target(path, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), rate > 0 ? rate : 25,
                           size);

    if (!target.isOpened())
        throw std::runtime_error(path + ": cannot be written");
    return target;
}

void write_name(cv::Mat &frame, const Found &found)
{
    const std::string text = found.name + cv::format(" %.0f %%", 100 * found.probability);
    const double scale = frame.rows / 480.0;
    const cv::Point where(frame.rows / 40, frame.rows - frame.rows / 30);

    // Dark below light can be read on any ground.
    for (const auto &[colour, width] :
         {std::pair(cv::Scalar::all(0), 4), {cv::Scalar::all(255), 1}})
        cv::putText(frame, text, where, cv::FONT_HERSHEY_SIMPLEX, scale, colour, width,
                    cv::LINE_AA);
}

// False: the user wants to end.
bool show(const cv::Mat &frame)
{
    cv::imshow("kldve", frame);
    return cv::waitKey(1) < 0;
}

void run(const std::string &source_name, const std::string &network, const char *out)
{
    using clock = std::chrono::steady_clock;
    FilmExplainer explainer(network);
    cv::VideoCapture source = open_source(source_name);
    cv::VideoWriter target = out ? open_target(out, source) : cv::VideoWriter();
    std::chrono::duration<double> spent(0);
    cv::Mat frame;
    long frames = 0;

    for (bool more = true; more && source.read(frame); frames++) {
        const auto start = clock::now();
        const Found found = explainer.draw(frame);

        spent += clock::now() - start;
        write_name(frame, found);
        if (out)
            target.write(frame);
        else
            more = show(frame);
    }
    if (frames == 0)
        throw std::runtime_error(source_name + ": has no frames");
    std::printf("%ld frames, %.1f explained in a second, colours from 0 to %.4g\n", frames,
                static_cast<double>(frames) / spent.count(), explainer.scale());
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        std::fprintf(stderr, "usage: video CAMERA|FILM NETWORK.onnx [OUT.avi]\n");
        return 2;
    }
    try {
        run(argv[1], argv[2], argc > 3 ? argv[3] : nullptr);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "video: %s\n", e.what());
        return 1;
    }
    return 0;
}
