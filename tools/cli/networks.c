/* networks.c - a network with its card and its labels, put together from the command line. */
#include "content.h"
#include "tool.h"
#include "cards.h"
#include "getters.h"
#include "nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kldve/method.h>

const char *network_called(const network_args *args)
{
    return args->model ? args->model : "the built-in network";
}

/* ---- loading ------------------------------------------------------------------------------ */

/* A file, or a ready card of that name. */
static bool load_given_card(network *n, const network_args *args)
{
    char hint[NEAREST_HINT];
    ready_card ready;
    kldve_status status;

    if (ready_card_named(args->card, &ready)) {
        status = kldve_card_parse(n->ctx, ready.text, ready.nbytes, NULL, &n->card);
        if (status == KLDVE_OK && !args->quiet)
            complain("%s: the ready card %s; 'kldve cards %s' shows it", n->name, ready.name,
                     ready.name);
    } else {
        if (!input_take(args->card))
            return false;
        status = kldve_card_load(n->ctx, args->card, &n->card);
        if (status == KLDVE_E_IO && *ready_card_hint(args->card, hint)) {
            complain("%s%s", kldve_ctx_message(n->ctx), hint);
            return false;
        }
    }
    if (status != KLDVE_OK)
        complain_ctx(n->ctx, args->card, status);
    return status == KLDVE_OK;
}

static bool load_card(network *n, const network_args *args, const kldve_onnx_files *demo)
{
    kldve_status status;

    if (args->card)
        return load_given_card(n, args);
    if (args->model)
        status = kldve_card_beside(n->ctx, args->model, &n->card);
    else
        status = kldve_card_parse(n->ctx, demo->card, demo->card_nbytes, NULL, &n->card);
    if (status == KLDVE_OK)
        return true;
    /* The message names the card, a file that the user did not mention. */
    complain("%s", kldve_ctx_message(n->ctx));
    return false;
}

static const char *pick(const char *said, const char *of_card)
{
    return said ? said : of_card;
}

/* Where the scores are and what kind they are: what the command line says stands before all that
 * the card says. */
static void set_scores(const network *n, const network_args *args, kldve_onnx_options *options)
{
    options->logits = args->logits;
    options->select = args->select;
    if (!args->logits && !args->select && n->card) {
        options->logits = kldve_card_logits(n->card);
        options->select = kldve_card_select(n->card);
        options->boxes = kldve_card_boxes(n->card);
        options->objects = kldve_card_objects(n->card);
        options->box_format = kldve_card_box_format(n->card);
        options->box_units = kldve_card_box_units(n->card);
    }
    if (options->select) /* says itself what each explanation picks */
        options->flags &= ~(uint64_t)(KLDVE_ONNX_FLAG_PICK_PLACE | KLDVE_ONNX_FLAG_PICK_ROW);
    options->scores = args->scores;
    if (args->scores == 0 && n->card)
        options->scores = kldve_card_scores(n->card);
}

static bool load_with(network *n, const network_args *args, const kldve_onnx_files *demo,
                      kldve_onnx_options options)
{
    kldve_status status;

    if (n->card) {
        kldve_card_size(n->card, &options.in_height, &options.in_width);
        options.layout = pick(args->layout, kldve_card_layout(n->card));
        options.picture_input = pick(args->picture_input, kldve_card_picture_input(n->card));
        if (options.in_frames == 0)
            options.in_frames = kldve_card_frames(n->card);
    }
    if (args->size.width > 0) {
        options.in_height = args->size.height;
        options.in_width = args->size.width;
    }
    options.layer = pick(args->layer, n->card ? kldve_card_layer(n->card) : NULL);
    if (n->card)
        kldve_card_grid(n->card, &options.grid_height, &options.grid_width);
    if (args->grid.width >
        0) { /* height first, as shapes have it: the first number is the height */
        options.grid_height = args->grid.width;
        options.grid_width = args->grid.height;
    }
    options.threads = args->threads;
    options.flags = args->flags | (args->copy ? (uint64_t)KLDVE_ONNX_FLAG_COPY : 0) |
                    (args->deterministic ? (uint64_t)KLDVE_ONNX_FLAG_DETERMINISTIC : 0);
    set_scores(n, args, &options);
    n->select = options.select;
    if (pick(args->labels, n->card ? kldve_card_labels(n->card) : NULL))
        options.flags |= KLDVE_ONNX_FLAG_NAMED;
    options.batch = args->batch;
    status = args->model ? kldve_onnx_load(n->ctx, args->model, &options, &n->net)
                         : kldve_onnx_load_memory(n->ctx, demo->model, demo->model_nbytes, &options,
                                                  &n->net);
    if (status == KLDVE_OK)
        return true;
    if (!tensor_hint_say(n, args, &options, demo))
        complain_network(n->ctx, n->name, status);
    return false;
}

