/* content.c - what a file is that is not what it was taken for, by its content rather than its
 * name.
 *
 * Formats are told by their first bytes, as file(1) does.  Three kinds of networks begin as ONNX
 * does, with a small number in field 1 and a text or a message in field 2 (protobuf): the number of
 * a SavedModel is 1, and what follows in a Core ML model is no text. */
#include "content.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 4096 /* bytes of a file that are looked at */ };

typedef struct head {
    const char *path;
    unsigned char byte[HEAD + 1]; /* with a NUL */
    size_t nbytes;
    bool folder;
} head;

/* What is said of a kind of file, as a noun, and what makes a network or a picture of it; NULL:
 * nothing is known. */
typedef struct file_kind {
    const char *what, *network, *picture;
} file_kind;

/* ---- parts of a file ---------------------------------------------------------------------- */

static bool has_at(const head *h, size_t at, const char *bytes, size_t n)
{
    return at + n <= h->nbytes && memcmp(h->byte + at, bytes, n) == 0;
}

/* A literal, whose length counts NULs within. */
#define BEGINS(h, literal) has_at((h), 0, (literal), sizeof(literal) - 1)
#define HAS_AT(h, at, literal) has_at((h), (at), (literal), sizeof(literal) - 1)

static bool holds(const head *h, const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i + n <= h->nbytes; i++)
        if (memcmp(h->byte + i, text, n) == 0)
            return true;
    return false;
}

/* Behind blanks and a byte order mark. */
static bool text_begins(const head *h, const char *text)
{
    size_t at = HAS_AT(h, 0, "\xef\xbb\xbf") ? 3 : 0;

    while (at < h->nbytes && isspace(h->byte[at]))
        at++;
    for (size_t i = 0; text[i]; i++, at++)
        if (at >= h->nbytes || tolower(h->byte[at]) != text[i])
            return false;
    return true;
}

static bool is_text(const head *h)
{
    for (size_t i = 0; i < h->nbytes; i++)
        if (h->byte[i] < 0x20 && !isspace(h->byte[i]))
            return false;
    return h->nbytes > 0;
}

static bool ends(const head *h, const char *one, const char *other)
{
    const char *const endings[] = {one, other, NULL};

    return path_has_ending(h->path, endings);
}

/* ---- networks ----------------------------------------------------------------------------- */

#define FROM_PYTORCH                                                                               \
    "load the model in Python and write the network with torch.onnx.export(model, example, "       \
    "'net.onnx')"
#define FROM_TENSORFLOW "convert it with `python3 -m tf2onnx.convert"

/* Of protobuf messages that begin with a number in field 1 and bytes in field 2. */
typedef enum proto { PROTO_NONE, PROTO_ONNX, PROTO_SAVED_MODEL, PROTO_CORE_ML } proto;

static proto proto_of(const head *h)
{
    const unsigned char *b = h->byte;
    size_t text = h->nbytes > 3 ? b[3] : 0;

    if (h->nbytes < 4 || b[0] != 0x08 || b[1] == 0 || b[1] > 0x7f)
        return PROTO_NONE;
    if (b[2] == 0x3a || b[2] == 0x42 || b[2] == 0x1a || b[2] == 0x2a) /* graph, opset, ... */
        return PROTO_ONNX;
    if (b[2] != 0x12)
        return PROTO_NONE;
    for (size_t i = 0; i < text && 4 + i < h->nbytes; i++)
        if (b[4 + i] < 0x20)
            return b[1] == 1 ? PROTO_SAVED_MODEL : PROTO_CORE_ML;
    return PROTO_ONNX;
}

static bool is_safetensors(const head *h)
{
    return h->nbytes > 16 && h->byte[8] == '{' && h->byte[5] == 0 && h->byte[6] == 0 &&
           h->byte[7] == 0 && (holds(h, "\"dtype\"") || holds(h, "\"__metadata__\""));
}

