/* drawing.h - how maps are drawn: the options of all commands that draw. */
#ifndef KLDVE_TOOLS_DRAWING_H
#define KLDVE_TOOLS_DRAWING_H

#include <kldve/kldve.h>

#include "cli/tool.h"

/** What the command line says.  Begin with drawing_defaults(). */
typedef struct drawing {
    int32_t colormap, view, upsampling; /**< 1 + number; 0: not given */
    double opacity, clip, blur;         /**< negative: not given */
    int32_t line, enlarge;              /**< pixels; negative: not given */
} drawing;

/** What a command draws with these options. */
typedef struct drawing_targets {
    bool over;           /**< the heat over a picture */
    bool alone;          /**< the heat alone */
    const char *add;     /**< to get `over`: "add -o FILE" */
    const char *add_any; /**< to get either of them */
} drawing_targets;

/** Options of every command that draws maps.  `member` is the drawing in the struct `type`. */
#define DRAWING_OPTIONS(type, member)                                                              \
    OPTION_CHOICE("view", offsetof(type, member.view), "NAME",                                     \
                  "overlay (default), masked, contours or outline", view_choice),                  \
        OPTION_CHOICE("colormap", offsetof(type, member.colormap), "NAME",                         \
                      "default plasma; diverging for maps with signs", colormap_choice),           \
        OPTION_NUMBER("opacity", offsetof(type, member.opacity), "X",                              \
                      "of the strongest heat over the picture; default 0.75", 0, 1),               \
        OPTION_NUMBER("clip", offsetof(type, member.clip), "PERCENT",                              \
                      "strongest cells beyond the scale; default 2 for maps of pixels, else 0", 0, \
                      99),                                                                         \
        OPTION_NUMBER("blur", offsetof(type, member.blur), "SIGMA",                                \
                      "blur the map, in pixels of the network's input; 0 never", 0, 1000),         \
        OPTION_CHOICE("upsample", offsetof(type, member.upsampling), "NAME",                       \
                      "bicubic (default), bilinear or lanczos", upsampling_choice),                \
        OPTION_INT("line", offsetof(type, member.line), "PIXELS",                                  \
                   "thickness of lines; 0: no frame around what was seen", 0, 1000)

/** Commands whose results have the size of the picture: also how small it may be. */
#define DRAWING_SIZE_OPTION(type, member)                                                          \
    OPTION_INT("enlarge", offsetof(type, member.enlarge), "PIXELS",                                \
               "draw small pictures at least this large; default 256; 0: as they are", 0, 16384)

/** Names, NULL past the last. */
const char *view_choice(int32_t index);
const char *upsampling_choice(int32_t index);

void drawing_defaults(drawing *d);

/** Find options that change nothing.  EXIT_DONE, or EXIT_USAGE after a message. */
int drawing_check(const char *command, const drawing *d, const drawing_targets *targets);

/** Refuse the diverging colours where no method of the list makes a map with signs.
 *  @param sign  A kldve_sign, of --sign; 0: not given.  EXIT_DONE, or EXIT_USAGE after a message.
 */
int drawing_check_sign(const char *command, const drawing *d, const method_use *asked,
                       int32_t count, int32_t sign);

/** For kldve_heatmap_render(). */
void drawing_render_options(const drawing *d, kldve_render_options *o);

/** What the library makes of them (kldve_heatmap_render_defaults()), for a record: the names of
 *  view, colour map and upsampling, opacity, clip in percent and blur in pixels, 0 for none.  NULL:
 *  out of memory. */
struct json_object *drawing_new(const kldve_render_options *o);

#endif
