// backend.hpp - a network of libtorch as a backend of libkldve.  The gradients are those of
// autograd.
#pragma once

#include <kldve/backend.h>

#include <cstdint>
#include <string>

struct TorchNetwork {
    std::string path; // TorchScript whose result is the pair scores [1][classes], maps [1][m][h][w]
    std::int64_t channels, height, width; // of its input
};

// The config of kldve_explainer_new() is a TorchNetwork.  Without KLDVE_RULE_GRADIENT's relatives:
// autograd knows the true derivative only.
const kldve_backend *torch_backend();
