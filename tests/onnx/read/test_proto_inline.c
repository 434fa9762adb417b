/* test_proto_inline.c - functions local to a model: how their calls are expanded, and what is
 * refused. */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/networks/text.h"
#include "read/proto.h"

static void append(char *to, size_t size, const char *format, ...) KLDVE_PRINTF(3, 4);

static void append(char *to, size_t size, const char *format, ...)
{
    size_t n = strlen(to);
    va_list args;

    va_start(args, format);
    vsnprintf(to + n, size - n, format, args);
    va_end(args);
}

/* "Op(in,in){axis=1}->out,out Op..." */
static void describe(const kx_model *m, char *to, size_t size)
{
    *to = 0;
    for (int32_t i = 0; i < m->nnode; i++) {
        const kx_proto_node *n = &m->node[i];

        append(to, size, "%s%s(", i ? " " : "", n->type);
        for (int32_t k = 0; k < n->nin; k++)
            append(to, size, "%s%s", k ? "," : "", n->in[k]);
        append(to, size, ")");
        for (int32_t k = 0; k < n->nattr; k++)
            append(to, size, "{%s=%" PRId64 "}", n->attr[k].name, n->attr[k].i);
        for (int32_t k = 0; k < n->nout; k++)
            append(to, size, "%s%s", k ? "," : "->", n->out[k]);
    }
}

static const struct inline_case {
    const char *name, *text, *nodes;
} cases[] = {
    {"a call", "fn F x,y z; n Add x,y t; n Relu t z; end; n f:F a,b c",
     "Add(a,b)->c/t Relu(c/t)->c"},
    {"two calls", "fn F x z; n Relu x t; n Neg t z; end; n f:F a b; n f:F b c",
     "Relu(a)->b/t Neg(b/t)->b Relu(b)->c/t Neg(c/t)->c"},
    {"a call in a function",
     "fn G u v; n Exp u t; n Log t v; end; fn F x z; n f:G x t; n f:G t z; end; n f:F a c",
     "Exp(a)->c/t/t Log(c/t/t)->c/t Exp(c/t)->c//t Log(c//t)->c"},
    {"attribute of the call", "fn F x z axis; n Flatten x z axis=@axis; end; n f:F a c axis=2",
     "Flatten(a){axis=2}->c"},
    {"attribute under another name", "fn F x z k; n Flatten x z axis=@k; end; n f:F a c k=3",
     "Flatten(a){axis=3}->c"},
    {"attribute left out", "fn F x z axis; n Flatten x z axis=@axis; end; n f:F a c",
     "Flatten(a)->c"},
    {"preset of an attribute", "fn F x z axis=7; n Flatten x z axis=@axis; end; n f:F a c",
     "Flatten(a){axis=7}->c"},
    {"attribute before its preset",
     "fn F x z axis=7; n Flatten x z axis=@axis; end; n f:F a c axis=2", "Flatten(a){axis=2}->c"},
    {"attribute through two calls",
     "fn G x z k; n Flatten x z axis=@k; end; fn F x z axis; n f:G x z k=@axis; end; "
     "n f:F a c axis=2",
     "Flatten(a){axis=2}->c"},
    {"omitted input", "fn F x,y z; n Clip x,_,y z; end; n f:F a,_ c; n f:F c d",
     "Clip(a,,)->c Clip(c,,)->d"},
    {"output not wanted", "fn F x y,z; n Relu x y; n Neg x z; end; n f:F a c; n f:F a _,d",
     "Relu(a)->c Neg(a)->c/z Relu(a)->d/y Neg(a)->d"},
    {"nothing wanted", "fn F x y; n Relu x y; end; n f:F a _; n Neg a b", "Neg(a)->b"},
    {"output is an input", "fn F x,y x,z; n Relu y z; end; n f:F a,b c,d",
     "Relu(b)->d Identity(a)->c"},
    {"output twice", "fn F x z,z; n Relu x z; end; n f:F a c,d", "Relu(a)->c Identity(c)->d"},
    {"names that look made", "fn F x z; n Relu x t; n Neg t z; end; n f:F c/t c; n Exp a c/t",
     "Relu(c/t)->c/~t Neg(c/~t)->c Exp(a)->c/t"},
    {"names that look made twice", "fn F x z; n Relu x ~/~~t; n Neg ~/~~t z; end; n f:F a c",
     "Relu(a)->c/~~~~/~~t Neg(c/~~~~/~~t)->c"},
    {"a call that makes the output of the call around it",
     "fn G a b; n Exp a t; n Log t b; end; fn F a b; n Relu a t; n f:G t b; end; n f:F x d",
     "Relu(x)->d/t Exp(d/t)->d//t Log(d//t)->d"},
    {"three of these, and names like theirs",
     "fn H a b; n Exp a t; n Abs t b; end; fn G a b; n Log a t; n f:H t b; end; "
     "fn F a b; n Relu a t; n f:G t b; end; n f:F x d; n Neg d d/t; n Neg d/t d/~t",
     "Relu(x)->d/~~t Log(d/~~t)->d/~~/~~t Exp(d/~~/~~t)->d/~~/~~/~~t Abs(d/~~/~~/~~t)->d "
     "Neg(d)->d/t Neg(d/t)->d/~t"},
    {"a call that makes the second output of the call around it",
     "fn G a b; n Exp a t; n Log t b; end; fn F a b,c; n f:G a b; n f:G b c; end; n f:F x d,e",
     "Exp(x)->d//t Log(d//t)->d Exp(d)->e/t Log(e/t)->e"},
    {"the same call one deeper through the second output",
     "fn H a b; n Exp a t; n Log t b; end; fn G a b,c; n Relu a t; n f:H t c; n Neg c b; end; "
     "fn F a b; n Abs a t; n f:G t u,b; end; n f:F x d",
     "Abs(x)->d/t Relu(d/t)->d/u/t Exp(d/u/t)->d//t Log(d//t)->d Neg(d)->d/u"},
    {"nodes in any order", "fn F x z; n Neg t z; n Relu x t; end; n f:F a c",
     "Neg(c/t)->c Relu(a)->c/t"},
    {"a name of nobody", "fn F x z; n Add x,b z; end; n f:F a c; n Relu c b",
     "Add(a,c/b)->c Relu(c)->b"},
    {"in the place of an operator", "fn Relu x z; n Neg x z; end; n f:Relu a c; n Relu a b",
     "Neg(a)->c Relu(a)->b"},
};

