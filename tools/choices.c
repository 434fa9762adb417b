/* choices.c - names that options choose among. */
#include "tool.h"

#define COUNT(names) ((int32_t)(sizeof(names) / sizeof *(names)))

const char *channels_choice(int32_t index)
{
    static const char *const names[] = {"RGB", "BGR", "GRAY"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}

const char *method_choice(int32_t index)
{
    return kldve_method_name(index);
}

const char *reading_choice(int32_t index)
{
    return kldve_reading_name(index + 1); /* 0 is "default" */
}

/* In the order of kldve_colormap, whose 0 is "default". */
const char *colormap_choice(int32_t index)
{
    static const char *const names[] = {"viridis", "inferno", "turbo", "jet", "grey", "diverging"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}
