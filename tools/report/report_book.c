/* report_book.c - the pages of a report.  It is one file, unless that would be too large for a
 * browser: then REPORT.html is the list of all pictures, and the folder REPORT_pages beside it has
 * the pictures, in pages of their own that need nothing but themselves. */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPLIT_MB = 48, MEGA = 1000000 };

#define TEXT(name)                                                                                 \
    {                                                                                              \
        name, &name##_nbytes                                                                       \
    }

extern const unsigned char report_html[], report_style[], report_maps[], report_words[],
    report_listing[], report_script[];
extern const size_t report_html_nbytes, report_style_nbytes, report_maps_nbytes,
    report_words_nbytes, report_listing_nbytes, report_script_nbytes;

static const page_source source = {
    TEXT(report_html),
    {TEXT(report_style)},
    {TEXT(report_maps), TEXT(report_words), TEXT(report_listing), TEXT(report_script)}};

/* ---- names --------------------------------------------------------------------------------- */

/* "why.html" -> "why_pages", or with a number from 1 on "why_pages/001.html"; free it with free().
 * NULL after a message. */
static char *part_name(const report_book *b, int32_t number)
{
    const char *page = b->args->page;
    size_t stem = (size_t)(strrchr(page, '.') - page), size = stem + 32;
    char *path = malloc(size);

    if (!path)
        complain("out of memory");
    else if (number > 0)
        snprintf(path, size, "%.*s_pages/%03d.html", (int)stem, page, (int)number);
    else
        snprintf(path, size, "%.*s_pages", (int)stem, page);
    return path;
}

/* How the list of all pictures, and each page from the list, is found: by names without folders. */
static bool put_link(json_object *object, const char *key, const char *path, const char *before)
{
    size_t size = strlen(path) + strlen(before) + 1;
    char *link = malloc(size);
    bool ok;

    if (!link)
        return false;
    snprintf(link, size, "%s%s", before, path);
    ok = json_put_text(object, key, link);
    free(link);
    return ok;
}

/* ---- parts --------------------------------------------------------------------------------- */

/* The entries of the pictures first ... next - 1.  NULL: out of memory. */
static json_object *entries_of_part(const report_book *b)
{
    json_object *list = json_object_new_array();

    for (int32_t i = b->first; list && i < b->next; i++)
        if (!json_append(list, json_object_get(json_object_array_get_idx(b->entries, (size_t)i)))) {
            json_object_put(list);
            list = NULL;
        }
    return list;
}

/* Into each entry of the part that is complete: in which page it is. */
static bool mark_part(const report_book *b, const char *page)
{
    bool ok = true;

    for (int32_t i = b->first; ok && i < b->next; i++) {
        json_object *entry = json_object_array_get_idx(b->entries, (size_t)i);
        size_t folder = (size_t)(base_name(b->args->page) - b->args->page);

        ok = json_put_text(entry, "page", page + folder);
    }
    return ok;
}

/* The list of a page: of a part, or of everything. */
static bool add_head(report_book *b, json_object *entries, const char *home)
{
    json_object *head = entries ? report_head(b->g, b->args, b->list, entries) : NULL;

    json_object_put(entries);
    if (head && home &&
        !(put_link(head, "home", base_name(home), "../") &&
          json_put(head, "first", json_object_new_int(b->first)) &&
          json_put(head, "of", json_object_new_int(b->list->pictures)))) {
        json_object_put(head);
        head = NULL;
    }
    return page_add(&b->page, "data", head);
}

/* The page so far becomes the next one of the folder. */
static bool end_part(report_book *b)
{
    char *folder = part_name(b, 0), *path = part_name(b, b->parts + 1);
    bool made = false, ok;

    ok = folder && path && output_folder(folder, &made);
    b->made_folder = b->made_folder || made;
    ok = ok && add_head(b, entries_of_part(b), b->args->page) && mark_part(b, path) &&
         output_rename(&b->page.out, path);
    ok = page_end(&b->page, ok) && ok;
    b->open = false;
    b->parts += ok;
    b->first = b->next;
    free(folder);
    free(path);
    return ok;
}

/* After a failure. */
static void remove_parts(report_book *b)
{
    char *folder = part_name(b, 0);

    for (; b->parts > 0; b->parts--) {
        char *path = part_name(b, b->parts);

        if (path)
            unlink(path);
        free(path);
    }
    if (folder && b->made_folder)
        rmdir(folder);
    free(folder);
}

/* ---- the book ------------------------------------------------------------------------------ */

static bool open_page(report_book *b)
{
    if (!b->open)
        b->open = page_begin(&b->page, b->args->page, &source);
    return b->open;
}

bool report_book_begin(report_book *b, const grid *g, const report_args *args, const report_list *l)
{
    memset(b, 0, sizeof *b);
    b->g = g;
    b->args = args;
    b->list = l;
    b->entries = json_object_new_array();
    if (!b->entries)
        complain("out of memory");
    return b->entries && open_page(b);
}

static bool is_full(const report_book *b)
{
    double most = b->args->split > 0 ? b->args->split : SPLIT_MB;

    return (double)b->page.nbytes > most * MEGA && strcmp(b->args->page, "-") != 0;
}

/* A picture of the page, under its number. */
static bool add_picture(report_book *b)
{
    char id[24];

    snprintf(id, sizeof id, "picture%d", (int)b->next);
    return open_page(b) &&
           page_add(&b->page, id, report_picture_data(b->g, &b->args->draw, b->list->pictures));
}

bool report_book_add(report_book *b, const char *why)
{
    if (b->open && is_full(b) && !end_part(b))
        return false;
    if (!json_append(b->entries, report_entry(b->g, b->list, b->next, why)))
        return false;
    if (!why && !add_picture(b))
        return false;
    b->next++;
    return true;
}

bool report_book_end(report_book *b, bool keep)
{
    bool ok = keep && (b->parts == 0 || !b->open || b->first == b->next || end_part(b)) &&
              open_page(b) && add_head(b, json_object_get(b->entries), NULL);

    if (b->open)
        ok = page_end(&b->page, ok) && ok;
    b->open = false;
    if (!ok && (b->parts > 0 || b->made_folder))
        remove_parts(b);
    json_object_put(b->entries);
    return ok;
}
