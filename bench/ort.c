/* ort.c - the peer: see ort.h. */
#include "ort.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <onnxruntime_c_api.h>

#include "bench.h"

static const OrtApi *ort;

static void check(OrtStatus *status)
{
    if (status)
        die("ONNX Runtime", ort->GetErrorMessage(status));
}

struct peer {
    OrtEnv *env;
    OrtSessionOptions *options;
    OrtSession *session;
    OrtMemoryInfo *memory;
    OrtValue *input;
    char *in_name, *out_name;
    int64_t dim[4]; /* of the input, as in the file; -1: symbolic */
};

void peer_library(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const OrtApiBase *(*base)(void);

    if (!handle)
        die(path, dlerror());
    *(void **)&base = dlsym(handle, "OrtGetApiBase");
    if (!base || !(ort = base()->GetApi(ORT_API_VERSION)))
        die(path, "has no OrtGetApiBase of this version");
}

static void read_dimensions(peer *p)
{
    const OrtTensorTypeAndShapeInfo *shape;
    OrtTypeInfo *type;
    size_t rank;

    check(ort->SessionGetInputTypeInfo(p->session, 0, &type));
    check(ort->CastTypeInfoToTensorInfo(type, &shape));
    check(ort->GetDimensionsCount(shape, &rank));
    if (rank != 4)
        die(p->in_name, "this input does not have four dimensions");
    check(ort->GetDimensions(shape, p->dim, 4));
    ort->ReleaseTypeInfo(type);
}

peer *peer_open(const char *model, int threads)
{
    peer *p = calloc(1, sizeof *p);
    OrtAllocator *allocator;

    if (!p)
        die(model, "out of memory");
    check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bench", &p->env));
    check(ort->CreateSessionOptions(&p->options));
    check(ort->SetIntraOpNumThreads(p->options, threads));
    check(ort->SetInterOpNumThreads(p->options, 1));
    check(ort->SetSessionGraphOptimizationLevel(p->options, ORT_ENABLE_ALL));
    check(ort->CreateSession(p->env, model, p->options, &p->session));
    check(ort->GetAllocatorWithDefaultOptions(&allocator));
    check(ort->SessionGetInputName(p->session, 0, allocator, &p->in_name));
    check(ort->SessionGetOutputName(p->session, 0, allocator, &p->out_name));
    check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &p->memory));
    read_dimensions(p);
    return p;
}

bool peer_fixes_batch(const peer *p)
{
    return p->dim[0] >= 0;
}

void peer_set_inputs(peer *p, const kldve_shape *shape, int batch, float *inputs)
{
    /* Channels last only if the file says so. */
    bool last = p->dim[3] == shape->in_channels && p->dim[1] != shape->in_channels;
    int64_t h = shape->in_height, w = shape->in_width, c = shape->in_channels;
    int64_t dim[4] = {batch, last ? h : c, last ? w : h, last ? c : w};
    size_t bytes = (size_t)(batch * c * h * w) * sizeof(float);

    check(ort->CreateTensorWithDataAsOrtValue(p->memory, inputs, bytes, dim, 4,
                                              ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &p->input));
}

void peer_run(const peer *p)
{
    const char *in[] = {p->in_name}, *out[] = {p->out_name};
    const OrtValue *inputs[] = {p->input};
    OrtValue *output = NULL;

    check(ort->Run(p->session, NULL, in, inputs, 1, out, 1, &output));
    ort->ReleaseValue(output);
}

void peer_close(peer *p)
{
    ort->ReleaseValue(p->input);
    ort->ReleaseMemoryInfo(p->memory);
    ort->ReleaseSession(p->session);
    ort->ReleaseSessionOptions(p->options);
    ort->ReleaseEnv(p->env);
    free(p);
}
