/* test_jobs.c - what methods call: repeated passes in batches of any size, and a host's own methods
 * that run the network although it is in a batch. */
#include "backends/pair.h"

#include <string.h>

#include <kldve/method.h>

#define SIZED .struct_size = sizeof(kldve_options)

/* -- methods of repeated passes --------------------------------------------------------------- */

/* Whatever the batch is to the number of passes. */
static void test_repeats(void **state)
{
    static const char *const methods[] = {"rise",        "lime",        "kernel-shap",
                                          "occlusion",   "score-cam",   "prediction-difference",
                                          "recipro-cam", "ablation-cam"};
    static const int32_t batches[] = {2, 3, 5, 16, 17, 40};

    (void)state;
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        struct pair f;

        pair_open_table(&f, &batched_backend, (batched_config){.batch = batches[b]}, &pair_curved);
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
            kldve_options o = {.struct_size = sizeof o, .method = methods[m]};
            bool features = m >= 6;

            if (m < 3 || m == 5)
                o.samples = 50;

            pair_about = methods[m];
            memset(&f.counts, 0, sizeof f.counts);
            pair_check(&f, &o, 1);
            /* Samples are 50 where there are any; the input's own pass comes first. */
            if (m < 2) {
                assert_int_equal(f.counts.forward_many, 50 / batches[b]);
                assert_int_equal(f.counts.forward, 1 + 50 % batches[b]);
            } else if (features) {
                assert_int_equal(f.counts.forward_many, 0);
            } else if (batches[b] <= MAPS / 2) { /* of Score-CAM's masks */
                assert_true(f.counts.forward_many > 0);
            }
        }
        pair_close(&f);
    }
}

/* A batch that is larger than the number of passes costs no memory. */
static void test_repeats_in_part(void **state)
{
    static const int32_t batches[] = {60, 6000};
    const kldve_options o = {SIZED, .method = "rise", .samples = 50};
    size_t bytes[2];

    (void)state;
    for (int b = 0; b < 2; b++) {
        struct pair f;

        pair_open_table(&f, &batched_backend, (batched_config){.batch = batches[b]}, &pair_curved);
        pair_about = "rise";
        bytes[b] = f.heap.bytes;
        pair_check(&f, &o, 1);
        bytes[b] = f.heap.bytes - bytes[b];
        assert_int_equal(f.counts.forward_many, 0);
        pair_close(&f);
    }
    assert_int_equal(bytes[0], bytes[1]);
}

/* -- a host's own method ---------------------------------------------------------------------- */

/* Methods that run the network although it is in a batch: on another input, and back from their
 * own... */
static kldve_status wander(const kldve_job *job, double *t)
{
    float logits[CLASSES];

    for (int c = 0; c < CLASSES; c++)
        t[c] = job->alpha[c];
    return kldve_job_forward(job, pair_inputs[0], logits);
}

static kldve_status second_gradient(const kldve_job *job, float *map)
{
    float t[CLASSES] = {0}, g[MAPS * H * W];
    kldve_status st;

    t[(job->target + 1) % CLASSES] = 1;
    if ((st = kldve_job_vjp(job, t, g)) < 0)
        return st;
    for (int i = 0; i < H * W; i++) {
        map[i] = 0;
        for (int m = 0; m < MAPS; m++)
            map[i] += job->features[m * H * W + i] * g[m * H * W + i] -
                      0.5f * job->gradient[m * H * W + i];
    }
    return KLDVE_OK;
}

static const kldve_method wanderer = {
    .struct_size = sizeof(kldve_method),
    .name = "wanderer",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .cotangent = wander,
    .map = second_gradient,
};

/* ... and back from the other. */
static kldve_status gradient_elsewhere(const kldve_job *job, float *map)
{
    float logits[CLASSES];
    kldve_status st = kldve_job_forward(job, pair_inputs[1], logits);

    return st < 0 ? st : second_gradient(job, map);
}

static const kldve_method follower = {
    .struct_size = sizeof(kldve_method),
    .name = "follower",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .map = gradient_elsewhere,
};

/* Or the network on a separate batch, with inputs other than the explained ones. */
static kldve_status wander_together(const kldve_job *job, double *t)
{
    float others[BATCH * INPUTS], logits[BATCH * CLASSES];

    for (int c = 0; c < CLASSES; c++)
        t[c] = job->alpha[c];
    for (int i = 0; i < BATCH * INPUTS; i++)
        others[i] = pair_inputs[MOST - 1][i % INPUTS];
    return kldve_job_forward_many(job, others, BATCH, logits);
}

static kldve_status mean_gradient(const kldve_job *job, double *weights)
{
    for (int m = 0; m < MAPS; m++) {
        weights[m] = 0;
        for (int i = 0; i < H * W; i++)
            weights[m] += (double)job->gradient[m * H * W + i] / (H * W);
    }
    return KLDVE_OK;
}

static const kldve_method company = {
    .struct_size = sizeof(kldve_method),
    .name = "company",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .cotangent = wander_together,
    .weights = mean_gradient,
};

/* Gradients after a batch are about the explained input, also where that is not in a batch. */
static kldve_status gradient_after_batch(const kldve_job *job, float *map)
{
    double unused[CLASSES];
    kldve_status st = wander_together(job, unused);

    return st < 0 ? st : second_gradient(job, map);
}

static const kldve_method returner = {
    .struct_size = sizeof(kldve_method),
    .name = "returner",
    .source = "this test",
    .needs = KLDVE_NEED_FEATURES | KLDVE_NEED_GRADIENT,
    .map = gradient_after_batch,
};

static void test_own_methods(void **state)
{
    const kldve_method *const methods[] = {&wanderer, &follower, &company, &returner};
    struct pair f;

    (void)state;
    pair_open(&f, &pair_curved);
    for (int m = 0; m < 4; m++) {
        kldve_options o = {.struct_size = sizeof o, .method = methods[m]->name};

        pair_about = methods[m]->name;
        assert_int_equal(kldve_method_register(f.ctx, methods[m]), KLDVE_OK);
        for (o.flags = 0; o.flags <= KLDVE_FLAG_CHECK; o.flags++) {
            memset(&f.counts, 0, sizeof f.counts);
            pair_check(&f, &o, MOST);
            assert_true(f.counts.forward_many >= 2 && f.counts.vjp_many >= 2);
        }
    }
    pair_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_repeats_in_part),
        cmocka_unit_test(test_own_methods),
    };

    return cmocka_run_group_tests_name("jobs", tests, NULL, NULL);
}
