/* exif.c - the orientation of a photograph.
 *
 * EXIF 2.3 is a TIFF 6.0 file inside the picture: 8 bytes of header (byte order, 42, offset of the
 * first directory), a directory of a count and 12-byte entries (tag, type, count, value).  Only the
 * first directory is read, once, so that no offsets can make it loop. */
#include "codec.h"

#include <assert.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, HEADER = 8, ENTRY = 12 };

enum { JPEG_TEM = 0x01, JPEG_RST0 = 0xd0, JPEG_SOI = 0xd8, JPEG_SOS = 0xda, JPEG_APP1 = 0xe1 };

/* An unsigned number. */
static uint32_t number(const uint8_t *at, size_t nbytes, bool big)
{
    uint32_t value = 0;

    assert(nbytes == 2 || nbytes == 4);
    for (size_t i = 0; i < nbytes; i++)
        value = value << 8 | at[big ? i : nbytes - 1 - i];
    return value;
}

static int32_t orientation_of(const uint8_t *entry, bool big)
{
    uint32_t type = number(entry + 2, 2, big), value;

    if (number(entry, 2, big) != TAG_ORIENTATION || number(entry + 4, 4, big) != 1)
        return 0;
    if (type != TYPE_SHORT && type != TYPE_LONG)
        return 0;
    value = number(entry + 8, type == TYPE_SHORT ? 2 : 4, big);
    return value <= 8 ? (int32_t)value : 0;
}

int32_t kldve_exif_orientation(const uint8_t *tiff, size_t nbytes)
{
    size_t offset, count;
    bool big;

    if (nbytes < HEADER + 2)
        return 1;
    big = memcmp(tiff, "MM\0*", 4) == 0;
    if (!big && memcmp(tiff, "II*\0", 4) != 0)
        return 1;
    offset = number(tiff + 4, 4, big);
    if (offset < HEADER || offset > nbytes - 2)
        return 1;
    count = number(tiff + offset, 2, big);
    offset += 2;
    for (; count > 0 && nbytes - offset >= ENTRY; count--, offset += ENTRY) {
        int32_t orientation = orientation_of(tiff + offset, big);

        if (orientation > 0)
            return orientation;
    }
    return 1;
}

/* A segment is FF, a marker and, unless it has no content, a length of 2 bytes that includes
 * itself.  The pixels begin at SOS. */
const uint8_t *kldve_exif_find_jpeg(const uint8_t *file, size_t file_nbytes, size_t *nbytes)
{
    size_t at = 0;

    while (file_nbytes - at >= 4 && file[at] == 0xff) {
        uint8_t marker = file[at + 1];
        size_t length = number(file + at + 2, 2, true);

        if (marker == 0xff) { /* padding */
            at++;
            continue;
        }
        if (marker == JPEG_TEM || (marker >= JPEG_RST0 && marker <= JPEG_SOI)) {
            at += 2;
            continue;
        }
        if (marker == JPEG_SOS || length < 2 || length > file_nbytes - at - 2)
            return NULL;
        if (marker == JPEG_APP1 && length >= 8 && memcmp(file + at + 4, "Exif\0\0", 6) == 0) {
            *nbytes = length - 8;
            return file + at + 10;
        }
        at += 2 + length;
    }
    return NULL;
}
