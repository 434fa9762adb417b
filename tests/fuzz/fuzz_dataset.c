/* fuzz_dataset.c - any bytes as what describes a data set of kldve evaluate: a list, annotations as
 * COCO or PASCAL VOC have them, the table of --classes, a mask.  The first byte says which, the
 * second has options. */
#include <stdlib.h>
#include <string.h>

#include "evaluate/dataset.h"
#include "scratch.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

enum { QUESTIONS = 4 /**< that are loaded */ };

static char said[MESSAGE_SIZE];

/* Pictures that annotations can name, a list and a mask for those that are about another file. */
static void make_files(kldve_ctx *ctx)
{
    static const char good[] = "path,label,x0,y0,x1,y1\na.png,cat,1,2,8,9\nb.png,dog,0,0,4,4\n";
    static bool made;
    uint8_t pixel[16 * 16 * 3];
    kldve_pixels pixels = kldve_pixels_of(KLDVE_PIXEL_RGB, 16, 16, pixel, 0);
    kldve_image *image = NULL;

    if (made)
        return;
    made = true;
    for (size_t i = 0; i < sizeof pixel; i++)
        pixel[i] = (uint8_t)(i % 7 < 3 ? 0 : i);
    watch_that(kldve_image_from_pixels(ctx, &pixels, &image) == KLDVE_OK &&
                   kldve_image_save(ctx, image, scratch_path("a.png"), 0) == KLDVE_OK &&
                   kldve_image_save(ctx, image, scratch_path("b.png"), 0) == KLDVE_OK,
               "pictures cannot be written");
    kldve_image_free(image);
    scratch_subfolder("masks");
    (void)scratch_file("good.csv", good, sizeof good - 1);
}

static void load(const dataset *d, kldve_ctx *ctx)
{
    const dataset_view view = {.width = 16, .height = 16, .part = 0.875};

    for (int32_t i = 0; i < d->questions && i < QUESTIONS; i++) {
        dataset_picture p;
        char why[LABEL_SIZE] = "";
        bool ok;

        memset(&p, 0, sizeof p);
        watch_text(d->question[i].key);
        ok = dataset_load(d, i, ctx, &view, &p, why);
        watch_that(ok == (p.image != NULL) && ok == !*why, "a picture, or why there is none");
        watch_text(why);
        for (int32_t b = 0; b < p.boxes; b++)
            watch_that(p.box[b][0] >= 0 && p.box[b][2] <= kldve_image_width(p.image) &&
                           p.box[b][1] >= 0 && p.box[b][3] <= kldve_image_height(p.image),
                       "a box that leaves its picture");
        dataset_picture_free(&p);
    }
}

static void match(const dataset *d, kldve_ctx *ctx)
{
    network n = {.ctx = ctx, .name = "NET"};
    dataset_targets t = {.first = NULL};
    bool ok;

    n.shape.classes = 3;
    watch_that(kldve_labels_parse(ctx, "cat\ndog\ntench\n", 14, &n.labels) == KLDVE_OK, "labels");
    *said = '\0';
    ok = dataset_match(d, &n, &t);
    watch_that(ok || *said, "a failure says why");
    for (int32_t i = 0; ok && i < t.first[d->labels]; i++)
        watch_that(t.target[i] >= 0 && t.target[i] < 3, "a class that does not exist");
    watch_text(t.names);
    dataset_targets_free(&t);
    kldve_labels_free(n.labels);
}

static dataset_args args_of(const uint8_t *bytes, size_t nbytes)
{
    static const char *const names[] = {"set.tsv", "set.csv", "set.json", "set.xml"};
    enum { CLASSES = 4, MASK = 5, KINDS = 6 };
    dataset_args args;
    unsigned which = bytes[0] % KINDS;
    const uint8_t *text = bytes + 2;

    memset(&args, 0, sizeof args);
    if (which < CLASSES) {
        args.path = scratch_file(names[which], text, nbytes - 2);
    } else if (which == CLASSES) {
        args.path = scratch_path("good.csv");
        args.classes = scratch_file("classes.tsv", text, nbytes - 2);
    } else {
        static const char list[] = "path,mask\na.png,masks/a.png\n";

        args.path = scratch_file("masked.csv", list, sizeof list - 1);
        (void)scratch_file("masks/a.png", text, nbytes - 2);
    }
    args.kind = which == 3 ? DATASET_VOC : 0;
    args.pictures = bytes[1] & 1 ? scratch_folder() : NULL;
    args.masks = bytes[1] & 2 ? scratch_path("masks") : NULL;
    args.truth = bytes[1] / 4 % 3;
    args.turned = bytes[1] / 16 % 3;
    args.mosaic = bytes[1] & 128 ? 2 : 0;
    return args;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    kldve_ctx *ctx;
    dataset_args args;
    dataset d;

    if (nbytes < 2)
        return 0;
    ctx = watch_open();
    make_files(ctx);
    memset(&d, 0, sizeof d);
    complain_into(said, sizeof said);
    args = args_of(bytes, nbytes);
    if (dataset_check_args("evaluate", &args) == EXIT_DONE) {
        bool ok = dataset_open(&d, &args);

        watch_that(ok || *said, "a failure says why");
        watch_text(said);
        for (int32_t i = 0; ok && i < d.notes; i++)
            watch_text(d.note[i]);
        if (ok) {
            load(&d, ctx);
            match(&d, ctx);
        }
        dataset_close(&d);
    }
    watch_close(ctx);
    return 0;
}
