/* page.h - pages of HTML that hold their data, their style and their scripts: one file, nothing is
 * fetched. */
#ifndef KLDVE_TOOLS_PAGE_H
#define KLDVE_TOOLS_PAGE_H

#include "json.h"

/** A text that the build embeds. */
typedef struct page_text {
    const unsigned char *bytes;
    const size_t *nbytes;
} page_text;

enum { PAGE_TEXTS = 8 };

/** What a page is made of.  The HTML has each of these once, in this order: "@POLICY@", the
 *  Content-Security-Policy, which allows this style and these scripts by their hashes and no
 * others;
 *  "@STYLE@"; "@DATA@"; "@SCRIPT@". */
typedef struct page_source {
    page_text html;
    page_text style[PAGE_TEXTS];  /**< in this order, after page.css; NULL behind the last */
    page_text script[PAGE_TEXTS]; /**< in this order, after page.js; NULL behind the last */
} page_source;

/** Bytes as text: `head`, such as "data:image/jpeg;base64,", and the bytes in base64.  False: out
 * of memory. */
bool page_put_base64(json_object *object, const char *key, const char *head,
                     const unsigned char *bytes, size_t nbytes);

/** A picture as JPEG, for an <img>.  False after a message. */
bool page_put_picture(json_object *object, const char *key, kldve_ctx *ctx,
                      const kldve_image *image, int32_t quality);

/** A page that is written piece by piece. */
typedef struct page_file {
    output_stream out;
    const page_source *of;
    const char *rest; /**< of the HTML, behind the data */
    size_t nbytes;    /**< written so far, about */
} page_file;

/** Begin a page.  It appears when it is whole.  False after a message.
 *  @param of  Outlives the page. */
bool page_begin(page_file *p, const char *path, const page_source *of);

/** Add data: the page finds them as the text of the element with this id.  What comes from files,
 *  such as labels, is text in JSON: with <, >, &, U+2028 and U+2029 written as \u003c and so on it
 *  cannot end the script that holds it.
 *  @param data  Freed; NULL: it could not be made.
 *  @return false after a message; end the page in either case. */
bool page_add(page_file *p, const char *id, json_object *data);

/** End the page.  It appears if `keep`, else nothing is left.  False after a message. */
bool page_end(page_file *p, bool keep);

/** A page with one piece of data, "data".  False after a message.
 *  @param data  Freed; NULL: it could not be made. */
bool page_write(const char *path, const page_source *of, json_object *data);

#endif
