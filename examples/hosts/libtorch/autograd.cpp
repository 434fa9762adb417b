// autograd.cpp - explains a network of libtorch.  The module makes the forward pass, autograd the
// gradient; the library makes the map of both.  It links only libkldve and libtorch.
//
//     autograd NET.pt CHANNELSxHEIGHTxWIDTH PICTURE CLASS METHOD...
//
// NET.pt is what export.py writes.  The picture's values are divided by 255.  Prints the map of
// each method.
#include "backend.hpp"

#include <kldve/kldve.h>

#include <cstdio>
#include <cstdlib>

namespace
{

void print(const kldve_heatmap *map, const kldve_record &record)
{
    const float *value = nullptr;

    kldve_heatmap_values(map, &value, nullptr);
    for (int y = 0; y < record.height; y++)
        for (int x = 0; x < record.width; x++)
            std::printf("%.6f%c", static_cast<double>(*value++), x + 1 < record.width ? ' ' : '\n');
}

// Prints a map; false after a failure, of which the context has the message.
bool explain(kldve_explainer *explainer, const kldve_image *photo, std::int32_t target,
             const char *method)
{
    kldve_options options{};
    kldve_record record{};
    kldve_heatmap *map = nullptr;

    options.struct_size = sizeof options;
    options.method = method;
    options.target_kind = KLDVE_TARGET_INDEX;
    options.target = target;
    record.struct_size = sizeof record;
    if (kldve_explain(explainer, photo, &options, &map))
        return false;
    const bool known = kldve_heatmap_record(map, &record) == KLDVE_OK;

    if (known)
        print(map, record);
    kldve_heatmap_free(map);
    return known;
}

bool explain_all(kldve_ctx *ctx, const TorchNetwork &net, const char *picture, std::int32_t target,
                 char **methods)
{
    kldve_input_spec spec{};
    kldve_explainer *explainer = nullptr;
    kldve_image *photo = nullptr;

    spec.struct_size = sizeof spec;
    spec.scale = 1 / 255.0f;
    bool good = kldve_explainer_new(ctx, torch_backend(), &net, &explainer) == KLDVE_OK &&
                kldve_explainer_set_input(explainer, &spec) == KLDVE_OK &&
                kldve_image_load(ctx, picture, &photo) == KLDVE_OK;

    for (; good && *methods; methods++)
        good = explain(explainer, photo, target, *methods);
    if (!good)
        std::fprintf(stderr, "%s\n", kldve_ctx_message(ctx));
    kldve_image_free(photo);
    kldve_explainer_free(explainer);
    return good;
}

} // namespace

int main(int argc, char **argv)
{
    TorchNetwork net{};
    kldve_ctx *ctx = nullptr;
    int channels = 0, height = 0, width = 0;

    if (argc < 6 || std::sscanf(argv[2], "%dx%dx%d", &channels, &height, &width) != 3 ||
        channels < 1 || height < 1 || width < 1 || kldve_ctx_new(nullptr, &ctx)) {
        std::fprintf(stderr,
                     "usage: autograd NET.pt CHANNELSxHEIGHTxWIDTH PICTURE CLASS METHOD...\n");
        return 2;
    }
    net.path = argv[1];
    net.channels = channels;
    net.height = height;
    net.width = width;
    const bool good = explain_all(ctx, net, argv[3], std::atoi(argv[4]), argv + 5);

    kldve_ctx_free(ctx);
    return good ? 0 : 1;
}
