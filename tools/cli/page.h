/* page.h - pages of HTML that hold their data: one file, nothing is fetched. */
#ifndef KLDVE_TOOLS_PAGE_H
#define KLDVE_TOOLS_PAGE_H

#include "json.h"

/** Bytes as text: `head`, such as "data:image/jpeg;base64,", and the bytes in base64.  False: out
 * of memory. */
bool page_put_base64(json_object *object, const char *key, const char *head,
                     const unsigned char *bytes, size_t nbytes);

/** A picture as JPEG, for an <img>.  False after a message. */
bool page_put_picture(json_object *object, const char *key, kldve_ctx *ctx,
                      const kldve_image *image, int32_t quality);

/** Write a page in which the one "@DATA@" becomes the data.  What comes from files, such as labels,
 *  is text in JSON: with <, >, &, U+2028 and U+2029 written as \u003c and so on it cannot end the
 *  script that holds it.
 *  @param page  [nbytes].
 *  @param data  Freed; NULL: it could not be made.
 *  @return false after a message. */
bool page_write(const char *path, const unsigned char *page, size_t nbytes, json_object *data);

#endif