static const struct refused_case {
    const char *name, *text;
    kldve_status status;
    const char *message;
} refused[] = {
    {"calls itself", "fn F x z; n f:F x z; end; n f:F a c", KLDVE_E_FORMAT,
     "function 'F': it calls itself"},
    {"calls itself through another",
     "fn F x z; n f:G x z; end; fn G x z; n f:F x z; end; n f:F a c", KLDVE_E_FORMAT,
     "function 'F': it calls itself"},
    {"too many inputs", "fn F x z; n Relu x z; end; n f:F a,b c", KLDVE_E_FORMAT,
     "function 'F': a call has more inputs or outputs than the function"},
    {"too many outputs", "fn F x z; n Relu x z; end; n f:F a c,d", KLDVE_E_FORMAT,
     "function 'F': a call has more inputs or outputs than the function"},
    {"output never made", "fn F x z; n Relu x t; end; n f:F a c", KLDVE_E_FORMAT,
     "function 'F': no node produces one of its outputs"},
    {"made twice", "fn F x z; n Relu x z; n Neg x z; end; n f:F a c", KLDVE_E_FORMAT,
     "function 'F' produces 'z' twice"},
    {"input made again", "fn F x z; n Relu x z; n Neg z x; end; n f:F a c", KLDVE_E_FORMAT,
     "function 'F' produces 'x' twice"},
    {"two of a name", "fn F x z; n Relu x z; end; fn F x z; n Neg x z; end; n f:F a c",
     KLDVE_E_FORMAT, "function 'F': it is defined twice"},
    {"inputs of the same name", "fn F x,x z; n Relu x z; end; n f:F a,b c", KLDVE_E_FORMAT,
     "function 'F': two inputs have the same name"},
    {"input without a name", "fn F _ z; n Relu x z; end; n f:F a c", KLDVE_E_FORMAT,
     "function 'F': an input or output has no name"},
    {"attribute of the wrong type",
     "fn F x z axis; n Flatten x z axis=@axis; end; n f:F a c axis=0.5", KLDVE_E_FORMAT,
     "function 'F': attribute 'axis' has the wrong type"},
    {"preset that refers", "fn F x z axis=@k; n Flatten x z axis=@axis; end; n f:F a c",
     KLDVE_E_FORMAT, "function 'F': the default of an attribute is a reference"},
    {"reference outside of functions", "fn F x z; n Relu x z; end; n Flatten a c axis=@axis",
     KLDVE_E_FORMAT, "attribute 'axis' refers to an attribute of a function"},
};

