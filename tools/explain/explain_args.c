/* explain_args.c - the options of kldve explain. */
#include "explain.h"

#include <string.h>

#define AT(member) offsetof(explain_args, member)

const arg_option explain_options[] = {
    {ARG_GROUP, "What is explained:", 0, NULL, NULL, 0, 0, NULL},
    {ARG_LIST, "target", AT(target), "CLASS",
     "top1 (default), top2 ..., an index or a label; again: together", 0, 0, NULL},
    {ARG_STRING, "rival", AT(rival), "CLASS", "why the target and not this class", 0, 0, NULL},
    {ARG_STRING, "truth", AT(truth), "model:FILE",
     "another network's scores as the truth of kl-dve", 0, 0, NULL},
    {ARG_CHOICE, "reading", AT(reading), "NAME", "of kl-dve and guided-kl-dve; default contrast", 0,
     0, reading_choice},
    {ARG_CHOICE, "method", AT(method), "NAME", "default kl-dve", 0, 0, method_choice},
    {ARG_CHOICE, "sign", AT(sign), "NAME",
     "values that count; default: as the method's authors show it", 0, 0, sign_choice},
    {ARG_LIST, "fuse", AT(fuse), "LAYER", "also explain this layer, draw the mean; again: more", 0,
     0, NULL},
    {ARG_FLAG, "smooth", AT(smooth), NULL, "the mean map of six changed inputs", 0, 0, NULL},
    {ARG_INT, "samples", AT(samples), "N", "passes of a method that repeats them", 1, 10000000,
     NULL},
    {ARG_INT, "window", AT(window), "N", "pixels, side of what a method slides over the input", 1,
     65535, NULL},
    {ARG_INT, "stride", AT(stride), "N", "pixels from one place of it to the next", 1, 65535, NULL},
    {ARG_NUMBER, "noise", AT(noise), "X", "deviation of added noise, part of the input's range",
     1e-9, 1, NULL},
    {ARG_INT, "seed", AT(seed), "N", "of the methods that draw random numbers; default 0", 0,
     2147483647, NULL},
    {ARG_NUMBER, "temperature", AT(temperature), "T", "logits are divided by it; default 1", 1e-6,
     1e6, NULL},
    {ARG_NUMBER, "perplexity", AT(perplexity), "P", "of the truth's affinities; default 30", 1.001,
     1e9, NULL},
    {ARG_FLAG, "check", AT(check), NULL, "also measure whether the map depends on the class", 0, 0,
     NULL},
    {ARG_GROUP, "What is written (without any of these: PICTURE.kldve.png, here):", 0, NULL, NULL,
     0, 0, NULL},
    {ARG_STRING, "o", AT(overlay), "FILE", "the heat over the picture, .png or .jpg", 0, 0, NULL},
    {ARG_STRING, "heat", AT(heat), "FILE", "the heat alone, .png or .jpg", 0, 0, NULL},
    {ARG_STRING, "map", AT(map), "FILE", "the map before upsampling, .npy, float32", 0, 0, NULL},
    {ARG_STRING, "dump", AT(dump), "DIR", "every intermediate as .npy", 0, 0, NULL},
    {ARG_STRING, "json", AT(json), "FILE", "the record of the run; - is standard output", 0, 0,
     NULL},
    {ARG_FLAG, "terminal", AT(terminal), NULL, "draw into the terminal, in 24-bit colours", 0, 0,
     NULL},
    {ARG_CHOICE, "colormap", AT(colormap), "NAME", "default inferno; diverging for signed maps", 0,
     0, colormap_choice},
    {ARG_NUMBER, "opacity", AT(opacity), "X", "of the heat over the picture; default 0.5", 0, 1,
     NULL},
    {ARG_GROUP, "The network:", 0, NULL, NULL, 0, 0, NULL},
    NETWORK_OPTIONS(explain_args, network),
    {ARG_STRING, "labels", AT(network.labels), "FILE", "names of the classes, one a line", 0, 0,
     NULL},
    {ARG_INT, "threads", AT(network.threads), "N", "default: one for each core", 1, 1024, NULL},
    {ARG_GROUP, "How the picture is prepared (these win over the card):", 0, NULL, NULL, 0, 0,
     NULL},
    NETWORK_INPUT_OPTIONS(explain_args, network),
    {ARG_GROUP, "And:", 0, NULL, NULL, 0, 0, NULL},
    {ARG_FLAG, "quiet", AT(network.quiet), NULL, "print failures only", 0, 0, NULL},
    {ARG_END, NULL, 0, NULL, NULL, 0, 0, NULL},
};

/* What can be known to be wrong before anything is read.  EXIT_DONE if nothing is. */
static int check_args(const explain_args *args)
{
    static const char *const pictures[] = {".png", ".jpg", ".jpeg", NULL};
    static const char *const arrays[] = {".npy", NULL};
    const char *const images[] = {args->overlay, args->heat};

    for (int i = 0; i < 2; i++)
        if (images[i] && !path_has_ending(images[i], pictures))
            return args_usage("explain", "%s: a picture to write ends in .png or .jpg", images[i]);
    if (args->map && !path_has_ending(args->map, arrays))
        return args_usage("explain", "%s: the map is written as .npy, end the name so", args->map);
    if (args->rival && args->target.count > 1)
        return args_usage("explain", "--rival stands against one --target, there are %d",
                          (int)args->target.count);
    if (args->truth && !truth_is_one(args->truth))
        return args_usage("explain", "--truth: '%s' is not model:FILE.onnx", args->truth);
    if (args->truth && args->reading == KLDVE_READING_RIVALS)
        return args_usage("explain",
                          "--truth: the reading rivals is about a class, not about a truth");
    if (args->terminal && args->json && strcmp(args->json, "-") == 0)
        return args_usage("explain", "--terminal and --json - both want standard output");
    if (args->network.resize > 0 && args->network.crop > args->network.resize)
        return args_usage("explain", "--crop %d is more than --resize %d", (int)args->network.crop,
                          (int)args->network.resize);
    return EXIT_DONE;
}

int explain_read_args(const arg_command *command, int argc, char **argv, explain_args *args,
                      bool *go)
{
    static const char *const models[] = {".onnx", NULL};
    const char *positional[2];
    int32_t n;

    memset(args, 0, sizeof *args);
    args->opacity = -1;
    *go = false;
    n = args_parse(command, argc, argv, args, positional);
    if (n == ARGS_HELPED)
        return output_flush() ? EXIT_DONE : EXIT_FAILED;
    if (n == ARGS_WRONG)
        return EXIT_USAGE;
    if (n == 0)
        return args_usage("explain", "a picture is missing: kldve explain [MODEL.onnx] PICTURE");
    if (n == 1 && path_has_ending(positional[0], models))
        return args_usage("explain", "a picture is missing behind %s", positional[0]);
    args->picture = positional[n - 1];
    args->network.model = n == 2 ? positional[0] : NULL;
    *go = true;
    return check_args(args);
}
