/* page.c - pages of HTML that hold their data. */
#include "page.h"

#include <kldve/backend.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text `head` followed by the bytes in base64, for the caller to free.  NULL: out of memory. */
static char *base64(const char *head, const unsigned char *bytes, size_t nbytes)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = strlen(head);
    char *text = nbytes > SIZE_MAX / 2 - used ? NULL : malloc(used + (nbytes + 2) / 3 * 4 + 1);

    if (!text)
        return NULL;
    memcpy(text, head, used);
    for (size_t i = 0; i < nbytes; i += 3) {
        size_t left = nbytes - i;
        unsigned long three = (unsigned long)bytes[i] << 16 |
                              (unsigned long)(left > 1 ? bytes[i + 1] : 0) << 8 |
                              (unsigned long)(left > 2 ? bytes[i + 2] : 0);

        text[used++] = digit[three >> 18];
        text[used++] = digit[three >> 12 & 63];
        text[used++] = left > 1 ? digit[three >> 6 & 63] : '=';
        text[used++] = left > 2 ? digit[three & 63] : '=';
    }
    text[used] = '\0';
    return text;
}

bool page_put_base64(json_object *object, const char *key, const char *head,
                     const unsigned char *bytes, size_t nbytes)
{
    char *text = base64(head, bytes, nbytes);
    bool ok = text && json_put(object, key, json_object_new_string(text));

    free(text);
    return ok;
}

bool page_put_picture(json_object *object, const char *key, kldve_ctx *ctx,
                      const kldve_image *image, int32_t quality)
{
    void *bytes = NULL;
    size_t nbytes = 0;
    kldve_status status =
        kldve_image_encode(ctx, image, KLDVE_FILE_FORMAT_JPEG, quality, &bytes, &nbytes);
    bool ok = status == KLDVE_OK &&
              page_put_base64(object, key, "data:image/jpeg;base64,", bytes, nbytes);

    if (status != KLDVE_OK)
        complain("%s", kldve_ctx_message(ctx));
    else if (!ok)
        complain("out of memory");
    kldve_ctx_release(ctx, bytes);
    return ok;
}

/* Escape JSON so that it cannot end the script around it; these characters occur only in its
 * strings.  NULL: out of memory. */
static char *guarded(const char *json)
{
    size_t n = strlen(json), used = 0;
    char *text = n > (SIZE_MAX - 1) / 6 ? NULL : malloc(6 * n + 1);

    for (size_t i = 0; text && i < n; i++) {
        bool separator = strncmp(json + i, "\xe2\x80\xa8", 3) == 0 ||
                         strncmp(json + i, "\xe2\x80\xa9", 3) == 0; /* U+2028, U+2029 */

        if (separator) {
            i += 2;
            used += (size_t)sprintf(text + used, "\\u20%02x", (unsigned char)json[i] & 0x7fU);
        } else if (json[i] == '<' || json[i] == '>' || json[i] == '&') {
            used += (size_t)sprintf(text + used, "\\u%04x", (unsigned)json[i]);
        } else {
            text[used++] = json[i];
        }
    }
    if (text)
        text[used] = '\0';
    return text;
}

/* The page with the text of the data in the place of the marker. */
static bool write_filled(const char *path, const char *page, size_t nbytes, const char *data)
{
    static const char marker[] = "@DATA@";
    const char *place = strstr(page, marker);
    const char *behind = place + sizeof marker - 1;
    const output_part part[] = {
        {page, (size_t)(place - page)},
        {data, strlen(data)},
        {behind, nbytes - (size_t)(behind - page)},
    };

    return output_write(path, part, 3);
}

bool page_write(const char *path, const unsigned char *page, size_t nbytes, json_object *data)
{
    const char *json = data ? json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN) : NULL;
    char *text = json ? guarded(json) : NULL;
    bool ok = false;

    if (text)
        ok = write_filled(path, (const char *)page, nbytes, text);
    else
        complain("%s: cannot make the page, for lack of memory", path);
    free(text);
    json_object_put(data);
    return ok;
}
