/* raw_files.h - arrays of float32 in files, one behind the other and nothing else: how the programs
 * that references in Python run exchange numbers with them.
 *
 * What cannot be read or written ends the program with one line and status 2. */
#ifndef KLDVE_TESTS_RAW_FILES_H
#define KLDVE_TESTS_RAW_FILES_H

#include <stddef.h>
#include <stdio.h>

#include <kldve/onnx.h>

/** Open FOLDER/NAME as fopen() does. */
FILE *raw_open(const char *folder, const char *name, const char *mode);
/** FOLDER/NAME, which has exactly `count` values; the caller frees them. */
float *raw_read(const char *folder, const char *name, size_t count);
/** Append to an open file. */
void raw_append(FILE *file, const float *values, size_t count);
void raw_write(const char *folder, const char *name, const float *values, size_t count);
/** Room for `count` values; the caller frees it. */
float *raw_room(size_t count);

/** Explain `input` as a program with an explainer does it: FOLDER/METHOD gets the map for the class
 *  of the largest cotangent [classes]. */
kldve_status raw_explain(kldve_ctx *ctx, const kldve_onnx *net, const float *input,
                         const char *method, const float *cotangent, int32_t classes,
                         const char *folder);

#endif
