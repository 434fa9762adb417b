/* explain_args.c - the options of kldve explain. */
#include "explain.h"
#include "cli/getters.h"
#include "cli/output_names.h"
#include "cli/streams.h"
#include "expected.h"
#include "many.h"

#include <string.h>

#define AT(member) offsetof(explain_args, member)

const arg_option explain_options[] = {
    OPTION_GROUP("What to explain:"),
    OPTION_REST(AT(picture)),
    OPTION_LIST("target", AT(target), "CLASS",
                "top1 (default), top2 ..., an index or a label; repeat for a set"),
    OPTION_STRING("rival", AT(rival), "CLASS", "explain why the target and not this class"),
    OPTION_STRING("truth", AT(truth), "model:FILE",
                  "another network's scores as the truth of kl-dve"),
    PICK_OPTIONS(explain_args, pick),
    OPTION_CHOICE("reading", AT(reading), "NAME",
                  "for methods that have readings; default neighbours", reading_choice),
    OPTION_CHOICE("method", AT(method), "NAME",
                  "kl-dve (default) or another; 'kldve methods' lists them", method_choice),
    OPTION_CHOICE("sign", AT(sign), "NAME",
                  "values that count; default: what the method's authors show", sign_choice),
    OPTION_LIST("fuse", AT(fuse), "LAYER",
                "also explain this layer and draw the mean; repeat for more"),
    OPTION_FLAG("smooth", AT(smooth), "average the maps of six changed inputs"),
    OPTION_INT("samples", AT(samples), "N", "passes of a method that repeats them", 1, 10000000),
    OPTION_INT("window", AT(window), "N", "side of a sliding window, in pixels", 1, 65535),
    OPTION_INT("stride", AT(stride), "N", "step of a sliding window, in pixels", 1, 65535),
    OPTION_NUMBER("noise", AT(noise), "X", "deviation of added noise, as part of the input's range",
                  1e-9, 1),
    OPTION_INT("seed", AT(seed), "N", "seed of methods that draw random numbers; default 0", 0,
               2147483647),
    OPTION_NUMBER("temperature", AT(temperature), "T", "divide the logits by T; default 1", 1e-6,
                  1e6),
    OPTION_NUMBER("perplexity", AT(perplexity), "P",
                  "perplexity of the truth's affinities; default 30", 1.001, 1e9),
    OPTION_NUMBER("neighbour-perplexity", AT(neighbour_perplexity), "P",
                  "how many rivals count in the reading neighbours", 1.001, 1e9),
    OPTION_STRING("expected", AT(expected), "CLASS",
                  "what it should have said; or folder: of its name; or list:FILE"),
    OPTION_FLAG("check", AT(check),
                "also measure whether the map depends on the class, and its faithfulness"),
    OPTION_INT("check-passes", AT(check_passes), "N",
               "of --check: further passes, 5 or more, 0 for none; default 32", 0, 1000000),
    OPTION_GROUP("What to write (default: PICTURE.kldve.png beside the picture):"),
    OPTION_STRING("o", AT(overlay), "FILE", "the heat over the picture, .png or .jpg"),
    OPTION_STRING("heat", AT(heat), "FILE", "the heat alone, .png or .jpg"),
    OPTION_STRING("map", AT(map), "FILE", "the map before upsampling, .npy, float32"),
    OPTION_STRING("dump", AT(dump), "DIR", "every intermediate as .npy"),
    OPTION_STRING("json", AT(json), "FILE", "the record of the run; - is standard output"),
    OUTPUT_NAME_OPTIONS(AT(out_dir), AT(force)),
    OPTION_STRING("jsonl", AT(jsonl), "FILE",
                  "the records of many pictures, a line for each; - is standard output"),
    OPTION_STRING("write", AT(write), "LIST", "of many: overlay,heat,map,dump; default overlay"),
    OPTION_FLAG("resume", AT(resume), "go on where --jsonl FILE ends"),
    OPTION_FLAG("terminal", AT(terminal), "draw in the terminal, in colours"),
    DRAWING_OPTIONS(explain_args, draw),
    DRAWING_SIZE_OPTION(explain_args, draw),
    OPTION_GROUP("The network:"),
    OPTION_MODEL(AT(network.model), "the network, .onnx; default: the built-in one"),
    NETWORK_OPTIONS(explain_args, network),
    OPTION_STRING("labels", AT(network.labels), "FILE", "names of the classes, one on each line"),
    OPTION_INT("item", AT(item), "N", "which picture of an array of several, from 0", 0, 65535),
    OPTION_INT("threads", AT(network.threads), "N", "default: one for each core", 1, 1024),
    OPTION_GROUP("How to prepare the picture (these options win over the card):"),
    NETWORK_INPUT_OPTIONS(explain_args, network),
    OPTION_GROUP("General:"),
    LIMIT_OPTION(AT(limit)),
    OPTION_FLAG("quiet", AT(network.quiet), "print failures only"),
    OPTION_END,
};

