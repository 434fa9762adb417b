/* complete.c - kldve complete: what can stand at the cursor, for the completions of bash, zsh and
 * fish (completions/).  It is made from the tables that the commands themselves work with; layers
 * and labels are those of the network on the line. */
#include "complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cards.h"
#include "commands.h"
#include "complete_network.h"
#include "getters.h"
#include "tool.h"

/* What is being completed. */
typedef struct line {
    char **word; /* [words], unquoted; the last is that at the cursor */
    int32_t words;
    const char *before; /* what stands before the value in its word, "--method=" or "" */
    const char *value;
} line;

/* ---- quotes ------------------------------------------------------------------------------- */

/* A word as bash reads it, in place; a quote may be open. */
static void unquote(char *word)
{
    char quote = 0, *to = word;

    for (const char *from = word; *from; from++) {
        if (*from == quote) {
            quote = 0;
        } else if (!quote && (*from == '\'' || *from == '"')) {
            quote = *from;
        } else {
            if (*from == '\\' && quote != '\'' && from[1])
                from++;
            *to++ = *from;
        }
    }
    *to = '\0';
}

/* ---- what is printed ---------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* A word that can stand here, if it begins like what is there. */
static void offer(const void *opaque, const char *word, const char *what)
{
    const line *l = opaque;

    char clean[LABEL_SIZE];

    clean_text(word, clean, sizeof clean);
    if (!begins_with(word, l->value) || strcmp(clean, word) != 0) /* which cannot be typed either */
        return;
    printf("%s%s\t", l->before, word);
    print_text(stdout, what);
    printf("\n");
}

static void say_kind(const line *l, const char *kind)
{
    printf("%s\n%s\n", kind, l->value);
}

/* ---- values of options -------------------------------------------------------------------- */

/* The methods, and with `readings` also NAME:READING. */
static void offer_methods(const line *l, bool readings)
{
    const kldve_method *method;
    char name[LABEL_SIZE];

    for (int32_t i = 0; (method = method_number(i)) != NULL; i++) {
        offer(l, method->name, method->summary);
        for (int32_t r = 0; readings && method->readings && reading_choice(r); r++) {
            snprintf(name, sizeof name, "%s:%s", method->name, reading_choice(r));
            if (strchr(l->value, ':'))
                offer(l, name, reading_words(r));
        }
    }
}

static void offer_metrics(const line *l)
{
    const kldve_metric *metric;
    const char *family = "";

    offer(l, "all", "all metrics");
    for (int32_t i = 0; (metric = metric_number(i)) != NULL; i++) {
        if (strcmp(family, metric->family) != 0)
            offer(l, metric->family, "a family of metrics");
        family = metric->family;
        offer(l, metric->name, metric->summary);
    }
}

static void offer_choices(const line *l, const arg_option *o)
{
    bool readings = strcmp(o->name, "reading") == 0;

    for (int32_t i = 0; o->choice(i); i++)
        offer(l, o->choice(i), readings ? reading_words(i) : "");
}

