/* test_rise.c - RISE is unbiased on a linear network, and its standard errors are right. */
#include "repeats.h"

#include <math.h>
#include <string.h>

/* How much of each of 7 cells is in pixel `at` of an axis that was upsampled to 8 cells of `cell`
 * pixels. */
static void cell_shares(int at, int cell, double *w)
{
    double s = (at + 0.5) * 7 / (8 * cell) - 0.5;

    memset(w, 0, 7 * sizeof *w);
    for (int g = 0; g < 7; g++)
        w[g] = fmax(0, 1 - fabs(s - g));
    if (s < 0)
        w[0] = 1;
    if (s > 6)
        w[6] = 1;
}

/* mean over shifts of the sum over cells of the shares of two pixels, for all of them: along one
 * axis it depends on the shift of that axis only. */
static void overlaps(int size, double *out)
{
    int cell = (size + 6) / 7;

    memset(out, 0, (size_t)(size * size) * sizeof *out);
    for (int shift = 0; shift < cell; shift++)
        for (int a = 0; a < size; a++)
            for (int b = 0; b < size; b++) {
                double wa[7], wb[7];

                cell_shares(a + shift, cell, wa);
                cell_shares(b + shift, cell, wb);
                for (int g = 0; g < 7; g++)
                    out[a * size + b] += wa[g] * wb[g] / cell;
            }
}

/* The expected map: 1/p sum over j of share_j E[M_i M_j] + the constant part, p of E[M_i] / p. */
static void expected_rise(const float *input, double *e)
{
    static double down[HEIGHT * HEIGHT], right[WIDTH * WIDTH];
    double constant = (0.1 * TARGET - 0.1 * RIVAL) / (CLASSES * 1e5);

    overlaps(HEIGHT, down);
    overlaps(WIDTH, right);
    for (int i = 0; i < PIXELS; i++) {
        e[i] = constant;
        for (int j = 0; j < PIXELS; j++) {
            double overlap =
                down[i / WIDTH * HEIGHT + j / WIDTH] * right[i % WIDTH * WIDTH + j % WIDTH];

            for (int c = 0; c < CHANNELS; c++)
                e[i] += 2 * share(input, c * PIXELS + j) * (0.25 + 0.25 * overlap);
        }
    }
}

static void test_rise_unbiased(void **state)
{
    float input[INPUTS];
    double e[PIXELS], squares = 0, largest = 0;

    (void)state;
    draw_input(input);
    expected_rise(input, e);
    run_raw("rise", &linear_backend, NULL, input,
            (kldve_options){NEARLY_LINEAR, .samples = 20000, .seed = 5});
    for (int i = 0; i < PIXELS; i++) {
        double z = ((double)raw.map[i] - e[i]) / (double)raw.error[i];

        squares += z * z / PIXELS;
        largest = fmax(largest, fabs(z));
    }
    print_message(
        "rise: %.2f standard errors off the expected map (root mean square), %.2f at most\n",
        sqrt(squares), largest);
    /* Pixels are correlated: their mean square is spread far more than that of 192 would be. */
    assert_true(squares < 4 && largest < 4.5);
}

static void test_errors(void **state)
{
    (void)state;
    check_errors("rise", 150, 0);
}

TEST_MAIN(rise)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rise_unbiased),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests_name("rise", tests, NULL, NULL);
}