static bool load_model(network *n, const network_args *args, const kldve_onnx_files *demo)
{
    given_inputs given;
    kldve_onnx_options options = {.struct_size = sizeof options};
    bool ok = given_read(&given, args, n->card, &options) && load_with(n, args, demo, options);

    given_free(&given);
    return ok;
}

/* The names under which the network knows its layer and its logits. */
static void find_names(network *n)
{
    kldve_onnx_tensor tensor = {.struct_size = sizeof tensor};
    kldve_onnx_choice choice = {.struct_size = sizeof choice};

    n->layer = n->logits = "";
    for (int32_t i = 0; kldve_onnx_tensor_at(n->net, i, &tensor) == KLDVE_OK; i++)
        if (tensor.is_logits)
            n->logits = tensor.name;
    if (kldve_onnx_chosen(n->net, &choice) == KLDVE_OK && choice.layer)
        n->layer = choice.layer;
}

void network_plan_for(network_args *args, uint64_t needs)
{
    if (needs & (KLDVE_NEED_INPUT_GRADIENT | KLDVE_NEED_ATTENTION))
        args->flags |= KLDVE_ONNX_FLAG_VJP_INPUT;
    else if (!(needs & KLDVE_NEED_GRADIENT))
        args->flags |= KLDVE_ONNX_FLAG_NO_VJP;
    if (needs & KLDVE_NEED_FORWARDS)
        args->batch = KLDVE_ONNX_BATCH_AUTO;
}

static bool pads(int32_t fit)
{
    return fit == KLDVE_FIT_PAD || fit == KLDVE_FIT_PAD_END;
}

int network_check_args(const char *command, const network_args *args)
{
    if (args->resize > 0 && args->crop > args->resize)
        return args_usage(command, "--crop %d is larger than --resize %d", (int)args->crop,
                          (int)args->resize);
    if (args->fit > 0 && pads(args->fit - 1) && (args->resize > 0 || args->crop > 0))
        return args_usage(command, "--%s changes nothing: with --fit %s the whole picture is seen",
                          args->resize > 0 ? "resize" : "crop", kldve_fit_name(args->fit - 1));
    if (args->fit > 0 && !pads(args->fit - 1) && args->pad.count > 0)
        return args_usage(command, "--pad changes nothing: --fit %s pads nothing",
                          kldve_fit_name(args->fit - 1));
    if (args->model && strcmp(args->model, "-") == 0)
        return args_usage(command, "--model -: a network is read from a file, beside which its "
                                   "card, labels and weights lie");
    if (args->logits && args->select)
        return args_usage(command, "--select names its tensor itself: --select '%s[...]'",
                          args->logits);
    return given_check_args(command, args);
}

/* --size of a network that fixes its size, were it the same, does nothing. */
static bool check_size_open(const network *n)
{
    kldve_onnx_choice choice = {.struct_size = sizeof choice};

    if (kldve_onnx_chosen(n->net, &choice) != KLDVE_OK || choice.size_open)
        return true;
    complain("%s: --size changes nothing: the network fixes the size of its input", n->name);
    return false;
}

bool network_load(network *n, kldve_ctx *ctx, const network_args *args)
{
    kldve_onnx_files demo = {.struct_size = sizeof demo};

    memset(n, 0, sizeof *n);
    n->ctx = ctx;
    n->name = network_called(args);
    if (args->copy && !args->model) {
        complain("--copy: there is no file to read, %s is built in", n->name);
        return false;
    }
    if (!args->model && kldve_onnx_demo(&demo) != KLDVE_OK) {
        complain("%s is not part of this build: give a network, NET.onnx", n->name);
        return false;
    }
    if (!load_card(n, args, &demo) || !load_model(n, args, &demo))
        return false;
    find_names(n);
    return args->size.width == 0 || check_size_open(n);
}

/* ---- preparing ---------------------------------------------------------------------------- */

/* One number stands for all channels; of an even number the last is alpha. */
static bool spread(const network *n, const char *option, const arg_numbers *said, float out[3],
                   float *alpha)
{
    int32_t channels = n->shape.in_channels, colours = channels % 2 ? channels : channels - 1;

    if (said->count == 0)
        return true;
    if (said->count > 1 && said->count != channels) {
        complain("%s: --%s has %d numbers for %d channel%s: give one, or one for each", n->name,
                 option, (int)said->count, (int)channels, channels > 1 ? "s" : "");
        return false;
    }
    for (int32_t i = 0; i < 3; i++)
        out[i] = (float)said->value[said->count == 1 || i >= said->count ? 0 : i];
    *alpha = (float)said->value[said->count == 1 ? 0 : colours];
    return true;
}

