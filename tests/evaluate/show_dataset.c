/* show_dataset.c - a data set as JSON lines, for tests: show_dataset DATASET [options]. */
#include "evaluate/dataset.h"

#include <json-c/json.h>

#include <stdio.h>
#include <string.h>

typedef struct show_args {
    dataset_args set;
    const char *load; /* folder for the pictures and masks that are loaded; NULL: none are */
} show_args;

static const arg_option options[] = {
    DATASET_OPTIONS(show_args, set),
    OPTION_STRING("load", offsetof(show_args, load), "FOLDER", "load the questions"),
    OPTION_END,
};

static const arg_command command = {
    .name = "show", .usage = "DATASET", .summary = "", .option = options, .max_positional = 1};

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
    json_object_object_add(line, "truth", json_object_new_int(q->truth));
    return line;
}

static void load(const dataset *d, int32_t number, kldve_ctx *ctx, json_object *line)
{
    dataset_view view = {.width = 224, .height = 224, .part = 0.875};
    char why[LABEL_SIZE];
    dataset_picture p;

    if (!dataset_load(d, number, ctx, &view, &p, why)) {
        add_text(line, "why", why);
        return;
    }
    json_object_object_add(line, "width", json_object_new_int(kldve_image_width(p.image)));
    json_object_object_add(line, "height", json_object_new_int(kldve_image_height(p.image)));
    dataset_picture_free(&p);
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
                load(&d, i, ctx, line);
            print(line);
        }
    }
    dataset_close(&d);
    kldve_ctx_free(ctx);
    return status;
}

int main(int argc, char **argv)
{
    show_args args;
    const char *path[1];

    memset(&args, 0, sizeof args);
    if (args_parse(&command, argc - 1, argv + 1, &args, path) != 1)
        return EXIT_USAGE;
    args.set.path = path[0];
    return show(&args);
}
