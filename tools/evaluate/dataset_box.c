/* dataset_box.c - boxes that come from outside. */
#include "dataset_parts.h"

#include <math.h>
#include <stdlib.h>

bool dataset_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    while (*end == ' ')
        end++;
    return end != text && *end == '\0' && isfinite(*out);
}

bool dataset_box_is_good(dataset_box_checks *checks, const dataset_photo *photo,
                         const double edge[4])
{
    double width = photo->width, height = photo->height;
    dataset_tally *wrong = NULL;

    if (!isfinite(edge[0] + edge[1] + edge[2] + edge[3]) || edge[2] <= edge[0] ||
        edge[3] <= edge[1])
        wrong = &checks->bad;
    else if (edge[2] <= 0 || edge[3] <= 0 || (width > 0 && (edge[0] >= width || edge[1] >= height)))
        wrong = &checks->outside;
    if (wrong) {
        dataset_tally_add(wrong, photo->key);
        return false;
    }
    /* A pixel more is how some count their last one. */
    if (edge[0] < -1 || edge[1] < -1 ||
        (width > 0 && (edge[2] > width + 1 || edge[3] > height + 1)))
        dataset_tally_add(&checks->cut, photo->key);
    return true;
}

bool dataset_box_note(dataset *d, const dataset_box_checks *checks)
{
    return dataset_tally_note(d, &checks->bad, "box without an area is left out",
                              "boxes without an area are left out") &&
           dataset_tally_note(d, &checks->outside, "box outside its picture is left out",
                              "boxes outside their pictures are left out") &&
           dataset_tally_note(d, &checks->cut, "box reaches out of its picture and is cut",
                              "boxes reach out of their pictures and are cut");
}
