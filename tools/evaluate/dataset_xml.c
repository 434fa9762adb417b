/* dataset_xml.c - the XML of PASCAL VOC, read with expat.
 *
 * Nothing that a file says can make it longer: a document type is refused, so there are no entities
 * of its own, and no other file is ever opened. */
#include "dataset_parts.h"
#include "dataset_voc.h"

#include <expat.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 16, CHUNK = 1 << 16, MOST_OBJECTS = 100000 };

typedef struct reader {
    XML_Parser parser;
    dataset_voc_file *file;
    char path[DEEPEST * 32]; /* of the element, "/annotation/object/name" */
    char text[LABEL_SIZE];   /* in the element so far */
    size_t used;
    int depth;
    const char *refused; /* why reading was stopped; NULL: it was not */
} reader;

bool dataset_voc_available(void)
{
    return true;
}

static void refuse(reader *r, const char *why)
{
    if (!r->refused)
        r->refused = why;
    XML_StopParser(r->parser, XML_FALSE);
}

static void new_object(reader *r)
{
    dataset_voc_object *grown = NULL, *o;

    if (r->file->objects < MOST_OBJECTS)
        grown = dataset_grow(r->file->object, r->file->objects, sizeof *grown);
    if (!grown) {
        refuse(r, "too many objects");
        return;
    }
    r->file->object = grown;
    o = &grown[r->file->objects++];
    memset(o, 0, sizeof *o);
    for (int i = 0; i < 4; i++)
        o->edge[i] = NAN;
}

static void XMLCALL begin(void *opaque, const XML_Char *name, const XML_Char **attribute)
{
    reader *r = opaque;
    size_t n = strlen(r->path);

    (void)attribute;
    r->used = 0;
    r->text[0] = '\0';
    if (++r->depth > DEEPEST || strlen(name) > 30) {
        refuse(r, "elements in elements, or with names, that VOC does not have");
        return;
    }
    snprintf(r->path + n, sizeof r->path - n, "/%s", name);
    if (strcmp(r->path, "/annotation/object") == 0)
        new_object(r);
}

static void XMLCALL text(void *opaque, const XML_Char *more, int nbytes)
{
    reader *r = opaque;

    if (r->used + (size_t)nbytes >= sizeof r->text)
        nbytes = (int)(sizeof r->text - 1 - r->used);
    memcpy(r->text + r->used, more, (size_t)nbytes);
    r->used += (size_t)nbytes;
    r->text[r->used] = '\0';
}

static int32_t side(const char *number)
{
    double value;

    return dataset_number(number, &value) && value >= 1 && value <= 65535 ? (int32_t)value : 0;
}

/* Take what was said between the tags of the element. */
static void take(reader *r)
{
    static const char *const edges[] = {"xmin", "ymin", "xmax", "ymax"};
    static const char box[] = "/annotation/object/bndbox/";
    dataset_voc_file *f = r->file;
    dataset_voc_object *o = f->objects > 0 ? &f->object[f->objects - 1] : NULL;

    if (strcmp(r->path, "/annotation/filename") == 0)
        memcpy(f->filename, r->text, sizeof f->filename);
    else if (strcmp(r->path, "/annotation/size/width") == 0)
        f->width = side(r->text);
    else if (strcmp(r->path, "/annotation/size/height") == 0)
        f->height = side(r->text);
    else if (o && strcmp(r->path, "/annotation/object/name") == 0)
        memcpy(o->name, r->text, sizeof o->name);
    for (int i = 0; o && i < 4 && strncmp(r->path, box, sizeof box - 1) == 0; i++)
        if (strcmp(r->path + sizeof box - 1, edges[i]) == 0 &&
            !dataset_number(r->text, &o->edge[i]))
            o->edge[i] = NAN;
}

static void XMLCALL end(void *opaque, const XML_Char *name)
{
    reader *r = opaque;

    (void)name;
    take(r);
    *strrchr(r->path, '/') = '\0';
    r->depth--;
    r->used = 0;
    r->text[0] = '\0';
}

static void XMLCALL doctype(void *opaque, const XML_Char *name, const XML_Char *system,
                            const XML_Char *public, int internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)internal;
    refuse(opaque, "it has a document type, which VOC does not");
}

/* Feed the file to the parser.  NULL, or why not. */
static const char *parse(reader *r, int fd)
{
    ssize_t got;

    do {
        void *buffer = XML_GetBuffer(r->parser, CHUNK);

        if (!buffer)
            return "out of memory";
        got = read(fd, buffer, CHUNK);
        if (got < 0 && errno != EINTR)
            return strerror(errno);
        if (got >= 0 && XML_ParseBuffer(r->parser, (int)got, got == 0) != XML_STATUS_OK)
            return r->refused ? r->refused : XML_ErrorString(XML_GetErrorCode(r->parser));
    } while (got != 0);
    return NULL;
}

static const char *read_open(int fd, dataset_voc_file *out)
{
    reader *r = calloc(1, sizeof *r);
    const char *why = "out of memory";

    if (r && (r->parser = XML_ParserCreate(NULL))) {
        r->file = out;
        XML_SetUserData(r->parser, r);
        XML_SetElementHandler(r->parser, begin, end);
        XML_SetCharacterDataHandler(r->parser, text);
        XML_SetStartDoctypeDeclHandler(r->parser, doctype);
        why = parse(r, fd);
    }
    if (r)
        XML_ParserFree(r->parser);
    free(r);
    return why;
}

bool dataset_voc_read(const char *path, int64_t most, dataset_voc_file *out, char why[LABEL_SIZE])
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe would wait for a writer */
    const char *wrong = NULL;
    struct stat s;

    memset(out, 0, sizeof *out);
    if (fd < 0 || fstat(fd, &s) != 0)
        wrong = strerror(errno);
    else if (!S_ISREG(s.st_mode))
        wrong = "no regular file";
    else if (s.st_size > most)
        wrong = "too large";
    else
        wrong = read_open(fd, out);
    if (fd >= 0)
        close(fd);
    if (wrong)
        clean_text(wrong, why, LABEL_SIZE);
    return wrong == NULL;
}
