/* nets.c - VGG-16, AlexNet, ResNet-50, DenseNet-121 and a tiny network, as published.
 *
 *     vgg16        K. Simonyan, A. Zisserman, arXiv 1409.1556, configuration D; 138 357 544 weights
 *     alexnet      A. Krizhevsky et al., NIPS 2012, as Caffe's bvlc_alexnet has it: 227 x 227,
 *                  convolutions 2, 4 and 5 in two groups, normalisation before pooling; 60 965 224
 *     resnet50     K. He et al., arXiv 1512.03385, with the stride in the 3x3 convolutions, as
 *                  torchvision has it; 25 557 032
 *     densenet121  G. Huang et al., arXiv 1608.06993; 7 978 856
 *     tiny         for tests: 8 x 8 pixels, 5 classes
 *
 * Weights are normal with deviation sqrt(2 / inputs of a neuron) (K. He et al., arXiv 1502.01852),
 * which keeps activations of the same size from layer to layer.  Batch normalisation gets scales,
 * offsets and running statistics that are not trivial.  Dropout, which does nothing once a network
 * is trained, is left out.  Names are those of the Caffe or torchvision originals; a node's name is
 * its output's. */
#include "nets.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "onnx_writer.h"

enum { NAME_SIZE = 96 };

typedef struct tensor {
    char name[NAME_SIZE];
    int64_t channels;
} tensor;

typedef struct net {
    writer *w;
    uint64_t seed; /* of the next tensor */
} net;

static tensor named(int64_t channels, const char *format, ...)
{
    tensor t = {.channels = channels};
    va_list args;

    va_start(args, format);
    vsnprintf(t.name, sizeof t.name, format, args);
    va_end(args);
    return t;
}

static tensor unary(net *n, const char *op, tensor x, const char *name)
{
    onnx_node(n->w, op, x.name, name);
    onnx_node_end(n->w);
    return named(x.channels, "%s", name);
}

typedef struct conv {
    int64_t channels, kernel, stride, pad, groups;
    bool bias;
} conv;

static tensor convolve(net *n, tensor x, conv c, const char *name)
{
    const int64_t kernel[] = {c.kernel, c.kernel}, strides[] = {c.stride, c.stride};
    const int64_t pads[] = {c.pad, c.pad, c.pad, c.pad};
    const int64_t dim[] = {c.channels, x.channels / c.groups, c.kernel, c.kernel};
    double fan_in = (double)(dim[1] * dim[2] * dim[3]);
    char inputs[4 * NAME_SIZE];

    snprintf(inputs, sizeof inputs, c.bias ? "%s,%s.weight,%s.bias" : "%s,%s.weight", x.name, name,
             name);
    onnx_node(n->w, "Conv", inputs, name);
    onnx_ints(n->w, "kernel_shape", 2, kernel);
    onnx_ints(n->w, "strides", 2, strides);
    onnx_ints(n->w, "pads", 4, pads);
    if (c.groups > 1)
        onnx_int(n->w, "group", c.groups);
    onnx_node_end(n->w);
    onnx_normal(n->w, named(0, "%s.weight", name).name, 4, dim, 0, sqrt(2 / fan_in), n->seed++);
    if (c.bias)
        onnx_normal(n->w, named(0, "%s.bias", name).name, 1, dim, 0, 0.05, n->seed++);
    return named(c.channels, "%s", name);
}

static tensor pool(net *n, const char *op, tensor x, int64_t size, int64_t stride, int64_t pad,
                   const char *name)
{
    const int64_t kernel[] = {size, size}, strides[] = {stride, stride};
    const int64_t pads[] = {pad, pad, pad, pad};

    onnx_node(n->w, op, x.name, name);
    onnx_ints(n->w, "kernel_shape", 2, kernel);
    onnx_ints(n->w, "strides", 2, strides);
    if (pad)
        onnx_ints(n->w, "pads", 4, pads);
    onnx_node_end(n->w);
    return named(x.channels, "%s", name);
}

