/* dataset_list.c - a table of pictures with a header: paths, labels, boxes, masks.
 *
 * Several rows about one picture with one label are one question, and so are several boxes in one
 * cell. */
#include "dataset_parts.h"

#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The columns of a list; -1: it has none of this kind. */
typedef struct columns {
    int32_t path, label, boxes, mask, width, height;
    int32_t edge[4]; /* x0, y0, x1, y1 */
    bool sizes;      /* the last two are width and height of the box */
} columns;

typedef struct list {
    dataset *d;
    columns column;
    const char *pictures, *masks; /* folders that paths are relative to */
    int32_t header_cells;
    dataset_box_checks boxes;
    dataset_tally lines, numbers;
} list;

/* ---- the header --------------------------------------------------------------------------------
 */

static int32_t find(const rows *r, const char *name)
{
    for (int32_t i = 0; i < r->cells; i++)
        if (strcasecmp(r->cell[i], name) == 0)
            return i;
    return -1;
}

/* The first of several names that a column has. */
static int32_t find_one(const rows *r, const char *const *names)
{
    int32_t found = -1;

    for (int32_t i = 0; names[i] && found < 0; i++)
        found = find(r, names[i]);
    return found;
}

/* "box", "boxes", "boxes x0,y0,x1,y1". */
static int32_t find_boxes(const rows *r)
{
    for (int32_t i = 0; i < r->cells; i++)
        if (strncasecmp(r->cell[i], "box", 3) == 0)
            return i;
    return -1;
}

static void find_edges(const rows *r, columns *c)
{
    static const char *const names[][4] = {
        {"x0", "y0", "x1", "y1"}, {"xmin", "ymin", "xmax", "ymax"}, {"x", "y", "w", "h"}};

    for (int32_t i = 0; i < 3; i++) {
        bool all = true;

        for (int32_t k = 0; k < 4; k++) {
            c->edge[k] = find(r, names[i][k]);
            all = all && c->edge[k] >= 0;
        }
        c->sizes = i == 2;
        if (all)
            return;
    }
    c->edge[0] = -1;
}

static bool is_used(const columns *c, int32_t i)
{
    return i == c->path || i == c->label || i == c->boxes || i == c->mask || i == c->width ||
           i == c->height ||
           (c->edge[0] >= 0 &&
            (i == c->edge[0] || i == c->edge[1] || i == c->edge[2] || i == c->edge[3]));
}

/* Which column the labels come from, and what nobody looks at. */
static bool note_columns(list *l, const rows *r)
{
    char unused[LABEL_SIZE] = "", name[LABEL_SIZE];

    for (int32_t i = 0; i < r->cells; i++)
        if (!is_used(&l->column, i)) {
            clean_text(r->cell[i], name, sizeof name);
            list_name(unused, sizeof unused, name);
        }
    if (*unused && !dataset_note(l->d, "columns that are not used: %s", unused))
        return false;
    if (l->column.label < 0)
        return true;
    return dataset_note(l->d, "labels are those of the column '%s'", r->cell[l->column.label]);
}

static bool read_header(list *l, rows *r)
{
    static const char *const paths[] = {"path",  "file",    "filename", "file_name",
                                        "image", "picture", NULL};
    static const char *const labels[] = {"label", "synset", "class", "category", "name", NULL};
    const char *column = l->d->args.column;
    int got = rows_next(r);
    columns *c = &l->column;

    if (got < 0)
        return false;
    if (got > 0) {
        l->header_cells = r->cells;
        c->path = find_one(r, paths);
        c->label = column ? find(r, column) : find_one(r, labels);
        c->boxes = find_boxes(r);
        c->mask = find(r, "mask");
        c->width = find(r, "width");
        c->height = find(r, "height");
        find_edges(r, c);
    }
    if (got == 0 || c->path < 0)
        complain("%s: the first line of a list names its columns, one of them 'path'; see 'kldve "
                 "help evaluate'",
                 r->path);
    else if (column && c->label < 0)
        complain("%s: has no column '%s'", r->path, column);
    else
        return note_columns(l, r);
    return false;
}

/* ---- the rows ----------------------------------------------------------------------------------
 */

static void tally_line(dataset_tally *t, const rows *r)
{
    char text[32];

    snprintf(text, sizeof text, "line %d", (int)r->line);
    dataset_tally_add(t, text);
}