static kldve_status read_text(kldve_ctx *ctx, const char *text, kx_model **out)
{
    size_t n;
    unsigned char *bytes = writer_memory(write_text, text, &n);
    kldve_status st = kx_model_read(ctx, bytes, n, out);

    free(bytes); /* only weights stay there */
    return st;
}

static void check_case(void **state)
{
    const struct inline_case *c = *state;
    char nodes[1024];
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m;

    if (read_text(ctx, c->text, &m) != KLDVE_OK)
        fail_msg("%s", kldve_ctx_message(ctx));
    describe(m, nodes, sizeof nodes);
    assert_string_equal(nodes, c->nodes);
    kx_model_free(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

static void check_refused(void **state)
{
    const struct refused_case *c = *state;
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    assert_int_equal(read_text(ctx, c->text, &m), c->status);
    if (!strstr(kldve_ctx_message(ctx), c->message))
        fail_msg("'%s' is not in '%s'", c->message, kldve_ctx_message(ctx));
    assert_null(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* `levels` functions, each of which calls the one before `calls` times. */
static kldve_status read_tower(kldve_ctx *ctx, int levels, int calls, kx_model **out)
{
    size_t size = (size_t)(levels + 1) * (size_t)(calls + 2) * 40;
    char *text = calloc(1, size);
    kldve_status st;

    assert_non_null(text);
    append(text, size, "fn F0 x z; n Relu x z; end;");
    for (int i = 1; i <= levels; i++) {
        append(text, size, "fn F%d x v%d;", i, calls);
        for (int k = 1; k <= calls; k++)
            append(text, size, "n f:F%d %s%.0d v%d;", i - 1, k == 1 ? "x" : "v", k - 1, k);
        append(text, size, "end;");
    }
    append(text, size, "n f:F%d a c", levels);
    st = read_text(ctx, text, out);
    free(text);
    return st;
}

static void test_towers(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kx_model *m = NULL;

    (void)state;
    assert_int_equal(read_tower(ctx, 10, 2, &m), KLDVE_OK);
    assert_int_equal(m->nnode, 1024);
    kx_model_free(m);
    m = NULL;
    assert_int_equal(read_tower(ctx, 60, 1, &m), KLDVE_OK);
    assert_int_equal(m->nnode, 1);
    kx_model_free(m);
    m = NULL;
    assert_int_equal(read_tower(ctx, 60, 3, &m), KLDVE_E_LIMIT); /* 3^60 nodes */
    assert_non_null(strstr(kldve_ctx_message(ctx),
                           "functions expand to more nodes: the limit 'nodes' is 1000000;"));
    assert_int_equal(read_tower(ctx, 70, 1, &m), KLDVE_E_UNSUPPORTED);
    assert_non_null(strstr(kldve_ctx_message(ctx), "its calls are nested too deeply"));
    assert_null(m);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

/* Every allocation of a reading with functions fails once. */
static void test_allocations(void **state)
{
    test_heap heap;
    kldve_ctx *ctx = test_ctx(&heap);
    kldve_status st = KLDVE_E_NOMEM;
    long rounds;

    (void)state;
    for (rounds = 0; st != KLDVE_OK; rounds++) {
        kx_model *m = NULL;

        heap.budget = rounds;
        st = read_tower(ctx, 12, 2, &m);
        if (st == KLDVE_OK) {
            kx_model_free(m);
        } else {
            assert_int_equal(st, KLDVE_E_NOMEM);
            assert_null(m);
        }
        assert_int_equal(heap.live, 1);
    }
    assert_true(rounds > 5);
    kldve_ctx_free(ctx);
    assert_int_equal(heap.live, 0);
}

enum { NCASES = sizeof cases / sizeof cases[0], NREFUSED = sizeof refused / sizeof refused[0] };

TEST_MAIN(proto_inline)
{
    struct CMUnitTest tests[NCASES + NREFUSED + 2] = {
        cmocka_unit_test(test_towers),
        cmocka_unit_test(test_allocations),
    };
    size_t n = 2;

    for (size_t i = 0; i < NCASES; i++)
        tests[n++] = (struct CMUnitTest){cases[i].name, check_case, NULL, NULL,
                                         (void *)(uintptr_t)&cases[i]};
    for (size_t i = 0; i < NREFUSED; i++)
        tests[n++] = (struct CMUnitTest){refused[i].name, check_refused, NULL, NULL,
                                         (void *)(uintptr_t)&refused[i]};
    return _cmocka_run_group_tests("proto_inline", tests, n, NULL, NULL);
}
