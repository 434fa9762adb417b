/* message.h - the bytes of an .onnx file as a tree of protobuf fields that can be changed and
 * written again.  The schema (message_schema.c) says which fields are messages and what their texts
 * and numbers stand for; what it does not name stays as it is. */
#ifndef KLDVE_TESTS_FUZZ_MESSAGE_H
#define KLDVE_TESTS_FUZZ_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a field holds: one of the messages, or a role of a text or number. */
typedef enum field_kind {
    FIELD_BYTES, /**< nothing is known of it */
    FIELD_MODEL,
    FIELD_GRAPH,
    FIELD_NODE,
    FIELD_ATTRIBUTE,
    FIELD_TENSOR,
    FIELD_SPARSE,
    FIELD_VALUE_INFO,
    FIELD_TYPE,
    FIELD_TENSOR_TYPE,
    FIELD_SHAPE,
    FIELD_DIM,
    FIELD_OPSET,
    FIELD_FUNCTION,
    FIELD_ENTRY, /**< key and value of external data */
    FIELD_MESSAGES,
    FIELD_VALUE_NAME = FIELD_MESSAGES, /**< texts: of a tensor, the edges of the graph */
    FIELD_OPERATOR,
    FIELD_DOMAIN,
    FIELD_ATTRIBUTE_NAME,
    FIELD_WORD,    /**< the value of an attribute */
    FIELD_NUMBER,  /**< an integer, alone or packed */
    FIELD_REAL,    /**< a float, alone or packed */
    FIELD_NUMBERS, /**< the bytes of a tensor's elements */
    FIELD_KINDS
} field_kind;

typedef enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIX64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIX32 = 5
} wire_type;

typedef struct field {
    uint32_t number;
    wire_type wire;
    field_kind kind;
    uint64_t value;       /**< of the wire types without bytes */
    const uint8_t *bytes; /**< [nbytes], of WIRE_BYTES that is no message */
    size_t nbytes;
    struct field *first, *next; /**< of a message: its fields; those of the same message */
} field;

enum { TREE_FIELDS = 4096, TREE_BYTES = 65536 };

/** Room for a tree and for texts that are made for it. */
typedef struct tree {
    field *root; /**< a FIELD_MODEL */
    field field[TREE_FIELDS];
    size_t fields;
    uint8_t bytes[TREE_BYTES];
    size_t nbytes;
} tree;

/** False: no protobuf, or too large.  The tree refers to `bytes`. */
bool tree_read(tree *t, const uint8_t *bytes, size_t nbytes);
/** @return how many bytes, 0: there is not enough room. */
size_t tree_write(const tree *t, uint8_t *bytes, size_t room);
/** NULL: the tree is full. */
field *tree_field(tree *t);
uint8_t *tree_room(tree *t, size_t nbytes);
/** A field with all that is in it, without its `next`; NULL: the tree is full. */
field *tree_copy(tree *t, const field *from);

/** What field `number` of a message of this kind is. */
field_kind schema_of(field_kind message, uint32_t number);

#endif