/* A side of the picture; 0: the row does not say it. */
static int32_t side(const rows *r, int32_t column)
{
    double value;

    return column >= 0 && dataset_number(r->cell[column], &value) && value >= 1 && value <= 65535
               ? (int32_t)value
               : 0;
}

static bool add_box(list *l, int32_t photo, const char *label, const double edge[4])
{
    dataset_piece box = {.kind = DATASET_BOX};

    memcpy(box.at.edge, edge, sizeof box.at.edge);
    if (!dataset_box_is_good(&l->boxes, &l->d->photo[photo], edge))
        return true;
    return dataset_add(l->d, photo, label, &box, NULL);
}

/* "151,59,478,390 10,20,30,40": fours of numbers. */
static bool add_boxes(list *l, const rows *r, int32_t photo, const char *label)
{
    char *at = r->cell[l->column.boxes], *end;
    double edge[4];
    int32_t count = 0;

    for (at += strspn(at, " ,;"); *at; at = end + strspn(end, " ,;")) {
        edge[count++ % 4] = strtod(at, &end);
        if (end == at)
            break;
        if (count % 4 == 0 && !add_box(l, photo, label, edge))
            return false;
    }
    if (*at || count % 4 != 0)
        tally_line(&l->numbers, r);
    return true;
}

/* Columns of their own; all of them empty: no box. */
static bool add_edges(list *l, const rows *r, int32_t photo, const char *label)
{
    const columns *c = &l->column;
    double edge[4];
    bool empty = true, good = true;

    for (int32_t i = 0; i < 4; i++) {
        empty = empty && *r->cell[c->edge[i]] == '\0';
        good = good && dataset_number(r->cell[c->edge[i]], &edge[i]);
    }
    if (!good && !empty)
        tally_line(&l->numbers, r);
    if (!good)
        return true;
    if (c->sizes) {
        edge[2] += edge[0];
        edge[3] += edge[1];
    }
    return add_box(l, photo, label, edge);
}

static bool add_mask(list *l, const rows *r, int32_t photo, const char *label)
{
    dataset_piece mask = {.kind = DATASET_MASK, .colour = -1};
    const char *name = r->cell[l->column.mask];

    if (*name == '\0')
        return true;
    mask.at.mask = dataset_join(l->d, l->masks, name);
    return mask.at.mask && dataset_add(l->d, photo, label, NULL, &mask);
}

static bool add_row(list *l, const rows *r)
{
    const columns *c = &l->column;
    dataset *d = l->d;
    const char *name, *label = "";
    dataset_photo photo;
    int32_t number;
    bool masked; /* then the boxes do not count */

    if (r->cells != l->header_cells || *r->cell[c->path] == '\0') {
        tally_line(&l->lines, r);
        return true;
    }
    name = r->cell[c->path];
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    photo = (dataset_photo){.path = dataset_join(d, l->pictures, name),
                            .key = dataset_key(d, name),
                            .width = side(r, c->width),
                            .height = side(r, c->height)};
    if (c->label >= 0)
        label = dataset_label(d, r->cell[c->label], strlen(r->cell[c->label]));
    if (!photo.path || !photo.key || !label)
        return false;
    number = dataset_add_photo(d, &photo);
    masked = c->mask >= 0 && *r->cell[c->mask] && d->args.truth != DATASET_TRUTH_BOXES;
    return number >= 0 && dataset_add(d, number, label, NULL, NULL) &&
           (c->mask < 0 || add_mask(l, r, number, label)) &&
           (masked || c->boxes < 0 || add_boxes(l, r, number, label)) &&
           (masked || c->edge[0] < 0 || add_edges(l, r, number, label));
}

static bool note(const list *l)
{
    return dataset_tally_note(l->d, &l->lines,
                              "line has another number of cells than the first, or no path",
                              "lines have another number of cells than the first, or no path") &&
           dataset_tally_note(l->d, &l->numbers, "line has a box that is not four numbers",
                              "lines have boxes that are not four numbers") &&
           dataset_box_note(l->d, &l->boxes);
}

bool dataset_open_list(dataset *d)
{
    list l = {.d = d};
    const char *own = dataset_folder_of(d, d->name);
    rows r;
    int got = -1;

    l.pictures = d->args.pictures ? d->args.pictures : own;
    l.masks = d->args.masks ? d->args.masks : own;
    if (own && rows_open(&r, d->name) && read_header(&l, &r))
        do
            got = rows_next(&r);
        while (got > 0 && add_row(&l, &r));
    if (own)
        rows_close(&r);
    return got == 0 && note(&l);
}
