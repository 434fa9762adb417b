/* proto_external.c - external_data of a TensorProto: which bytes of which file. */
#include "proto_read.h"

#include <string.h>

enum { EXTERNAL_DATA = 13 }; /* field number */

/* A decimal number without a sign; false if it is malformed or needs more than 63 bits. */
static bool decimal(const char *text, uint64_t *out)
{
    uint64_t value = 0;

    if (!*text || strlen(text) > 18)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *out = value;
    return true;
}

static kldve_status read_entry(kx_reader *r, const kx_wire *entry, const char **key,
                               const char **value)
{
    kx_wire w = kx_wire_start(entry->bytes, entry->n);
    kldve_status st = KLDVE_OK;

    *key = *value = "";
    while (st == KLDVE_OK && kx_wire_next(&w))
        if (w.key == KX_BYTES(1))
            st = kx_reader_name(r, &w, key);
        else if (w.key == KX_BYTES(2))
            st = kx_reader_name(r, &w, value);
    return st < 0 ? st : w.broken ? kx_wire_broken(r, &w, "external_data") : KLDVE_OK;
}

kldve_status kx_read_external(kx_reader *r, kx_wire w, const char *tensor, size_t nbytes,
                              const unsigned char **out)
{
    const char *location = NULL, *key, *value;
    uint64_t offset = 0, length = nbytes;
    kldve_status st;

    while (kx_wire_next(&w)) {
        bool ok = true;

        if (w.key != KX_BYTES(EXTERNAL_DATA))
            continue;
        if ((st = read_entry(r, &w, &key, &value)) < 0)
            return st;
        if (strcmp(key, "location") == 0)
            location = value;
        else if (strcmp(key, "offset") == 0)
            ok = decimal(value, &offset);
        else if (strcmp(key, "length") == 0)
            ok = decimal(value, &length);
        if (!ok)
            return kx_reader_fail(r, KLDVE_E_FORMAT,
                                  "tensor '%.80s': its external data has the bad %s '%.40s'",
                                  tensor, key, value);
    }
    if (!location)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "tensor '%.80s': its external data has no location", tensor);
    if (length != nbytes)
        return kx_reader_fail(r, KLDVE_E_FORMAT,
                              "tensor '%.80s': external data has %llu bytes, %zu expected", tensor,
                              (unsigned long long)length, nbytes);
    return kx_map_external(r, tensor, location, offset, nbytes, out);
}
