/* fuzz_external.c - a network in a folder with files for its weights, whose places are any: names,
 * offsets, lengths.  Each byte is a choice.  No file outside of the folder is read, and a pipe
 * holds nobody up. */
#define _XOPEN_SOURCE 700 /* realpath() */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kldve/onnx.h>

#include "onnx/networks/text.h"
#include "read/proto.h"
#include "scratch.h"
#include "watch.h"
#include "wild.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

enum { TEXT = 2048, DATA = 1024 };

static const char *const places[] = {"data",
                                     "data",
                                     "sub/data",
                                     "./data",
                                     "sub/../data",
                                     "../outside",
                                     "link-out",
                                     "link-in",
                                     "folder-out/outside",
                                     "/etc/hosts",
                                     "/dev/zero",
                                     "pipe",
                                     "sub",
                                     "",
                                     "missing",
                                     "net.onnx",
                                     "data%00",
                                     "sub//data",
                                     ".",
                                     "..",
                                     "/dev/stdin"};
static const char *const numbers[] = {"0",          "4",
                                      "432",        "864",
                                      "1",          "-1",
                                      "1023",       "1024",
                                      "1025",       "4096",
                                      "2147483648", "9223372036854775807",
                                      "1.5",        "x",
                                      "",           "0x10",
                                      "16 ",        "18446744073709551615",
                                      "4294967296", "-9223372036854775808"};

static void make_folder(void)
{
    static bool made;
    static unsigned char data[DATA];

    if (made)
        return;
    made = true;
    for (size_t i = 0; i < DATA; i += 4)
        data[i + 3] = 0x3c; /* small floats */
    scratch_subfolder("net");
    scratch_subfolder("net/sub");
    scratch_subfolder("other");
    (void)scratch_file("net/data", data, DATA);
    (void)scratch_file("net/sub/data", data, DATA);
    (void)scratch_file("outside", data, DATA);
    (void)scratch_file("other/outside", data, DATA);
    watch_that(symlink("../outside", scratch_path("net/link-out")) == 0 &&
                   symlink("data", scratch_path("net/link-in")) == 0 &&
                   symlink("../other", scratch_path("net/folder-out")) == 0 &&
                   mkfifo(scratch_path("net/pipe"), 0600) == 0,
               "links cannot be made");
}

static const char *one(choices *c, const char *const *list, size_t n)
{
    return list[choose(c, (unsigned)n)];
}

static void write_tensor(choices *c, char *text, size_t size, const char *name, const char *dims)
{
    size_t n = strlen(text);

    n += (size_t)snprintf(text + n, size - n, "; ext %s %s location=%s", name, dims,
                          one(c, places, sizeof places / sizeof *places));
    if (choose(c, 2))
        n += (size_t)snprintf(text + n, size - n, " offset=%s",
                              one(c, numbers, sizeof numbers / sizeof *numbers));
    if (choose(c, 2))
        n += (size_t)snprintf(text + n, size - n, " length=%s",
                              one(c, numbers, sizeof numbers / sizeof *numbers));
    if (choose(c, 8) == 7)
        snprintf(text + n, size - n, " location=%s",
                 one(c, places, sizeof places / sizeof *places));
}

/* All files of its weights lie in the folder of the network. */
static void look(const kx_model *m)
{
    char real[PATH_MAX];
    const char *file;
    size_t n;

    watch_that(realpath(scratch_path("net"), real) != NULL, "the folder is gone");
    n = strlen(real);
    for (int32_t i = 0; (file = kx_model_external(m, i)); i++)
        watch_that(strncmp(file, real, n) == 0 && file[n] == '/',
                   "a file outside of the folder was read");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    choices c = {bytes, bytes + nbytes};
    char text[TEXT] = "in x 1,3,8,8";
    kldve_ctx *ctx = watch_open();
    kldve_onnx_options options = KLDVE_ONNX_OPTIONS_INIT;
    unsigned char *model;
    kldve_onnx *net = NULL;
    kx_model *m = NULL;
    kldve_status status;
    const char *path;
    size_t n;

    make_folder();
    write_tensor(&c, text, sizeof text, "w", "4,3,3,3");
    write_tensor(&c, text, sizeof text, "b", "4");
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "; n Conv x,w,b z; n GlobalAveragePool z g; n Flatten g y; out y");
    model = writer_memory(write_text, text, &n);
    path = scratch_file("net/net.onnx", model, n);
    free(model);
    status = kx_model_open(ctx, path, false, &m);
    watch_call(ctx, status, m != NULL);
    if (m)
        look(m);
    kx_model_free(m);
    options.threads = 1;
    options.flags = KLDVE_ONNX_FLAG_PLAIN | KLDVE_ONNX_FLAG_NO_VJP;
    status = kldve_onnx_load(ctx, path, &options, &net);
    watch_call(ctx, status, net != NULL);
    kldve_onnx_free(net);
    watch_close(ctx);
    return 0;
}