const kldve_method *explain_method(const explain_args *args)
{
    return method_number(args->method > 0 ? args->method - 1 : 0);
}

int32_t explain_reading(const explain_args *args)
{
    return args->reading > 0 ? args->reading : reading_default(args->truth != NULL);
}

/* KLDVE_OPTION_* of what was given. */
static uint64_t options_given(const explain_args *args)
{
    return (args->samples > 0 ? KLDVE_OPTION_SAMPLES : 0) |
           (args->window > 0 ? KLDVE_OPTION_WINDOW : 0) |
           (args->stride > 0 ? KLDVE_OPTION_STRIDE : 0) |
           (args->noise > 0 ? KLDVE_OPTION_NOISE : 0) | (args->seed >= 0 ? KLDVE_OPTION_SEED : 0) |
           (args->temperature > 0 ? KLDVE_OPTION_TEMPERATURE : 0) |
           (args->perplexity > 0 ? KLDVE_OPTION_PERPLEXITY : 0) |
           (args->neighbour_perplexity > 0 ? KLDVE_OPTION_NEIGHBOUR_PERPLEXITY : 0) |
           (args->truth ? KLDVE_OPTION_TRUTH : 0);
}

/* Find options that would change nothing. */
static int check_method(const explain_args *args)
{
    const kldve_method *method = explain_method(args);
    const method_use use = {method, method->readings ? explain_reading(args) : 0};
    const network_args *n = &args->network;
    const char *of_layer = args->fuse.count > 0                                           ? "fuse"
                           : n->layer                                                     ? "layer"
                           : n->grid.width > 0 && !(method->needs & KLDVE_NEED_ATTENTION) ? "grid"
                                                                                          : NULL;
    const uint64_t given = options_given(args),
                   of_kl = KLDVE_OPTION_TEMPERATURE | KLDVE_OPTION_PERPLEXITY;
    int status = EXIT_DONE;

    if (args->reading > 0 && !method->readings)
        return unread_reading("explain", method->name);
    if (of_layer)
        status = unread_layer("explain", of_layer, &use, 1);
    if (status == EXIT_DONE && args->rival)
        status = unread_rival("explain", &use);
    if (status == EXIT_DONE)
        status = unread_options("explain", given & ~of_kl, &use, 1);
    if (status == EXIT_DONE) /* whatever the reading, KL is said and recorded */
        status = unread_options("explain", given & of_kl, &(method_use){method, 0}, 1);
    if (status == EXIT_DONE && args->rival && args->neighbour_perplexity > 0)
        return args_usage("explain", "--neighbour-perplexity changes nothing: with --rival only "
                                     "two classes count");
    return status;
}

/* The same of those that say how to draw. */
static int check_drawing(const explain_args *args)
{
    bool only_data = args->map || args->dump || args->json;
    bool overlaid = args->overlay || args->terminal || (!args->heat && !only_data);
    const drawing_targets targets = {
        .over = overlaid && many_writes(args, MANY_OVERLAY),
        .alone = args->heat || many_writes(args, MANY_HEAT),
        .add = "add -o FILE or --terminal",
        .add_any = "add -o FILE, --heat FILE or --terminal",
    };

    const method_use use = {explain_method(args), 0};
    int status = drawing_check("explain", &args->draw, &targets);

    return status == EXIT_DONE ? drawing_check_sign("explain", &args->draw, &use, 1, args->sign)
                               : status;
}

const char *explain_stream(const explain_args *args)
{
    return is_stream(args->json)      ? "--json"
           : is_stream(args->overlay) ? "-o"
           : is_stream(args->heat)    ? "--heat"
           : is_stream(args->map)     ? "--map"
                                      : NULL;
}

/* What "-" stands for. */
static int check_streams(const explain_args *args)
{
    const guard_output binary[] = {
        {"-o", args->overlay}, {"--heat", args->heat}, {"--map", args->map}};
    int status = streams_check_inputs("explain", &args->picture);

    for (int i = 0; status == EXIT_DONE && i < 3; i++)
        status = streams_check_binary("explain", &binary[i], args->force);
    return status;
}

