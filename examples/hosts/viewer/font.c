#include "font.h"

#include <fontconfig/fontconfig.h>

/* The font that fontconfig takes for the pattern, or NULL. */
static FcPattern *match(int bold)
{
    FcPattern *wanted = FcNameParse((const FcChar8 *)(bold ? "sans-serif:bold" : "sans-serif"));
    FcPattern *found = NULL;
    FcResult result;

    if (wanted && FcConfigSubstitute(NULL, wanted, FcMatchPattern)) {
        FcDefaultSubstitute(wanted);
        found = FcFontMatch(NULL, wanted, &result);
    }
    if (wanted)
        FcPatternDestroy(wanted);
    return found;
}

TTF_Font *font_open(int points, int bold)
{
    FcPattern *found = match(bold);
    FcChar8 *file = NULL;
    int face = 0;
    TTF_Font *font = NULL;

    if (!found || FcPatternGetString(found, FC_FILE, 0, &file) != FcResultMatch) {
        SDL_SetError("no font is installed");
    } else {
        FcPatternGetInteger(found, FC_INDEX, 0, &face);
        font = TTF_OpenFontIndex((const char *)file, points, face & 0xffff);
    }
    if (found)
        FcPatternDestroy(found);
    return font;
}
