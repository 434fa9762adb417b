/* show_dataset.c - a data set as JSON lines, for tests: show_dataset DATASET [options]. */
#include "evaluate/dataset.h"

#include <json-c/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct show_args {
    arg_list rest;
    dataset_args set;
    const char *network_labels; /* what the labels of the data set mean to a network with these */
    arg_size size;              /* of mosaics */
    const char *load; /* folder for the pictures and masks that are loaded; NULL: none are */
} show_args;

static const arg_option options[] = {
    OPTION_REST(offsetof(show_args, rest)),
    DATASET_OPTIONS(show_args, set),
    OPTION_STRING("network-labels", offsetof(show_args, network_labels), "FILE", "match them"),
    OPTION_SIZE("size", offsetof(show_args, size), "WxH", "of mosaics", 1, 65535),
    OPTION_STRING("load", offsetof(show_args, load), "FOLDER", "load the questions"),
    OPTION_END,
};

static const arg_command command = {
    .name = "show", .usage = "DATASET", .summary = "", .option = options, .max_rest = 1};

static void print(json_object *line)
{
    puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
    json_object_put(line);
}

static void add_text(json_object *line, const char *key, const char *text)
{
    json_object_object_add(line, key, text ? json_object_new_string(text) : NULL);
}

static json_object *described(const dataset *d, const question *q)
{
    json_object *line = json_object_new_object();
    json_object *photos = json_object_new_array();

    add_text(line, "key", q->key);
    add_text(line, "label", q->label);
    for (int32_t i = 0; i < q->photos; i++)
        json_object_array_add(photos, json_object_new_string(d->photo[q->photo[i]].path));
    json_object_object_add(line, "photos", photos);
    json_object_object_add(line, "pieces", json_object_new_int(q->pieces));
    return line;
}

static void show_truth(const dataset_picture *p, json_object *line)
{
    size_t width = (size_t)kldve_image_width(p->image),
           height = (size_t)kldve_image_height(p->image);
    json_object *boxes = json_object_new_array(), *rows = json_object_new_array();
    char text[65536];

    for (int32_t i = 0; i < p->boxes; i++)
        for (int k = 0; k < 4; k++)
            json_object_array_add(boxes, json_object_new_double(p->box[i][k]));
    json_object_object_add(line, "boxes", boxes);
    for (size_t y = 0; p->mask && y < height; y++) {
        for (size_t x = 0; x < width; x++)
            text[x] = p->mask[y * width + x] ? '#' : '.';
        json_object_array_add(rows, json_object_new_string_len(text, (int)width));
    }
    json_object_object_add(line, "mask", rows);
}

/* A mosaic and the photograph that it is asked for as FOLDER/NUMBER.png and NUMBER-alone.png. */
static void save(const dataset *d, int32_t number, kldve_ctx *ctx, const dataset_view *view,
                 const char *folder, const kldve_image *mosaic)
{
    kldve_image *alone = NULL;
    char path[4096], why[LABEL_SIZE];

    snprintf(path, sizeof path, "%s/%d.png", folder, (int)number);
    if (kldve_image_save(ctx, mosaic, path, 0) != KLDVE_OK)
        complain("%s", kldve_ctx_message(ctx));
    snprintf(path, sizeof path, "%s/%d-alone.png", folder, (int)number);
    if (!dataset_load_tile(d, number, d->question[number].tile, ctx, view, &alone, why))
        complain("%s", why);
    else if (kldve_image_save(ctx, alone, path, 0) != KLDVE_OK)
        complain("%s", kldve_ctx_message(ctx));
    kldve_image_free(alone);
}

static void load(const dataset *d, int32_t number, kldve_ctx *ctx, const show_args *args,
                 json_object *line)
{
    dataset_view view = {.width = args->size.width > 0 ? args->size.width : 224,
                         .height = args->size.width > 0 ? args->size.height : 224,
                         .part = 0.875};
    const char *folder = args->load;
    char why[LABEL_SIZE];
    dataset_picture p;

    if (!dataset_load(d, number, ctx, &view, &p, why)) {
        add_text(line, "why", why);
        return;
    }
    show_truth(&p, line);
    if (d->args.mosaic > 0)
        save(d, number, ctx, &view, folder, p.image);
    json_object_object_add(line, "width", json_object_new_int(kldve_image_width(p.image)));
    json_object_object_add(line, "height", json_object_new_int(kldve_image_height(p.image)));
    dataset_picture_free(&p);
}

/* What the labels mean to a network with labels from a file, or to one with that many classes. */
static bool match(const dataset *d, const char *labels, kldve_ctx *ctx)
{
    network n = {.ctx = ctx, .name = "NET"};
    json_object *line = json_object_new_object(), *targets = json_object_new_object();
    dataset_targets t = {.first = NULL};
    bool ok = kldve_labels_load(ctx, labels, &n.labels) == KLDVE_OK;

    n.shape.classes = ok ? kldve_labels_count(n.labels) : atoi(labels);
    ok = dataset_match(d, &n, &t);
    for (int32_t i = 0; ok && i < d->labels; i++) {
        json_object *list = json_object_new_array();

        for (int32_t k = t.first[i]; k < t.first[i + 1]; k++)
            json_object_array_add(list, json_object_new_int(t.target[k]));
        json_object_object_add(targets, d->label[i], list);
    }
    json_object_object_add(line, "targets", targets);
    json_object_object_add(line, "strange", json_object_new_int(t.strange));
    json_object_object_add(line, "strange_questions", json_object_new_int(t.strange_questions));
    add_text(line, "names", t.names);
    json_object_object_add(line, "missing", json_object_new_int(t.missing));
    add_text(line, "missing_names", t.missing_names);
    print(line);
    dataset_targets_free(&t);
    kldve_labels_free(n.labels);
    return ok;
}

static int show(const show_args *args)
{
    dataset d;
    kldve_ctx *ctx = NULL;
    int status = EXIT_FAILED;

    if (dataset_open(&d, &args->set) && kldve_ctx_new(NULL, &ctx) == KLDVE_OK) {
        status = EXIT_DONE;
        for (int32_t i = 0; i < d.notes; i++) {
            json_object *line = json_object_new_object();

            add_text(line, "note", d.note[i]);
            print(line);
        }
        for (int32_t i = 0; i < d.questions; i++) {
            json_object *line = described(&d, &d.question[i]);

            if (args->load)
                load(&d, i, ctx, args, line);
            print(line);
        }
    }
    if (status == EXIT_DONE && args->network_labels && !match(&d, args->network_labels, ctx))
        status = EXIT_FAILED;
    dataset_close(&d);
    kldve_ctx_free(ctx);
    return status;
}

int main(int argc, char **argv)
{
    show_args args;
    int status = EXIT_USAGE;

    memset(&args, 0, sizeof args);
    if (args_parse(&command, argc - 1, argv + 1, &args) == 1) {
        args.set.path = args.rest.text[0];
        status = dataset_check_args("show", &args.set);
    }
    if (status == EXIT_DONE)
        status = show(&args);
    args_free(&command, &args);
    return status;
}