/* gain: of the scale, around which it is drawn. */
static tensor normalise(net *n, tensor x, double gain, const char *name)
{
    char inputs[6 * NAME_SIZE];

    snprintf(inputs, sizeof inputs, "%s,%s.weight,%s.bias,%s.running_mean,%s.running_var", x.name,
             name, name, name, name);
    onnx_node(n->w, "BatchNormalization", inputs, name);
    onnx_float(n->w, "epsilon", 1e-5f);
    onnx_node_end(n->w);
    onnx_uniform(n->w, named(0, "%s.weight", name).name, 1, &x.channels, 0.7 * gain, 1.3 * gain,
                 n->seed++);
    onnx_normal(n->w, named(0, "%s.bias", name).name, 1, &x.channels, 0, 0.1, n->seed++);
    onnx_normal(n->w, named(0, "%s.running_mean", name).name, 1, &x.channels, 0, 0.1, n->seed++);
    onnx_uniform(n->w, named(0, "%s.running_var", name).name, 1, &x.channels, 0.7, 1.5, n->seed++);
    return named(x.channels, "%s", name);
}

static tensor dense(net *n, tensor x, int64_t inputs, int64_t outputs, const char *name)
{
    const int64_t dim[] = {outputs, inputs};
    char list[4 * NAME_SIZE];

    snprintf(list, sizeof list, "%s,%s.weight,%s.bias", x.name, name, name);
    onnx_node(n->w, "Gemm", list, name);
    onnx_int(n->w, "transB", 1);
    onnx_node_end(n->w);
    onnx_normal(n->w, named(0, "%s.weight", name).name, 2, dim, 0, sqrt(2 / (double)inputs),
                n->seed++);
    onnx_normal(n->w, named(0, "%s.bias", name).name, 1, dim, 0, 0.05, n->seed++);
    return named(outputs, "%s", name);
}

static tensor flatten(net *n, tensor x, const char *name)
{
    onnx_node(n->w, "Flatten", x.name, name);
    onnx_int(n->w, "axis", 1);
    onnx_node_end(n->w);
    return named(x.channels, "%s", name);
}

static net begin(writer *w, const void *arg, const char *graph, int64_t size)
{
    const int64_t dim[] = {0, 3, size, size};
    net n = {w, *(const uint64_t *)arg * 1000003 + 1};

    onnx_header(w, 7, 13);
    write_begin(w, MODEL_GRAPH);
    write_string(w, GRAPH_NAME, graph);
    onnx_value(w, GRAPH_INPUT, "data", 4, dim);
    return n;
}

static void end(net *n, tensor y)
{
    const int64_t dim[] = {0, y.channels};

    onnx_value(n->w, GRAPH_OUTPUT, y.name, 2, dim);
    write_end(n->w);
}

/* ---- VGG-16 ---------------------------------------------------------------------------------- */

static void vgg16(writer *w, const void *arg)
{
    static const int64_t channels[] = {64, 128, 256, 512, 512};
    static const int layers[] = {2, 2, 3, 3, 3};
    net n = begin(w, arg, "VGG_ILSVRC_16_layers", 224);
    tensor x = named(3, "data");

    for (int block = 0; block < 5; block++) {
        for (int i = 1; i <= layers[block]; i++) {
            x = convolve(&n, x, (conv){channels[block], 3, 1, 1, 1, true},
                         named(0, "conv%d_%d", block + 1, i).name);
            x = unary(&n, "Relu", x, named(0, "relu%d_%d", block + 1, i).name);
        }
        x = pool(&n, "MaxPool", x, 2, 2, 0, named(0, "pool%d", block + 1).name);
    }
    x = flatten(&n, x, "flatten");
    x = unary(&n, "Relu", dense(&n, x, 512 * 7 * 7, 4096, "fc6"), "relu6");
    x = unary(&n, "Relu", dense(&n, x, 4096, 4096, "fc7"), "relu7");
    x = dense(&n, x, 4096, 1000, "fc8");
    end(&n, unary(&n, "Softmax", x, "prob"));
}

/* ---- AlexNet --------------------------------------------------------------------------------- */

static tensor local_response(net *n, tensor x, const char *name)
{
    onnx_node(n->w, "LRN", x.name, name);
    onnx_int(n->w, "size", 5);
    onnx_float(n->w, "alpha", 1e-4f);
    onnx_float(n->w, "beta", 0.75f);
    onnx_float(n->w, "bias", 1);
    onnx_node_end(n->w);
    return named(x.channels, "%s", name);
}

