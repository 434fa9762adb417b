/* choices.c - names that options choose from. */
#include "tool.h"
#include "getters.h"

#define COUNT(names) ((int32_t)(sizeof(names) / sizeof *(names)))

const char *channels_choice(int32_t index)
{
    static const char *const names[] = {"RGB", "BGR", "GRAY", "GRAYA", "RGBA", "BGRA"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}

const char *fit_choice(int32_t index)
{
    return kldve_fit_name(index);
}

const char *interpolation_choice(int32_t index)
{
    return kldve_interpolation_name(index);
}

const char *method_choice(int32_t index)
{
    const kldve_method *method = method_number(index);

    return method ? method->name : NULL;
}

const char *reading_choice(int32_t index)
{
    return kldve_reading_name(index + 1); /* 0 is "default" */
}

/* In the order of kldve_reading, whose 0 is "default". */
const char *reading_words(int32_t index)
{
    static const char *const words[] = {
        "Algorithm 1 of the paper to the letter: the same map for every class",
        "one weight for each feature map, by back-propagation; hardly depends on the class",
        "why this class: only the part of the gradient that belongs to it",
        "why this class and not others of a similar score",
        "why this class and not its nearest rivals; the default",
    };

    return index >= 0 && index < COUNT(words) ? words[index] : "";
}

int32_t reading_default(bool with_truth)
{
    return with_truth ? KLDVE_READING_CONTRAST : KLDVE_READING_NEIGHBOURS;
}

void list_readings(uint64_t readings, char *list, size_t size)
{
    for (int32_t i = 1; kldve_reading_name(i); i++)
        if (readings >> i & 1)
            list_name(list, size, kldve_reading_name(i));
}

/* In the order of kldve_colormap, whose 0 is "default". */
const char *colormap_choice(int32_t index)
{
    static const char *const names[] = {"viridis", "inferno",   "turbo", "jet",
                                        "grey",    "diverging", "plasma"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}

/* In the order of kldve_scores. */
const char *scores_choice(int32_t index)
{
    static const char *const names[] = {"softmax", "sigmoid", "raw", "number"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}

/* In the order of kldve_sign, whose 0 is "default". */
const char *sign_choice(int32_t index)
{
    static const char *const names[] = {"positive", "signed", "absolute"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}
