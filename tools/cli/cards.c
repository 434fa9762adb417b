/* cards.c - ready cards, and kldve cards, which lists them or prints one. */
#include "cards.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "nearest.h"
#include "tool.h"

/* The build makes the list, cards/meson.build: CARD("yolo-640", ready_card_yolo_640) ... */
#define CARD(name, symbol)                                                                         \
    extern const unsigned char symbol[];                                                           \
    extern const size_t symbol##_nbytes;
#include <ready_cards.inc>
#undef CARD

static const struct {
    const char *name;
    const unsigned char *text;
    const size_t *nbytes;
} cards[] = {
#define CARD(name, symbol) {name, symbol, &symbol##_nbytes},
#include <ready_cards.inc>
#undef CARD
};

enum { CARDS = sizeof cards / sizeof *cards, NAME_COLUMN = 30 };

static ready_card card_number(int32_t i)
{
    return (ready_card){cards[i].name, (const char *)cards[i].text, *cards[i].nbytes};
}

static bool find(const char *name, ready_card *out)
{
    for (int32_t i = 0; i < CARDS; i++)
        if (strcmp(cards[i].name, name) == 0) {
            *out = card_number(i);
            return true;
        }
    return false;
}

const char *ready_card_name(int32_t index)
{
    return index >= 0 && index < (int32_t)(sizeof cards / sizeof *cards) ? cards[index].name : NULL;
}

bool ready_card_named(const char *name, ready_card *out)
{
    return access(name, F_OK) != 0 && find(name, out);
}

const char *ready_card_hint(const char *name, char *out)
{
    nearest near;

    nearest_begin(&near, name, strlen(name));
    for (int32_t i = 0; i < CARDS; i++)
        nearest_offer(&near, cards[i].name);
    return nearest_hint(&near, "", out);
}

/* ---- the command -------------------------------------------------------------------------- */

typedef struct cards_args {
    arg_list card;
} cards_args;

static const arg_option options[] = {OPTION_REST(offsetof(cards_args, card)), OPTION_END};

/* What the card's "for" says. */
static void say(const ready_card *card)
{
    json_object *root = json_tokener_parse(card->text), *about = NULL;

    json_object_object_get_ex(root, "for", &about);
    printf("  %-*s %s\n", NAME_COLUMN, card->name, about ? json_object_get_string(about) : "");
    json_object_put(root);
}

static void say_all(void)
{
    printf("Ready cards, for --card NAME; kldve cards NAME prints one, to be kept beside a "
           "network:\n");
    for (int32_t i = 0; i < CARDS; i++) {
        ready_card card = card_number(i);

        say(&card);
    }
}

static int print(const char *name)
{
    char hint[NEAREST_HINT];
    ready_card card;

    if (!find(name, &card))
        return args_usage("cards", "there is no ready card '%s'%s", name,
                          ready_card_hint(name, hint));
    fwrite(card.text, 1, card.nbytes, stdout);
    return EXIT_DONE;
}

static int command_cards(const arg_command *command, int argc, char **argv)
{
    cards_args args = {.card.count = 0};
    int32_t n = args_parse(command, argc, argv, &args);
    int status = n < 0 ? args_status(n) : EXIT_DONE;

    if (n == 0)
        say_all();
    else if (n > 0)
        status = print(args.card.text[0]);
    args_free(command, &args);
    return status == EXIT_DONE && !output_flush() ? EXIT_FAILED : status;
}

const arg_command cards_command = {
    .name = "cards",
    .group = "Look up:",
    .line = "ready model cards of well-known networks",
    .usage = "[NAME]",
    .summary = "List the ready model cards, which say how well-known networks take their pictures, "
               "or print one of them, to be kept beside a network as NETWORK.card.json.",
    .option = options,
    .max_rest = 1,
    .run = command_cards,
};
