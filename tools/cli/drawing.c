/* drawing.c - how maps are drawn. */
#include "drawing.h"

#include <string.h>

#include "json.h"
#include "tool.h"

enum { VIEWS = 4, UPSAMPLINGS = 3 };

/* In the order of kldve_map_view, whose 0 is "default". */
const char *view_choice(int32_t index)
{
    static const char *const names[VIEWS] = {"overlay", "masked", "contours", "outline"};

    return index >= 0 && index < VIEWS ? names[index] : NULL;
}

/* In the order of kldve_upsampling, whose 0 is "default". */
const char *upsampling_choice(int32_t index)
{
    static const char *const names[UPSAMPLINGS] = {"bilinear", "bicubic", "lanczos"};

    return index >= 0 && index < UPSAMPLINGS ? names[index] : NULL;
}

void drawing_defaults(drawing *d)
{
    *d = (drawing){.opacity = -1, .clip = -1, .blur = -1, .line = -1, .enlarge = -1};
}

/* One option, and what of it would be seen. */
typedef struct use {
    const char *name;
    bool given;
    bool over, alone; /* read by the view that was chosen, read by the heat alone */
} use;

int drawing_check(const char *command, const drawing *d, const drawing_targets *targets)
{
    const bool overlay = d->view <= KLDVE_VIEW_OVERLAY, contours = d->view == KLDVE_VIEW_CONTOURS;
    const use uses[] = {
        {"view", d->view > 0, true, false},
        {"opacity", d->opacity >= 0, overlay, false},
        {"line", d->line >= 0, true, false},
        {"colormap", d->colormap > 0, overlay || contours, true},
        {"clip", d->clip >= 0, overlay || contours, true},
        {"blur", d->blur >= 0, true, true},
        {"upsample", d->upsampling > 0, true, true},
        {"enlarge", d->enlarge >= 0, true, true},
    };

    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        const use *u = &uses[i];

        if (!u->given || (u->over && targets->over) || (u->alone && targets->alone))
            continue;
        if (u->over && u->alone)
            return args_usage(command, "--%s changes nothing: no picture is written; %s", u->name,
                              targets->add_any);
        if (u->over)
            return args_usage(command,
                              "--%s changes nothing: no heat is drawn over the picture; %s",
                              u->name, targets->add);
        return args_usage(command, "--%s changes nothing: it is not for --view %s", u->name,
                          view_choice(d->view - 1));
    }
    return EXIT_DONE;
}

/* What was given as 0 is meant, and the library's 0 is its default. */
static float given(double value)
{
    return value > 0 ? (float)value : value < 0 ? 0 : -1;
}

void drawing_render_options(const drawing *d, kldve_render_options *o)
{
    memset(o, 0, sizeof *o);
    o->struct_size = sizeof *o;
    o->colormap = d->colormap;
    o->view = d->view;
    o->upsampling = d->upsampling;
    o->opacity = given(d->opacity);
    o->clip = given(d->clip);
    o->blur = given(d->blur);
    o->line = (int32_t)given(d->line);
    o->side = (int32_t)given(d->enlarge);
}

json_object *drawing_new(const kldve_render_options *o)
{
    const bool heat = o->view == KLDVE_VIEW_OVERLAY, scale = heat || o->view == KLDVE_VIEW_CONTOURS;
    json_object *object = json_object_new_object();

    if (object && json_put_text(object, "view", view_choice(o->view - 1)) &&
        json_put_text(object, "upsampling", upsampling_choice(o->upsampling - 1)) &&
        json_put_number(object, "blur", o->blur > 0 ? (double)o->blur : 0, 6) &&
        (!scale || json_put_text(object, "colormap", colormap_choice(o->colormap - 1))) &&
        (!scale || json_put_number(object, "clip", o->clip > 0 ? (double)o->clip : 0, 6)) &&
        (!heat || json_put_number(object, "opacity", o->opacity > 0 ? (double)o->opacity : 0, 6)))
        return object;
    json_object_put(object);
    return NULL;
}

int drawing_check_sign(const char *command, const drawing *d, const method_use *asked,
                       int32_t count, int32_t sign)
{
    char names[MESSAGE_SIZE / 4] = "";

    if (d->colormap != KLDVE_COLORMAP_DIVERGING)
        return EXIT_DONE;
    for (int32_t i = 0; i < count; i++) {
        if ((sign ? sign : asked[i].method->sign) == KLDVE_SIGN_SIGNED)
            return EXIT_DONE;
        list_name(names, sizeof names, asked[i].method->name);
    }
    return args_usage(command,
                      "--colormap diverging is for maps with signs, and those of %s have none: add "
                      "--sign signed, or leave it out",
                      names);
}
