/* dataset_xml_none.c - the XML of PASCAL VOC in a build without expat. */
#include "dataset_voc.h"

#include <stdio.h>
#include <string.h>

bool dataset_voc_available(void)
{
    return false;
}

bool dataset_voc_read(const char *path, int64_t most, dataset_voc_file *out, char why[LABEL_SIZE])
{
    (void)path;
    (void)most;
    memset(out, 0, sizeof *out);
    snprintf(why, LABEL_SIZE, "this build reads no XML");
    return false;
}