/* The first member of a ZIP says who wrote it. */
static const file_kind *zip_kind(const head *h)
{
    static const file_kind keras = {"a Keras model",
                                    FROM_TENSORFLOW " --keras FILE --output net.onnx`", NULL},
                           torch = {"a PyTorch file", FROM_PYTORCH, NULL},
                           arrays = {"an archive of NumPy arrays (.npz)", NULL,
                                     "save one of them with numpy.save()"},
                           zip = {"a ZIP archive", "unpack it first", "unpack it first"};

    if (holds(h, "metadata.json") || holds(h, "model.weights.h5"))
        return &keras;
    if (holds(h, "data.pkl") || holds(h, "/version") || ends(h, ".pt", ".pth"))
        return &torch;
    return holds(h, ".npy") ? &arrays : &zip;
}

static const file_kind *network_kind(const head *h)
{
    static const file_kind
        torch = {"a PyTorch file", FROM_PYTORCH, NULL},
        pickle = {"a Python pickle",
                  "load it in Python and export it: torch.onnx.export() or "
                  "skl2onnx.to_onnx()",
                  NULL},
        keras = {"a Keras model (HDF5)", FROM_TENSORFLOW " --keras FILE --output net.onnx`", NULL},
        lite = {"a TensorFlow Lite model", FROM_TENSORFLOW " --tflite FILE --output net.onnx`",
                NULL},
        saved = {"a TensorFlow SavedModel",
                 FROM_TENSORFLOW " --saved-model FOLDER --output net.onnx`", NULL},
        graph = {"a TensorFlow graph",
                 FROM_TENSORFLOW " --graphdef FILE --inputs ... --outputs ... --output net.onnx`",
                 NULL},
        weights = {"a file of weights alone (safetensors)",
                   "load them into their model in Python and write it with "
                   "torch.onnx.export(model, example, 'net.onnx')",
                   NULL},
        core_ml = {"a Core ML model", "export the model that it was made of", NULL},
        gguf = {"a GGUF language model", "it is no network of pictures", NULL},
        caffe = {"a Caffe model", "convert it to ONNX first", NULL},
        vino = {"an OpenVINO model", "export the model that it was made of", NULL},
        onnx = {"an ONNX network", NULL, "a network goes by its name in .onnx or behind --model"};

    if (BEGINS(h, "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."))
        return &torch;
    if (h->nbytes > 2 && h->byte[0] == 0x80 && h->byte[1] >= 2 && h->byte[1] <= 5)
        return ends(h, ".pt", ".pth") ? &torch : &pickle;
    if (BEGINS(h, "\x89HDF\r\n\x1a\n"))
        return &keras;
    if (HAS_AT(h, 4, "TFL3"))
        return &lite;
    if (is_safetensors(h))
        return &weights;
    if (BEGINS(h, "GGUF"))
        return &gguf;
    if (text_begins(h, "<?xml") && holds(h, "<net "))
        return &vino;
    if (ends(h, ".caffemodel", ".prototxt"))
        return &caffe;
    if (proto_of(h) == PROTO_CORE_ML || (proto_of(h) != PROTO_NONE && ends(h, ".mlmodel", NULL)))
        return &core_ml;
    if (proto_of(h) == PROTO_SAVED_MODEL)
        return &saved;
    if (ends(h, ".pb", NULL) && h->nbytes > 0 && h->byte[0] == 0x0a)
        return &graph;
    return proto_of(h) == PROTO_ONNX ? &onnx : NULL;
}

/* ---- pictures ----------------------------------------------------------------------------- */

#define BY_MAGICK "convert it with `magick FILE out.png`"

