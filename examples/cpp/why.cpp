// why.cpp NETWORK.onnx|- PICTURE OUT.png - explain a picture from C++; "-": the built-in network.
#define KLDVE_HPP_EXCEPTIONS
#include <kldve/kldve.hpp>
#include <iostream>

int main(int argc, char **argv) try {
    if (argc != 4)
        return std::cerr << "why NETWORK.onnx|- PICTURE OUT.png\n", 2;
    auto ctx = kldve::context::make();
    auto net = argv[1] == std::string("-") ? kldve::open_demo(ctx) : kldve::open(ctx, argv[1]);
    auto photo = kldve::image::load(ctx, argv[2]);
    net.explain(photo).render(photo).save(argv[3]);
} catch (const std::exception &e) {
    return std::cerr << e.what() << '\n', 1;
}
