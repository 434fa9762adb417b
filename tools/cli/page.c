/* page.c - pages of HTML that hold their data, their style and their scripts. */

#include "page.h"

#include <kldve/backend.h>

#include "sha256.h"

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

/* ---- texts -------------------------------------------------------------------------------- */

extern const unsigned char page_base_style[], page_base_script[];
extern const size_t page_base_style_nbytes, page_base_script_nbytes;

static const page_text base_style = {page_base_style, &page_base_style_nbytes};
static const page_text base_script = {page_base_script, &page_base_script_nbytes};

/* The text with number i of a style or a script, the one that all pages share first; NULL behind
 * the last. */
static const page_text *text_of(const page_text *base, const page_text *own, int32_t i)
{
    if (i == 0)
        return base;
    return i <= PAGE_TEXTS && own[i - 1].bytes ? &own[i - 1] : NULL;
}

static void put(page_file *p, const void *bytes, size_t nbytes)
{
    fwrite(bytes, 1, nbytes, p->out.file);
    p->nbytes += nbytes;
}

static void put_text(page_file *p, const char *text)
{
    put(p, text, strlen(text));
}

static void put_texts(page_file *p, const page_text *base, const page_text *own)
{
    const page_text *text;

    for (int32_t i = 0; (text = text_of(base, own, i)) != NULL; i++)
        put(p, text->bytes, *text->nbytes);
}

/* ---- policy -------------------------------------------------------------------------------- */

/* "'sha256-...'", as a Content-Security-Policy names what it allows. */
static bool put_hash(page_file *p, const page_text *base, const page_text *own)
{
    const page_text *text;
    unsigned char digest[(SHA256_TEXT - 1) / 2];
    char digits[SHA256_TEXT], *hash;
    sha256 s = {.nbytes = 0};

    sha256_begin(&s);
    for (int32_t i = 0; (text = text_of(base, own, i)) != NULL; i++)
        sha256_add(&s, text->bytes, *text->nbytes);
    sha256_end(&s, digits);
    for (size_t i = 0; i < sizeof digest; i++) {
        const char byte[3] = {digits[2 * i], digits[2 * i + 1], '\0'};

        digest[i] = (unsigned char)strtoul(byte, NULL, 16);
    }
    hash = base64("'sha256-", digest, sizeof digest);
    if (!hash) {
        complain("out of memory");
        return false;
    }
    put_text(p, hash);
    put_text(p, "'");
    free(hash);
    return true;
}

static bool put_policy(page_file *p)
{
    put_text(p,
             "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src ");
    if (!put_hash(p, &base_style, p->of->style))
        return false;
    put_text(p, "; script-src ");
    return put_hash(p, &base_script, p->of->script);
}

/* ---- data ---------------------------------------------------------------------------------- */

/* Write JSON so that it cannot end the script around it; what is escaped occurs only in its
 * strings. */
static void put_json(page_file *p, const char *json)
{
    const char *from = json;

    for (; *json; json++) {
        bool separator = strncmp(json, "\xe2\x80\xa8", 3) == 0 ||
                         strncmp(json, "\xe2\x80\xa9", 3) == 0; /* U+2028, U+2029 */
        char escaped[8];

        if (!separator && *json != '<' && *json != '>' && *json != '&')
            continue;
        put(p, from, (size_t)(json - from));
        json += separator ? 2 : 0;
        snprintf(escaped, sizeof escaped, separator ? "\\u20%02x" : "\\u%04x",
                 (unsigned)(unsigned char)*json & 0x7fU);
        put_text(p, escaped);
        from = json + 1;
    }
    put(p, from, (size_t)(json - from));
}

bool page_add(page_file *p, const char *id, json_object *data)
{
    const char *json = data ? json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN) : NULL;

    if (json) {
        put_text(p, "<script type=\"application/json\" id=\"");
        put_text(p, id);
        put_text(p, "\">");
        put_json(p, json);
        put_text(p, "</script>\n");
    } else {
        complain("cannot make the page, for lack of memory");
    }
    json_object_put(data);
    return json != NULL;
}

/* ---- the page ------------------------------------------------------------------------------ */

/* Write the HTML from *rest up to a marker, and go on behind it. */
static void put_until(page_file *p, const char *marker)
{
    const char *place = strstr(p->rest, marker);

    put(p, p->rest, (size_t)(place - p->rest));
    p->rest = place + strlen(marker);
}

bool page_begin(page_file *p, const char *path, const page_source *of)
{
    memset(p, 0, sizeof *p);
    if (!output_begin(&p->out, path))
        return false;
    p->of = of;
    p->rest = (const char *)of->html.bytes;
    put_until(p, "@POLICY@");
    if (!put_policy(p)) {
        output_end(&p->out, false);
        return false;
    }
    put_until(p, "@STYLE@");
    put_texts(p, &base_style, of->style);
    put_until(p, "@DATA@");
    return true;
}

bool page_end(page_file *p, bool keep)
{
    put_until(p, "@SCRIPT@");
    put_texts(p, &base_script, p->of->script);
    put_text(p, p->rest);
    return output_end(&p->out, keep);
}

bool page_write(const char *path, const page_source *of, json_object *data)
{
    page_file p;
    bool ok;

    if (!page_begin(&p, path, of)) {
        json_object_put(data);
        return false;
    }
    ok = page_add(&p, "data", data);
    return page_end(&p, ok) && ok;
}
