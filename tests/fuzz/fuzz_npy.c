/* fuzz_npy.c - any bytes as an array of numpy. */
#include <stdlib.h>
#include <string.h>

#include "cli/tool.h"
#include "scratch.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

static void look(const npy_array *array)
{
    size_t count = 1;
    volatile double sum = 0;
    float *floats;

    watch_that(array->rank >= 0 && array->rank <= NPY_RANK, "more axes than there can be");
    for (int32_t i = 0; i < array->rank; i++)
        count *= (size_t)array->dim[i];
    watch_that(count == array->count, "a count that is not the product of the axes");
    for (size_t i = 0; i < count; i++)
        sum += array->value[i];
    floats = npy_floats(array);
    for (size_t i = 0; floats && i < count; i++)
        sum += (double)floats[i];
    (void)sum;
    free(floats);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    kldve_ctx *ctx = watch_open();
    const char *path = scratch_file("array.npy", bytes, nbytes);
    char said[MESSAGE_SIZE] = "";
    npy_array array;
    bool ok;

    memset(&array, 0, sizeof array);
    complain_into(said, sizeof said);
    ok = npy_read(path, &array);
    watch_that(ok == !*said, "a failure says why, a success nothing");
    watch_text(said);
    if (ok) {
        look(&array);
        npy_free(&array);
    }
    watch_close(ctx);
    return 0;
}