static void alexnet(writer *w, const void *arg)
{
    net n = begin(w, arg, "AlexNet", 227);
    tensor x = named(3, "data");

    x = unary(&n, "Relu", convolve(&n, x, (conv){96, 11, 4, 0, 1, true}, "conv1"), "relu1");
    x = pool(&n, "MaxPool", local_response(&n, x, "norm1"), 3, 2, 0, "pool1");
    x = unary(&n, "Relu", convolve(&n, x, (conv){256, 5, 1, 2, 2, true}, "conv2"), "relu2");
    x = pool(&n, "MaxPool", local_response(&n, x, "norm2"), 3, 2, 0, "pool2");
    x = unary(&n, "Relu", convolve(&n, x, (conv){384, 3, 1, 1, 1, true}, "conv3"), "relu3");
    x = unary(&n, "Relu", convolve(&n, x, (conv){384, 3, 1, 1, 2, true}, "conv4"), "relu4");
    x = unary(&n, "Relu", convolve(&n, x, (conv){256, 3, 1, 1, 2, true}, "conv5"), "relu5");
    x = flatten(&n, pool(&n, "MaxPool", x, 3, 2, 0, "pool5"), "flatten");
    x = unary(&n, "Relu", dense(&n, x, 256 * 6 * 6, 4096, "fc6"), "relu6");
    x = unary(&n, "Relu", dense(&n, x, 4096, 4096, "fc7"), "relu7");
    x = dense(&n, x, 4096, 1000, "fc8");
    end(&n, unary(&n, "Softmax", x, "prob"));
}

/* ---- ResNet-50 ------------------------------------------------------------------------------- */

static tensor add(net *n, tensor a, tensor b, const char *name)
{
    char list[2 * NAME_SIZE + 1];

    snprintf(list, sizeof list, "%s,%s", a.name, b.name);
    onnx_node(n->w, "Add", list, name);
    onnx_node_end(n->w);
    return named(a.channels, "%s", name);
}

static tensor bottleneck(net *n, tensor x, int64_t width, int64_t stride, const char *name)
{
    tensor y, shortcut = x;

    y = convolve(n, x, (conv){width, 1, 1, 0, 1, false}, named(0, "%s.conv1", name).name);
    y = normalise(n, y, 1, named(0, "%s.bn1", name).name);
    y = unary(n, "Relu", y, named(0, "%s.relu1", name).name);
    y = convolve(n, y, (conv){width, 3, stride, 1, 1, false}, named(0, "%s.conv2", name).name);
    y = normalise(n, y, 1, named(0, "%s.bn2", name).name);
    y = unary(n, "Relu", y, named(0, "%s.relu2", name).name);
    y = convolve(n, y, (conv){4 * width, 1, 1, 0, 1, false}, named(0, "%s.conv3", name).name);
    /* A branch that adds little keeps the sum over 16 blocks from growing. */
    y = normalise(n, y, 0.4, named(0, "%s.bn3", name).name);
    if (x.channels != 4 * width) {
        shortcut = convolve(n, x, (conv){4 * width, 1, stride, 0, 1, false},
                            named(0, "%s.downsample.0", name).name);
        shortcut = normalise(n, shortcut, 0.7, named(0, "%s.downsample.1", name).name);
    }
    y = add(n, y, shortcut, named(0, "%s.add", name).name);
    return unary(n, "Relu", y, named(0, "%s.relu3", name).name);
}

static void resnet50(writer *w, const void *arg)
{
    static const int blocks[] = {3, 4, 6, 3};
    net n = begin(w, arg, "ResNet-50", 224);
    tensor x = named(3, "data");

    x = convolve(&n, x, (conv){64, 7, 2, 3, 1, false}, "conv1");
    x = unary(&n, "Relu", normalise(&n, x, 1, "bn1"), "relu");
    x = pool(&n, "MaxPool", x, 3, 2, 1, "maxpool");
    for (int stage = 0; stage < 4; stage++)
        for (int i = 0; i < blocks[stage]; i++)
            x = bottleneck(&n, x, 64 << stage, i == 0 && stage > 0 ? 2 : 1,
                           named(0, "layer%d.%d", stage + 1, i).name);
    x = flatten(&n, unary(&n, "GlobalAveragePool", x, "avgpool"), "flatten");
    end(&n, dense(&n, x, 2048, 1000, "fc"));
}