/* Find mistakes that show before any file is read.  EXIT_DONE, or EXIT_USAGE after a message. */
static int check_args(const explain_args *args)
{
    static const char *const pictures[] = {".png", ".jpg", ".jpeg", NULL};
    static const char *const arrays[] = {".npy", NULL};
    const char *const images[] = {args->overlay, args->heat};
    int status;

    for (int i = 0; i < 2; i++)
        if (images[i] && !is_stream(images[i]) && !path_has_ending(images[i], pictures))
            return args_usage("explain", "%s: give the picture a name that ends in .png or .jpg",
                              images[i]);
    if ((status = check_streams(args)) != EXIT_DONE)
        return status;
    if (args->check_passes >= 0 && !args->check)
        return args_usage("explain", "--check-passes changes nothing: add --check");
    if (args->check_passes > 0 && args->check_passes < 5)
        return args_usage("explain",
                          "--check-passes: %d passes are too few: give 5 or more, or 0 for none",
                          (int)args->check_passes);
    if (args->out_dir && args->overlay)
        return args_usage("explain", "--out-dir %s changes nothing: -o %s names the picture itself",
                          args->out_dir, args->overlay);
    if (args->map && !is_stream(args->map) && !path_has_ending(args->map, arrays))
        return args_usage(
            "explain", "%s: the map is a NumPy file, give it a name that ends in .npy", args->map);
    if ((status = args_twice("explain", "target", &args->target)) != EXIT_DONE ||
        (status = args_twice("explain", "fuse", &args->fuse)) != EXIT_DONE)
        return status;
    if (args->rival && args->target.count == 1 && strcmp(args->rival, args->target.text[0]) == 0)
        return args_usage("explain", "--rival %s is the --target itself: give another class",
                          args->rival);
    if (args->rival && args->target.count > 1)
        return args_usage("explain", "--rival goes with one --target, not with %d",
                          (int)args->target.count);
    if ((status = truth_check_args("explain", args->truth, args->reading)) != EXIT_DONE)
        return status;
    if (args->terminal && explain_stream(args))
        return args_usage("explain",
                          "--terminal and %s - cannot share standard output; give %s a file",
                          explain_stream(args), explain_stream(args));
    if (args->terminal && (status = terminal_check()) != EXIT_DONE)
        return status;
    if ((status = expected_check_args(args)) != EXIT_DONE ||
        (status = subject_check_args(args)) != EXIT_DONE ||
        (status = check_method(args)) != EXIT_DONE || (status = check_drawing(args)) != EXIT_DONE ||
        (status = limits_check("explain", &args->limit)) != EXIT_DONE)
        return status;
    return network_check_args("explain", &args->network);
}

static int guard_frames(const explain_args *args, const guard_output *outputs, int32_t count)
{
    int status = EXIT_DONE;

    for (int32_t i = 0; i < args->picture.count && status == EXIT_DONE; i++)
        status = guard_input("explain", args->picture.text[i], outputs, count);
    return status;
}

int explain_guard(const explain_args *args)
{
    enum { NAMED_OUTPUTS = 4 };
    char dumped[DUMP_FILES][DUMP_PATH];
    guard_output outputs[NAMED_OUTPUTS + DUMP_FILES] = {{"-o", args->overlay},
                                                        {"--heat", args->heat},
                                                        {"--map", args->map},
                                                        {"--json", args->json}};
    int32_t count = NAMED_OUTPUTS;
    int status;

    for (int32_t i = 0; args->dump && i < DUMP_FILES; i++) {
        dump_file(args, i, dumped[i], sizeof dumped[i]);
        outputs[count++] = (guard_output){"--dump", dumped[i]};
    }
    if ((status = guard_outputs("explain", outputs, count)) != EXIT_DONE ||
        (status = guard_frames(args, outputs, count)) != EXIT_DONE ||
        (args->pick.over &&
         (status = guard_input("explain", args->pick.over, outputs, count)) != EXIT_DONE) ||
        (status = guard_input("explain", expected_list(args), outputs, count)) != EXIT_DONE ||
        (status = guard_network("explain", &args->network, outputs, count)) != EXIT_DONE ||
        (status = truth_guard("explain", args->truth, outputs, count)) != EXIT_DONE)
        return status;
    if (args->dump && !output_can_make_folder(args->dump))
        return EXIT_FAILED;
    return guard_writable(outputs, NAMED_OUTPUTS);
}

int explain_read_args(const arg_command *command, int argc, char **argv, explain_args *args,
                      bool *go)
{
    int32_t n;
    int status;

    memset(args, 0, sizeof *args);
    drawing_defaults(&args->draw);
    args->seed = args->item = args->check_passes = -1;
    *go = false;
    n = args_parse(command, argc, argv, args);
    if (n < 0)
        return args_status(n);
    if (n == 0)
        return args_usage("explain", "a picture is missing: kldve explain [NET.onnx] PICTURE");
    args->network.item = args->item + 1;
    args->network.as_it_is = subject_is_array(args->picture.text[0]);
    *go = true;
    if ((status = pick_read_args("explain", &args->pick, &args->network.flags)) != EXIT_DONE ||
        (args->truth && (status = pick_excludes("explain", &args->pick, "truth")) != EXIT_DONE) ||
        (args->smooth && (status = pick_excludes("explain", &args->pick, "smooth")) != EXIT_DONE))
        return status;
    return check_args(args);
}
