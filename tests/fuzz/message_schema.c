/* message_schema.c - the fields of onnx.proto that a mutator should know. */
#include "message.h"

static const struct {
    field_kind message;
    uint32_t number;
    field_kind kind;
} schema[] = {
    {FIELD_MODEL, 1, FIELD_NUMBER}, /* ir_version */
    {FIELD_MODEL, 7, FIELD_GRAPH},
    {FIELD_MODEL, 8, FIELD_OPSET},
    {FIELD_MODEL, 25, FIELD_FUNCTION},
    {FIELD_OPSET, 1, FIELD_DOMAIN},
    {FIELD_OPSET, 2, FIELD_NUMBER},
    {FIELD_GRAPH, 1, FIELD_NODE},
    {FIELD_GRAPH, 5, FIELD_TENSOR},
    {FIELD_GRAPH, 11, FIELD_VALUE_INFO}, /* input, output, the others */
    {FIELD_GRAPH, 12, FIELD_VALUE_INFO},
    {FIELD_GRAPH, 13, FIELD_VALUE_INFO},
    {FIELD_GRAPH, 15, FIELD_SPARSE},
    {FIELD_NODE, 1, FIELD_VALUE_NAME}, /* input, output */
    {FIELD_NODE, 2, FIELD_VALUE_NAME},
    {FIELD_NODE, 4, FIELD_OPERATOR},
    {FIELD_NODE, 5, FIELD_ATTRIBUTE},
    {FIELD_NODE, 7, FIELD_DOMAIN},
    {FIELD_ATTRIBUTE, 1, FIELD_ATTRIBUTE_NAME},
    {FIELD_ATTRIBUTE, 2, FIELD_REAL},
    {FIELD_ATTRIBUTE, 3, FIELD_NUMBER},
    {FIELD_ATTRIBUTE, 4, FIELD_WORD},
    {FIELD_ATTRIBUTE, 5, FIELD_TENSOR},
    {FIELD_ATTRIBUTE, 6, FIELD_GRAPH},
    {FIELD_ATTRIBUTE, 7, FIELD_REAL},
    {FIELD_ATTRIBUTE, 8, FIELD_NUMBER},
    {FIELD_ATTRIBUTE, 9, FIELD_WORD},
    {FIELD_ATTRIBUTE, 10, FIELD_TENSOR},
    {FIELD_ATTRIBUTE, 11, FIELD_GRAPH},
    {FIELD_ATTRIBUTE, 20, FIELD_NUMBER},         /* its type */
    {FIELD_ATTRIBUTE, 21, FIELD_ATTRIBUTE_NAME}, /* of a function's attribute */
    {FIELD_ATTRIBUTE, 22, FIELD_SPARSE},
    {FIELD_TENSOR, 1, FIELD_NUMBER}, /* dims */
    {FIELD_TENSOR, 2, FIELD_NUMBER}, /* the type of its elements */
    {FIELD_TENSOR, 4, FIELD_REAL},
    {FIELD_TENSOR, 5, FIELD_NUMBER},
    {FIELD_TENSOR, 7, FIELD_NUMBER},
    {FIELD_TENSOR, 8, FIELD_VALUE_NAME},
    {FIELD_TENSOR, 9, FIELD_NUMBERS},
    {FIELD_TENSOR, 13, FIELD_ENTRY},
    {FIELD_TENSOR, 14, FIELD_NUMBER}, /* where its data are */
    {FIELD_SPARSE, 1, FIELD_TENSOR},  /* values, indices */
    {FIELD_SPARSE, 2, FIELD_TENSOR},
    {FIELD_SPARSE, 3, FIELD_NUMBER},
    {FIELD_ENTRY, 1, FIELD_WORD},
    {FIELD_ENTRY, 2, FIELD_WORD},
    {FIELD_VALUE_INFO, 1, FIELD_VALUE_NAME},
    {FIELD_VALUE_INFO, 2, FIELD_TYPE},
    {FIELD_TYPE, 1, FIELD_TENSOR_TYPE},
    {FIELD_TENSOR_TYPE, 1, FIELD_NUMBER},
    {FIELD_TENSOR_TYPE, 2, FIELD_SHAPE},
    {FIELD_SHAPE, 1, FIELD_DIM},
    {FIELD_DIM, 1, FIELD_NUMBER},
    {FIELD_DIM, 2, FIELD_WORD}, /* its symbol */
    {FIELD_FUNCTION, 1, FIELD_OPERATOR},
    {FIELD_FUNCTION, 4, FIELD_VALUE_NAME},
    {FIELD_FUNCTION, 5, FIELD_VALUE_NAME},
    {FIELD_FUNCTION, 6, FIELD_ATTRIBUTE_NAME},
    {FIELD_FUNCTION, 7, FIELD_NODE},
    {FIELD_FUNCTION, 9, FIELD_OPSET},
    {FIELD_FUNCTION, 10, FIELD_DOMAIN},
    {FIELD_FUNCTION, 11, FIELD_ATTRIBUTE},
};

field_kind schema_of(field_kind message, uint32_t number)
{
    for (size_t i = 0; i < sizeof schema / sizeof *schema; i++)
        if (schema[i].message == message && schema[i].number == number)
            return schema[i].kind;
    return FIELD_BYTES;
}