/* As the library takes pictures where nothing is said. */
static int32_t usual_channels(int32_t channels)
{
    return channels == 1   ? KLDVE_CHANNELS_GRAY
           : channels == 2 ? KLDVE_CHANNELS_GRAY_ALPHA
           : channels == 4 ? KLDVE_CHANNELS_RGB_ALPHA
                           : KLDVE_CHANNELS_RGB;
}

/* --fit takes the place of all that the card says about it. */
static void set_fit(const network_args *args, kldve_input_spec *spec)
{
    if (args->fit > 0) {
        spec->fit = args->fit - 1;
        if (pads(spec->fit))
            spec->resize_shorter_side = spec->center_crop = 0;
        else
            spec->pad_by_colour = 0;
    }
    if (args->interpolation > 0)
        spec->interpolation = args->interpolation - 1;
    if (args->resize > 0)
        spec->resize_shorter_side = args->resize;
    if (args->crop > 0)
        spec->center_crop = args->crop;
    if (args->pad.count > 0)
        spec->pad_by_colour = 1;
}

static bool set_input(network *n, const network_args *args)
{
    kldve_input_spec spec;
    kldve_status status = KLDVE_OK;

    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    if (n->card)
        status = kldve_card_input(n->card, &spec);
    else
        spec.channels = usual_channels(n->shape.in_channels);
    if (args->channels > 0)
        spec.channels = args->channels - 1;
    if (args->scale > 0)
        spec.scale = (float)args->scale;
    set_fit(args, &spec);
    if (!spread(n, "pad", &args->pad, spec.pad, &spec.alpha_pad) ||
        !spread(n, "mean", &args->mean, spec.mean, &spec.alpha_mean) ||
        !spread(n, "std", &args->std, spec.std, &spec.alpha_std))
        return false;
    if (status == KLDVE_OK)
        status = kldve_explainer_set_input(n->explainer, &spec);
    if (status == KLDVE_OK)
        return true;
    complain_ctx(n->ctx, n->name, status);
    return false;
}

static bool make_explainer(network *n, const network_args *args)
{
    kldve_status status = kldve_explainer_new(n->ctx, kldve_onnx_backend(), n->net, &n->explainer);

    n->shape.struct_size = sizeof n->shape;
    if (status == KLDVE_OK)
        status = kldve_explainer_shape(n->explainer, &n->shape);
    if (status != KLDVE_OK) {
        complain_ctx(n->ctx, n->name, status);
        return false;
    }
    return args->as_it_is || set_input(n, args);
}

bool network_prepare(network *n, const network_args *args)
{
    return make_explainer(n, args) && network_load_labels(n, args);
}

bool network_twin(const network *of, const network_args *args, kldve_ctx *ctx, network *out)
{
    *out = *of;
    out->ctx = ctx;
    out->explainer = NULL;
    return make_explainer(out, args);
}

/* What the engine chose. */
static void say_notes(const network *n)
{
    const char *note;

    for (int32_t i = 0; (note = note_number(n->net, i)); i++)
        complain("%s: %s", n->name, note);
}

void network_say_assumptions(const network *n, const network_args *args)
{
    bool pixels = args->scale > 0 || args->mean.count > 0 || args->std.count > 0;
    char text[MESSAGE_SIZE / 2] = "";
    size_t used = 0;

    if (args->quiet)
        return;
    if (args->model && !args_is_network(args->model))
        complain("%s: taken as the network, because it is an ONNX file by its content", n->name);
    say_notes(n);
    if (n->card)
        return;
    if (args->channels == 0 && !args->as_it_is)
        used += (size_t)snprintf(text + used, sizeof text - used, " channels %s,",
                                 channels_choice(usual_channels(n->shape.in_channels)));
    if (!pixels && !args->as_it_is)
        used += (size_t)snprintf(text + used, sizeof text - used, " pixel values 0 to 255,");
    if (args->resize == 0 && args->crop == 0 && args->fit == 0 && !args->as_it_is)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 " the centre of the picture at %dx%d,", (int)n->shape.in_width,
                                 (int)n->shape.in_height);
    if (!args->layer && *n->layer)
        used += (size_t)snprintf(text + used, sizeof text - used, " layer %.80s,", n->layer);
    if (!args->logits && !args->select)
        used += (size_t)snprintf(text + used, sizeof text - used, " logits %.80s,", n->logits);
    if (used == 0)
        return;
    text[used - 1] = '\0';
    complain("%s: no model card; assuming%s (see 'kldve help explain')", n->name, text);
}

void threads_say(int32_t threads, bool quiet)
{
    enum { TIMES = 4 };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (!quiet && processors > 0 && threads > TIMES * processors)
        complain("--threads %d: this machine has %ld processor%s, and more threads than that gain "
                 "nothing",
                 (int)threads, processors, processors == 1 ? "" : "s");
}

void network_free(network *n)
{
    kldve_labels_free(n->labels);
    kldve_explainer_free(n->explainer);
    kldve_onnx_free(n->net);
    kldve_card_free(n->card);
}
