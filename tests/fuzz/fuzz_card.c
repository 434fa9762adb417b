/* fuzz_card.c - any bytes as a model card, read by itself and with a network.  The first byte
 * modulo 4 is which of small_nets.h, 0 means none. */
#include <stdlib.h>
#include <string.h>

#include <kldve/onnx.h>

#include "small_nets.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

static void look_at_texts(const kldve_card *card)
{
    const char *(*const text[])(const kldve_card *) = {
        kldve_card_select, kldve_card_boxes,  kldve_card_objects,
        kldve_card_name,   kldve_card_layer,  kldve_card_logits,
        kldve_card_labels, kldve_card_layout, kldve_card_picture_input};
    volatile size_t sum = 0;

    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        sum += text[i](card) ? strlen(text[i](card)) : 0;
    sum += (size_t)(kldve_card_scores(card) + kldve_card_box_format(card) +
                    kldve_card_box_units(card) + kldve_card_frames(card));
    (void)sum;
}

static void look_at_values(const kldve_card *card)
{
    kldve_card_value value = KLDVE_CARD_VALUE_INIT;
    volatile double sum = 0;

    for (int32_t i = 0; kldve_card_value_at(card, i, &value) == KLDVE_OK; i++) {
        int64_t count = 1;

        watch_that(value.name && (value.file || value.data), "a value that is none");
        for (int32_t k = 0; k < value.rank; k++)
            count *= value.dims[k];
        for (int64_t k = 0; value.data && k < count; k++)
            sum += value.data[k];
    }
    (void)sum;
}

static void look_at_input(const kldve_card *card)
{
    kldve_input_spec spec = KLDVE_INPUT_SPEC_INIT;
    const kldve_onnx_dim *dims = NULL;
    int32_t height = -1, width = -1, count = -1;

    watch_that(kldve_card_input(card, &spec) == KLDVE_OK, "a card without an input");
    watch_that(kldve_card_size(card, &height, &width) == KLDVE_OK && height >= 0 && width >= 0,
               "a size below 0");
    watch_that(kldve_card_grid(card, &height, &width) == KLDVE_OK && height >= 0 && width >= 0,
               "a grid below 0");
    watch_that(kldve_card_dims(card, &dims, &count) == KLDVE_OK && (count == 0 || dims),
               "dimensions that are not there");
    for (int32_t i = 0; i < count; i++)
        watch_that(dims[i].size >= 1 && dims[i].name, "a dimension without size");
}

/* What the card says fits this network, or not. */
static void open_network(kldve_ctx *ctx, unsigned which, const char *card, size_t nbytes)
{
    kldve_onnx_options options = KLDVE_ONNX_OPTIONS_INIT;
    kldve_onnx_files files = KLDVE_ONNX_FILES_INIT;
    kldve_explainer *explainer = NULL;
    kldve_status status;

    files.model = small_net(which, &files.model_nbytes);
    files.card = card;
    files.card_nbytes = nbytes;
    options.flags = KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_NO_VJP;
    options.threads = 1;
    status = kldve_onnx_explainer_memory(ctx, &files, &options, &explainer);
    watch_call(ctx, status, explainer != NULL);
    kldve_explainer_free(explainer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    kldve_ctx *ctx = watch_open();
    const char *text = (const char *)bytes + 1;
    kldve_card *card = NULL;
    kldve_status status;

    if (nbytes > 0) {
        status = kldve_card_parse(ctx, text, nbytes - 1, "folder", &card);
        watch_call(ctx, status, card != NULL);
        if (card) {
            look_at_texts(card);
            look_at_values(card);
            look_at_input(card);
        }
        if (card && bytes[0] % 4 > 0)
            open_network(ctx, bytes[0] % 4 - 1, text, nbytes - 1);
        kldve_card_free(card);
    }
    watch_close(ctx);
    return 0;
}
