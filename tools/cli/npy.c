/* npy.c - arrays for numpy.
 *
 * Format 1.0 (NEP 1): "\x93NUMPY", bytes 1 and 0, the header's length as a little-endian uint16,
 * the header - a Python dictionary, padded with spaces and a newline so that the data begins at a
 * multiple of 64 - then the elements. */
#include "tool.h"

#include <stdio.h>
#include <string.h>

enum { PREFIX = 10, ALIGN = 64, HEAD_SIZE = 2 * ALIGN };

/* '<' on little-endian machines, '>' on big-endian ones: elements are written as they are. */
static char byte_order(void)
{
    const uint16_t one = 1;
    unsigned char first;

    memcpy(&first, &one, 1);
    return first == 1 ? '<' : '>';
}

/* Fill in the head; returns its length. */
static size_t make_head(char head[HEAD_SIZE], npy_type type, int32_t rank, const size_t *dim)
{
    size_t used, total;
    char shape[64];

    used = 0;
    for (int32_t i = 0; i < rank; i++)
        used +=
            (size_t)snprintf(shape + used, sizeof shape - used, i > 0 ? ", %zu" : "%zu", dim[i]);
    snprintf(shape + used, sizeof shape - used, rank == 1 ? "," : "");
    memset(head, ' ', HEAD_SIZE);
    memcpy(head, "\x93NUMPY\x01", 7);
    head[7] = '\0';
    used = (size_t)snprintf(head + PREFIX, HEAD_SIZE - PREFIX,
                            "{'descr': '%cf%d', 'fortran_order': False, 'shape': (%s), }",
                            byte_order(), type == NPY_FLOAT32 ? 4 : 8, shape);
    head[PREFIX + used] = ' ';
    total = (PREFIX + used + 1 + ALIGN - 1) / ALIGN * ALIGN;
    head[total - 1] = '\n';
    head[8] = (char)((total - PREFIX) & 0xff);
    head[9] = (char)((total - PREFIX) >> 8);
    return total;
}

bool npy_write(const char *path, npy_type type, int32_t rank, const size_t *dim, const void *data)
{
    char head[HEAD_SIZE];
    output_part part[2];
    size_t count = 1;

    for (int32_t i = 0; i < rank; i++)
        count *= dim[i];
    part[0].bytes = head;
    part[0].nbytes = make_head(head, type, rank, dim);
    part[1].bytes = data;
    part[1].nbytes = count * (type == NPY_FLOAT32 ? sizeof(float) : sizeof(double));
    return output_write(path, part, 2);
}
