/* input_parts.h - what the files that settle inputs share.
 *
 *     input_list.c      the inputs as the file and the user tell of them
 *     inputs.c          which input is the picture, and the stages
 *     input_layout.c    what the axes of the picture are, where that is said or it is a film
 *     input_dims.c      numbers for open dimensions
 *     input_symbols.c   the same by what the file calls them
 *     input_form.c      the picture as [1][channels][height][width]
 *     input_lead.c      nodes that lead from there to the form that the file wants
 *     input_values.c    values of the other inputs */
#ifndef KLDVE_ONNX_BUILD_INPUT_PARTS_H
#define KLDVE_ONNX_BUILD_INPUT_PARTS_H

#include "inputs.h"

enum { KX_INPUT_TEXT = 400 };

typedef struct kx_settler {
    kldve_ctx *ctx;
    kx_arena *arena;
    const kx_model *m;
    const kx_input_options *o;
    kx_inputs *out;
    const kx_proto_value *
        *input; /**< [ninput]: those of the file that are not tensors in it, too */
    int32_t ninput;
    bool *dim_used;         /**< [dim_count] of the options */
    kx_proto_value picture; /**< its dimensions are numbers */
    const kx_proto_value *file_picture;
    int32_t weights; /**< axes of the first weights of 3 or more that meet the picture; 0: none */
    int64_t fed;     /**< channels that these weights take */
    char layout[KX_PROTO_MAX_RANK + 1]; /**< as in kx_inputs */
} kx_settler;

kldve_status kx_settle_nomem(const kx_settler *s);
/** Tell the user. */
kldve_status kx_settle_say(const kx_settler *s, const char *format, ...) KLDVE_PRINTF(2, 3);
/** The name of an element type. */
const char *kx_settle_type(int32_t type);
/** "'x' float32 [batch][3][8][8]" at the end of a text of KX_INPUT_TEXT bytes. */
void kx_settle_list(const kx_proto_value *v, char *text);
/** All inputs, as kx_settle_list() writes them. */
void kx_settle_list_all(const kx_settler *s, char *text);
/** The user's value for an input; NULL: none. */
const kldve_onnx_input *kx_settle_given(const kx_settler *s, const char *name);
/** Whether the network gives an output of the same type and shape back. */
bool kx_settle_is_state(const kx_model *m, const kx_proto_value *v);

/** What the axes of the picture are: sets `layout`. */
kldve_status kx_settle_layout(kx_settler *s);
/** The size of a dimension by its symbol: as the user says, as the picture or a value of another
 * input has it; 0: not known. */
int64_t kx_settle_symbol(const kx_settler *s, const char *symbol);
/** The same of an expression of symbols, "2*h". */
int64_t kx_settle_expression(const kx_settler *s, const char *text);
bool kx_settle_is_expression(const char *symbol);
/** Replace open dimensions. */
kldve_status kx_settle_picture_dims(kx_settler *s, kx_proto_value *v);
kldve_status kx_settle_other_dims(kx_settler *s, kx_proto_value *v);
kldve_status kx_settle_check_dims(const kx_settler *s);
/** The picture's form; sets out->model's input and nodes. */
kldve_status kx_settle_form(kx_settler *s);
/** Nodes from the picture, view[1..3], to the file's input, which takes `batch` of it. */
kldve_status kx_settle_lead(kx_settler *s, const int64_t view[4], int64_t batch);
/** The model's input, where nodes lead from it to the file's. */
extern const char kx_picture_name[];
enum { KX_LEAD_CONSTANTS = 5, KX_LEAD_NODES = 4 };
/** The tensor that stands for another input. */
kldve_status kx_settle_value(kx_settler *s, const kx_proto_value *v, kx_proto_tensor *out);

#endif
