/* dataset_voc.h - what an XML file of PASCAL VOC says. */
#ifndef KLDVE_TOOLS_DATASET_VOC_H
#define KLDVE_TOOLS_DATASET_VOC_H

#include "cli/tool.h"

typedef struct dataset_voc_object {
    char name[LABEL_SIZE];
    double edge[4]; /**< xmin, ymin, xmax, ymax as the file has them; NaN: it has not */
} dataset_voc_object;

typedef struct dataset_voc_file {
    char filename[LABEL_SIZE]; /**< "": none */
    int32_t width, height;     /**< 0: none */
    int32_t objects;
    dataset_voc_object *object; /**< to free() */
} dataset_voc_file;

/** Whether this build reads XML. */
bool dataset_voc_available(void);

/** Read a file of at most so many bytes.  False: `why` says it in one line; free out->object in
 *  either case. */
bool dataset_voc_read(const char *path, int64_t most, dataset_voc_file *out, char why[LABEL_SIZE]);

#endif