/* The last network before the cursor, and what else says how to read it. */
static complete_network network_of(const line *l)
{
    complete_network n = {NULL, NULL, NULL};

    for (int32_t i = 1; i + 1 < l->words; i++) {
        const char *word = l->word[i], *next = i + 2 < l->words ? l->word[i + 1] : NULL;

        if (args_is_network(word))
            n.model = word;
        else if (begins_with(word, "--model="))
            n.model = strchr(word, '=') + 1;
        else if (strcmp(word, "--model") == 0 && next)
            n.model = next;
        else if (strcmp(word, "--card") == 0 && next)
            n.card = next;
        else if (strcmp(word, "--labels") == 0 && next)
            n.labels = next;
    }
    return n;
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Options whose values the network has. */
static bool offer_of_network(const line *l, const arg_option *o)
{
    static const char *const layers[] = {"layer", "fuse", "logits", NULL};
    static const char *const classes[] = {"target", "rival", "expected", NULL};
    bool is_layer = is_one_of(o->name, layers);
    complete_network n;

    if (!is_layer && !is_one_of(o->name, classes))
        return false;
    n = network_of(l);
    say_kind(l, "words");
    if (is_layer)
        complete_layers(&n, strcmp(o->name, "logits") != 0, offer, l);
    else
        complete_classes(&n, offer, l);
    return true;
}

static void offer_cards(const line *l)
{
    for (int32_t i = 0; ready_card_name(i); i++)
        offer(l, ready_card_name(i), "a ready card");
}

/* Files, by what the help calls the value: "FILE", "MASK.png", "DIR". */
static void say_files(const line *l, const arg_option *o)
{
    const char *ending = strrchr(o->meta, '.');
    char kind[LABEL_SIZE];

    if (strstr(o->meta, "DIR") || strstr(o->meta, "FOLDER")) {
        say_kind(l, "folders");
    } else if (begins_with(o->meta, "FILE") || ending) {
        snprintf(kind, sizeof kind, "files%s%s", ending ? " " : "", ending ? ending : "");
        say_kind(l, kind);
    } else {
        say_kind(l, "words");
    }
}

static void complete_value(const line *l, const arg_option *o)
{
    bool several = o->kind == ARG_LIST;

    if (o->kind == ARG_NEXT || o->kind == ARG_MODEL) {
        say_kind(l, "files .onnx");
    } else if (strcmp(o->name, "method") == 0 || strcmp(o->name, "against") == 0) {
        say_kind(l, "words");
        offer_methods(l, several);
    } else if (strcmp(o->name, "metric") == 0) {
        say_kind(l, "words");
        offer_metrics(l);
    } else if (strcmp(o->name, "card") == 0) {
        say_kind(l, "files .json");
        offer_cards(l);
    } else if (o->choice) {
        say_kind(l, "words");
        offer_choices(l, o);
    } else if (!offer_of_network(l, o)) {
        say_files(l, o);
    }
}

/* ---- the word at the cursor --------------------------------------------------------------- */

static const arg_option *option_named(const arg_command *command, const char *word, size_t n)
{
    size_t dashes = strspn(word, "-");

    for (const arg_option *o = command->option; o->kind != ARG_END; o++)
        if (args_is_option(o) && dashes == (o->name[1] ? 2u : 1u) &&
            n == dashes + strlen(o->name) && memcmp(word + dashes, o->name, n - dashes) == 0)
            return o;
    return NULL;
}

static void offer_options(const line *l, const arg_command *command)
{
    char name[LABEL_SIZE];

    say_kind(l, "words");
    for (const arg_option *o = command->option; o->kind != ARG_END; o++) {
        if (!args_is_option(o))
            continue;
        snprintf(name, sizeof name, "%s%s", o->name[1] ? "--" : "-", o->name);
        offer(l, name, o->help);
    }
    offer(l, "--help", "all options");
}

static void offer_commands(const line *l)
{
    const arg_command *command;

    say_kind(l, "words");
    for (int32_t i = 0; (command = command_number(i)) != NULL; i++)
        offer(l, command->name, command->line);
    offer(l, "help", "the commands; all about one command, method, reading or metric");
    offer(l, "--help", "the commands");
    offer(l, "--version", "the version");
}

/* What kldve help can say all about. */
static void offer_names(const line *l)
{
    offer_commands(l);
    offer_methods(l, false);
    for (int32_t i = 0; reading_choice(i); i++)
        offer(l, reading_choice(i), reading_words(i));
    offer_metrics(l);
}

/* The arguments of a command: files, or the names of ready cards. */
static void offer_arguments(const line *l, const arg_command *command)
{
    char kind[LABEL_SIZE];

    snprintf(kind, sizeof kind, "files %s", command->files ? command->files : "");
    say_kind(l, command->files ? kind : "words");
    if (command == &cards_command)
        offer_cards(l);
}

/* An argument, an option, or the value of one in a word of its own or behind "=". */
static void complete_argument(line *l, const arg_command *command)
{
    const char *last = l->words > 2 ? l->word[l->words - 2] : "";
    const arg_option *o = option_named(command, last, strlen(last));
    char *equals = strchr(l->word[l->words - 1], '=');

    if (o && o->kind != ARG_FLAG) {
        complete_value(l, o);
    } else if (*l->value != '-') {
        offer_arguments(l, command);
    } else if (equals) {
        size_t n = (size_t)(equals - l->value);
        char before[LABEL_SIZE];

        o = option_named(command, l->value, n);
        snprintf(before, sizeof before, "%.*s", (int)n + 1, l->value);
        l->before = before;
        l->value = equals + 1;
        if (o && o->kind != ARG_FLAG)
            complete_value(l, o);
    } else {
        offer_options(l, command);
    }
}

int complete_run(int argc, char **argv)
{
    line l = {.word = argv + 1, .words = argc - 1, .before = ""};
    char unsaid[LABEL_SIZE];
    const arg_command *command;

    if (argc < 2)
        return EXIT_DONE;
    for (int32_t i = 0; strcmp(argv[0], "bash") == 0 && i < l.words; i++)
        unquote(l.word[i]);
    l.value = l.word[l.words - 1];
    complain_into(unsaid, sizeof unsaid);
    command = command_named(l.word[0]);
    if (l.words == 1)
        offer_commands(&l);
    else if (strcmp(l.word[0], "help") == 0)
        offer_names(&l);
    else if (command)
        complete_argument(&l, command);
    complain_into(NULL, 0);
    fflush(stdout);
    return EXIT_DONE;
}
