#include "session.h"

#include <onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_OUTPUTS = 20 };

struct session {
    const OrtApi *ort;
    OrtEnv *env;
    OrtSessionOptions *options;
    OrtSession *session;
    OrtMemoryInfo *memory;
    OrtAllocator *allocator;
    char *input, *output;
};

static void check(const struct session *s, OrtStatus *status)
{
    if (!status)
        return;
    fprintf(stderr, "ONNX Runtime: %s\n", s->ort->GetErrorMessage(status));
    exit(1);
}

struct session *session_new(const void *bytes, size_t nbytes, int threads)
{
    struct session *s = calloc(1, sizeof *s);

    if (!s || !(s->ort = OrtGetApiBase()->GetApi(ORT_API_VERSION))) {
        fprintf(stderr, "ONNX Runtime is older than its header\n");
        exit(1);
    }
    check(s, s->ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "host", &s->env));
    check(s, s->ort->CreateSessionOptions(&s->options));
    check(s, s->ort->SetIntraOpNumThreads(s->options, threads));
    check(s, s->ort->CreateSessionFromArray(s->env, bytes, nbytes, s->options, &s->session));
    check(s, s->ort->GetAllocatorWithDefaultOptions(&s->allocator));
    check(s, s->ort->SessionGetInputName(s->session, 0, s->allocator, &s->input));
    check(s, s->ort->SessionGetOutputName(s->session, 0, s->allocator, &s->output));
    check(s, s->ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &s->memory));
    return s;
}

const char *session_first_output(const struct session *s)
{
    return s->output;
}

static OrtValue *value_at(const struct session *s, float *numbers, const int64_t *dim, int32_t rank)
{
    size_t bytes = sizeof *numbers;
    OrtValue *value = NULL;

    for (int32_t i = 0; i < rank; i++)
        bytes *= (size_t)dim[i];
    check(s, s->ort->CreateTensorWithDataAsOrtValue(s->memory, numbers, bytes, dim, (size_t)rank,
                                                    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value));
    return value;
}

void session_run(const struct session *s, float *input, const int64_t *dim, int32_t rank,
                 const struct output *outputs, int32_t count)
{
    const char *in[] = {s->input}, *out[MOST_OUTPUTS];
    OrtValue *from = value_at(s, input, dim, rank), *to[MOST_OUTPUTS];
    const OrtValue *inputs[] = {from};

    if (count > MOST_OUTPUTS) {
        fprintf(stderr, "more than %d outputs\n", MOST_OUTPUTS);
        exit(1);
    }
    for (int32_t i = 0; i < count; i++) {
        out[i] = outputs[i].name;
        to[i] = value_at(s, outputs[i].to, outputs[i].dim, outputs[i].rank);
    }
    check(s, s->ort->Run(s->session, NULL, in, inputs, 1, out, (size_t)count, to));
    for (int32_t i = 0; i < count; i++)
        s->ort->ReleaseValue(to[i]);
    s->ort->ReleaseValue(from);
}

void session_free(struct session *s)
{
    if (!s)
        return;
    check(s, s->ort->AllocatorFree(s->allocator, s->input));
    check(s, s->ort->AllocatorFree(s->allocator, s->output));
    s->ort->ReleaseMemoryInfo(s->memory);
    s->ort->ReleaseSession(s->session);
    s->ort->ReleaseSessionOptions(s->options);
    s->ort->ReleaseEnv(s->env);
    free(s);
}