static const file_kind *picture_kind(const head *h)
{
    static const struct {
        size_t at, n;
        const char *bytes;
        file_kind kind;
    } table[] = {
#define ROW(at, literal, what, cure)                                                               \
    {                                                                                              \
        at, sizeof(literal) - 1, literal,                                                          \
        {                                                                                          \
            what, NULL, cure                                                                       \
        }                                                                                          \
    }
        ROW(0, "\x89PNG\r\n\x1a\n", "a PNG picture", NULL),
        ROW(0, "\xff\xd8\xff", "a JPEG picture", NULL),
        ROW(0, "GIF8", "a GIF picture", BY_MAGICK),
        ROW(8, "WEBP", "a WebP picture", "convert it with `dwebp FILE -o out.png`"),
        ROW(4, "ftypavi", "an AVIF picture", "convert it with `avifdec FILE out.png`"),
        ROW(4, "ftyphe", "a HEIC picture", "convert it with `heif-convert FILE out.png`"),
        ROW(4, "ftypmif1", "a HEIF picture", "convert it with `heif-convert FILE out.png`"),
        ROW(4, "ftypmsf1", "a HEIF picture", "convert it with `heif-convert FILE out.png`"),
        ROW(4, "ftyp", "a film (MP4 or MOV)", "take its frames with `ffmpeg -i FILE %04d.png`"),
        ROW(0, "\x1a\x45\xdf\xa3", "a film (WebM or Matroska)",
            "take its frames with `ffmpeg -i FILE %04d.png`"),
        ROW(8, "AVI ", "a film (AVI)", "take its frames with `ffmpeg -i FILE %04d.png`"),
        ROW(0, "II*\0", "a TIFF picture", BY_MAGICK),
        ROW(0, "MM\0*", "a TIFF picture", BY_MAGICK),
        ROW(0, "BM", "a BMP picture", BY_MAGICK),
        ROW(0, "8BPS", "a Photoshop picture", BY_MAGICK),
        ROW(0, "\0\0\1\0", "an icon (ICO)", BY_MAGICK),
        ROW(0, "\0\0\0\x0cJXL ", "a JPEG XL picture", "convert it with `djxl FILE out.png`"),
        ROW(0, "\xff\x0a", "a JPEG XL picture", "convert it with `djxl FILE out.png`"),
        ROW(0, "\0\0\0\x0cjP  ", "a JPEG 2000 picture", BY_MAGICK),
        ROW(0, "\x76\x2f\x31\x01", "an OpenEXR picture", BY_MAGICK),
        ROW(0, "P5\n", "a PGM picture", BY_MAGICK),
        ROW(0, "P6\n", "a PPM picture", BY_MAGICK),
        ROW(128, "DICM", "a DICOM picture", "convert it with `dcm2img FILE out.png`"),
        ROW(0, "%PDF", "a PDF document", "draw its pages with `pdftoppm -png FILE out`"),
        ROW(0, "\x93NUMPY", "a NumPy array", "give it a name that ends in .npy"),
#undef ROW
    };
    static const file_kind svg = {"an SVG drawing", NULL,
                                  "convert it with `rsvg-convert FILE -o out.png`"};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (has_at(h, table[i].at, table[i].bytes, table[i].n))
            return &table[i].kind;
    return text_begins(h, "<svg") || (text_begins(h, "<?xml") && holds(h, "<svg")) ? &svg : NULL;
}

/* ---- all ---------------------------------------------------------------------------------- */

static const file_kind *common_kind(const head *h)
{
    static const char lfs_cure[] = "fetch the file itself with `git lfs pull`",
                      page_cure[] = "the download went wrong: fetch it again",
                      unpack[] = "unpack it first";
    static const file_kind folder = {"a folder", "give the .onnx file in it", NULL},
                           empty = {"an empty file", "fetch or export it again",
                                    "fetch or write it again"},
                           lfs = {"a pointer of Git LFS", lfs_cure, lfs_cure},
                           page = {"a web page", page_cure, page_cure},
                           packed = {"a compressed file", unpack, unpack},
                           text = {"a text file", "give a network that was exported to ONNX",
                                   "give a picture, PNG or JPEG"};

    if (h->folder)
        return &folder;
    if (h->nbytes == 0)
        return &empty;
    if (BEGINS(h, "version https://git-lfs"))
        return &lfs;
    if (text_begins(h, "<!doctype html") || text_begins(h, "<html"))
        return &page;
    if (BEGINS(h, "\x1f\x8b") || BEGINS(h, "7z\xbc\xaf") ||
        BEGINS(h, "\xfd"
                  "7zXZ") ||
        BEGINS(h, "\x28\xb5\x2f\xfd") || BEGINS(h, "BZh") || HAS_AT(h, 257, "ustar"))
        return &packed;
    return is_text(h) ? &text : NULL;
}