/* ---- DenseNet-121 ---------------------------------------------------------------------------- */

/* One layer's 32 new channels. */
static tensor dense_layer(net *n, tensor x, const char *name)
{
    tensor y = normalise(n, x, 1, named(0, "%s.norm1", name).name);

    y = unary(n, "Relu", y, named(0, "%s.relu1", name).name);
    y = convolve(n, y, (conv){128, 1, 1, 0, 1, false}, named(0, "%s.conv1", name).name);
    y = normalise(n, y, 1, named(0, "%s.norm2", name).name);
    y = unary(n, "Relu", y, named(0, "%s.relu2", name).name);
    return convolve(n, y, (conv){32, 3, 1, 1, 1, false}, named(0, "%s.conv2", name).name);
}

/* Each layer sees the concatenation of the block's input and all layers before it. */
static tensor dense_block(net *n, tensor x, int block, int layers)
{
    char list[32 * NAME_SIZE];
    size_t used = (size_t)snprintf(list, sizeof list, "%s", x.name);

    for (int i = 1; i <= layers; i++) {
        tensor name = named(0, "denseblock%d.denselayer%d", block, i);
        tensor y = dense_layer(n, x, name.name);

        used += (size_t)snprintf(list + used, sizeof list - used, ",%s", y.name);
        x = named(x.channels + y.channels, "%s.cat", name.name);
        onnx_node(n->w, "Concat", list, x.name);
        onnx_int(n->w, "axis", 1);
        onnx_node_end(n->w);
    }
    return x;
}

static void densenet121(writer *w, const void *arg)
{
    static const int layers[] = {6, 12, 24, 16};
    net n = begin(w, arg, "DenseNet-121", 224);
    tensor x = named(3, "data");

    x = convolve(&n, x, (conv){64, 7, 2, 3, 1, false}, "conv0");
    x = unary(&n, "Relu", normalise(&n, x, 1, "norm0"), "relu0");
    x = pool(&n, "MaxPool", x, 3, 2, 1, "pool0");
    for (int block = 1; block <= 4; block++) {
        x = dense_block(&n, x, block, layers[block - 1]);
        if (block == 4)
            break;
        x = normalise(&n, x, 1, named(0, "transition%d.norm", block).name);
        x = unary(&n, "Relu", x, named(0, "transition%d.relu", block).name);
        x = convolve(&n, x, (conv){x.channels / 2, 1, 1, 0, 1, false},
                     named(0, "transition%d.conv", block).name);
        x = pool(&n, "AveragePool", x, 2, 2, 0, named(0, "transition%d.pool", block).name);
    }
    x = unary(&n, "Relu", normalise(&n, x, 1, "norm5"), "relu5");
    x = flatten(&n, unary(&n, "GlobalAveragePool", x, "avgpool"), "flatten");
    end(&n, dense(&n, x, 1024, 1000, "classifier"));
}

/* ---- for tests ------------------------------------------------------------------------------- */

static void tiny(writer *w, const void *arg)
{
    net n = begin(w, arg, "tiny", 8);
    tensor x = named(3, "data");

    x = convolve(&n, x, (conv){4, 3, 1, 1, 1, true}, "conv1");
    x = unary(&n, "Relu", normalise(&n, x, 1, "bn1"), "relu1");
    x = pool(&n, "MaxPool", x, 2, 2, 0, "pool1");
    x = unary(&n, "Relu", convolve(&n, x, (conv){6, 3, 1, 1, 2, true}, "conv2"), "relu2");
    x = flatten(&n, unary(&n, "GlobalAveragePool", x, "avgpool"), "flatten");
    end(&n, dense(&n, x, 6, 5, "fc"));
}

const network networks[] = {
    {"vgg16", vgg16}, {"alexnet", alexnet}, {"resnet50", resnet50}, {"densenet121", densenet121},
    {"tiny", tiny},   {NULL, NULL},
};
