/* test_contract.c - the contract of backends, on the reference backend with each kind of head. */
#include "backends/batched.h"
#include "backends/contract.h"
#include "support.h"
#include "backends/tiny.h"

static const tiny_config linear = {3, 5, 4, 6, 7, 11, false};
static const tiny_config curved = {1, 3, 3, 4, 3, 12, true};

static void test_linear(void **state)
{
    const contract c = {.backend = &tiny_backend, .config = &linear, .smooth = 1, .piecewise = 1};

    (void)state;
    contract_check(&c);
}

static void test_curved(void **state)
{
    const contract c = {
        .backend = &tiny_backend, .config = &curved, .smooth = 1, .tolerance = 1e-3, .step = 1e-2};

    (void)state;
    contract_check(&c);
}

/* One score and two, which the library explains as two classes. */
static void test_few_classes(void **state)
{
    (void)state;
    for (int32_t classes = 1; classes <= 2; classes++) {
        const tiny_config net = {2, 4, 3, 5, classes, 13, true};
        const contract c = {
            .backend = &tiny_backend, .config = &net, .smooth = 1, .tolerance = 1e-3};

        contract_check(&c);
    }
}

static void test_without_vjp(void **state)
{
    const contract c = {.backend = &tiny_backend_plain, .config = &curved};

    (void)state;
    contract_check(&c);
}

static void test_batched(void **state)
{
    const batched_config config = {.inner = &tiny_backend, .inner_config = &curved, .batch = 3};
    const contract c = {
        .backend = &batched_backend, .config = &config, .smooth = 1, .tolerance = 1e-3};

    (void)state;
    contract_check(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),      cmocka_unit_test(test_curved),
        cmocka_unit_test(test_few_classes), cmocka_unit_test(test_without_vjp),
        cmocka_unit_test(test_batched),
    };

    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