static const file_kind *kind_of(const head *h)
{
    const file_kind *kind = h->folder || h->nbytes == 0 ? common_kind(h) : NULL;

    if (!kind && BEGINS(h, "PK\3\4"))
        kind = zip_kind(h);
    if (!kind)
        kind = network_kind(h);
    if (!kind)
        kind = picture_kind(h);
    return kind ? kind : common_kind(h);
}

/* Pipes are not read: what was taken from them is gone.  False: cannot be told. */
static bool read_head(const char *path, head *h)
{
    struct stat st;
    ssize_t n = 0;
    int fd;

    memset(h, 0, sizeof *h);
    h->path = path;
    if (stat(path, &st) != 0)
        return false;
    h->folder = S_ISDIR(st.st_mode);
    if (h->folder || !S_ISREG(st.st_mode))
        return h->folder;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    while (h->nbytes < HEAD && (n = read(fd, h->byte + h->nbytes, HEAD - h->nbytes)) > 0)
        h->nbytes += (size_t)n;
    close(fd);
    return n >= 0;
}

bool content_is_network(const char *path)
{
    static const char *const formats[] = {".pt",         ".pth",    ".pb",          ".h5",
                                          ".keras",      ".tflite", ".safetensors", ".mlmodel",
                                          ".caffemodel", ".pkl",    ".gguf",        NULL};
    static const char *const others[] = {".png",  ".jpg", ".jpeg", ".npy",
                                         ".json", ".csv", ".tsv",  NULL};
    head h;

    if (path_has_ending(path, formats))
        return true;
    return !path_has_ending(path, others) && read_head(path, &h) && proto_of(&h) == PROTO_ONNX;
}

/* Say that a file is something else; false: that is not known, and nothing was said. */
static bool content_is_no_network(const char *path)
{
    const file_kind *kind;
    head h;

    if (!read_head(path, &h) || proto_of(&h) == PROTO_ONNX || !(kind = kind_of(&h)))
        return false;
    complain("%s: this is %s, not an ONNX network%s%s", path, kind->what, kind->network ? "; " : "",
             kind->network ? kind->network : "");
    return true;
}

static bool is_no_picture(const head *h)
{
    const file_kind *kind = h->folder ? NULL : kind_of(h);

    if (!kind || BEGINS(h, "\x89PNG") || BEGINS(h, "\xff\xd8\xff"))
        return false;
    complain("%s: this is %s, and pictures are PNG or JPEG%s%s", h->path, kind->what,
             kind->picture ? "; " : "", kind->picture ? kind->picture : "");
    return true;
}

bool content_says_no_picture(const char *name, const void *bytes, size_t nbytes)
{
    head h = {.path = name, .nbytes = nbytes < HEAD ? nbytes : HEAD};

    memcpy(h.byte, bytes, h.nbytes);
    return is_no_picture(&h);
}

/* The same of a picture. */
static bool content_is_no_picture(const char *path)
{
    head h;

    return read_head(path, &h) && is_no_picture(&h);
}

/* Whether a failure is about what is in the file. */
static bool is_of_content(kldve_status status)
{
    return status == KLDVE_E_FORMAT || status == KLDVE_E_UNSUPPORTED || status == KLDVE_E_IO;
}

void complain_picture(const kldve_ctx *ctx, const char *path, kldve_status status)
{
    if (!is_of_content(status) || !content_is_no_picture(path))
        complain_ctx(ctx, path, status);
}

void complain_network(const kldve_ctx *ctx, const char *path, kldve_status status)
{
    if (!is_of_content(status) || !content_is_no_network(path))
        complain_ctx(ctx, path, status);
}
