/* test_choose.c - which tensors of a network are the input, the layer and the logits: by default,
 * by name, and what is refused. */
#include "onnx/networks/built.h"

#include "api/choose.h"

/* Two layers with cells, a pooled one without, and scores behind it. */
#define NETWORK "in x 1,3,4,4; n Relu x a; n Relu a b; n GlobalAveragePool b p; n Flatten p f; "

static const struct choice {
    const char *name, *text, *layer, *logits; /* names that are asked for, or NULL */
    const char *found_layer, *found_logits;   /* names; logits NULL: refused */
    const char *message;
    int32_t tensors; /* between input and logits */
    kldve_status status;
} cases[] = {
    {"last layer with cells", NETWORK "out f", NULL, NULL, "b", "f", NULL, 5, KLDVE_OK},
    {"before a softmax", NETWORK "n Softmax f s; out s", NULL, NULL, "b", "f", NULL, 5, KLDVE_OK},
    {"before a softmax that is reshaped", NETWORK "n Softmax f s; n Flatten s t; out t", NULL, NULL,
     "b", "f", NULL, 5, KLDVE_OK},
    {"a reshaping without a softmax", NETWORK "n Flatten f s; out s", NULL, NULL, "b", "s", NULL, 6,
     KLDVE_OK},
    {"a layer by name", NETWORK "out f", "a", NULL, "a", "f", NULL, 5, KLDVE_OK},
    {"a layer without cells by name", NETWORK "out f", "p", NULL, "p", "f", NULL, 5, KLDVE_OK},
    {"logits by name", NETWORK "n Softmax f s; out s", NULL, "s", "b", "s", NULL, 6, KLDVE_OK},
    {"aside of the logits", NETWORK "n Relu b c; out f; out c", NULL, NULL, "b", "f", NULL, 5,
     KLDVE_OK},
    {"no such layer", NETWORK "out f", "z", NULL, NULL, NULL,
     "no tensor or node is called 'z' (given as the layer)", 0, KLDVE_E_ARG},
    {"no such logits", NETWORK "out f", NULL, "z", NULL, NULL,
     "no tensor or node is called 'z' (given as the logits)", 0, KLDVE_E_ARG},
    {"a layer of rank 2", NETWORK "out f", "f", NULL, NULL, NULL, "'f' cannot be the layer", 0,
     KLDVE_E_ARG},
    {"the input as the layer", NETWORK "out f", "x", NULL, NULL, NULL, "'x' cannot be the layer", 0,
     KLDVE_E_ARG},
    {"a layer behind the logits", NETWORK "n Relu p q; n Flatten q h; out h", "q", "p", NULL, NULL,
     "'q' cannot be the layer", 0, KLDVE_E_ARG},
    {"two inputs", "in x 1,3,4,4; in y 1,3,4,4; n Add x,y z; out z", NULL, NULL, NULL, NULL,
     "the network has 2 inputs, exactly one is supported", 0, KLDVE_E_UNSUPPORTED},
    {"an input of rank 2", "in x 1,3; n Relu x y; out y", NULL, NULL, NULL, NULL,
     "input 'x' is not float32 [1][channels][height][width]", 0, KLDVE_E_UNSUPPORTED},
};

static void check_case(void **state)
{
    const struct choice *c = *state;
    kx_choice choice = {0};
    built b;

    built_open(&b, c->text);
    assert_int_equal(kx_choose(b.graph, &b.arena, c->layer, c->logits, NULL, &choice), c->status);
    if (c->status == KLDVE_OK) {
        assert_string_equal(choice.layer->name, c->found_layer);
        assert_string_equal(choice.logits->name, c->found_logits);
        assert_string_equal(choice.input->name, "x");
        assert_ptr_equal(choice.file_layer, choice.layer); /* channels are first already */
        assert_ptr_equal(choice.file_input, choice.input);
        assert_int_equal(choice.ntensor, c->tensors);
        assert_ptr_equal(choice.tensor[0], choice.input);
        assert_ptr_equal(choice.tensor[choice.ntensor - 1], choice.logits);
        assert_true(kx_explainable(&choice, choice.layer, NULL));
        assert_false(kx_explainable(&choice, choice.input, NULL));
    } else {
        test_says(b.ctx, c->message);
        assert_null(choice.layer);
    }
    built_close(&b);
}

int main(void)
{
    return TEST_RUN_CASES("choose", cases, check_case);
}
