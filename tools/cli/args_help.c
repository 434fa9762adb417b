/* args_help.c - the help of a command, from its table of options. */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "tool.h"
#include "wrap.h"

enum { HELP_COLUMN = 28, MOST_CHOICES = 12, LINE_COLUMN = 4, NEXT_COLUMN = 8 };

/* Names of choices, in lines of their own; of many a command has the list. */
static void say_choices(const arg_option *o)
{
    char text[WRAP_TEXT] = "";
    int32_t count = 0;

    for (; o->choice(count); count++)
        list_name(text, sizeof text, o->choice(count));
    if (count <= MOST_CHOICES)
        wrap_row("", text, HELP_COLUMN);
}

static void say_option(const arg_option *o)
{
    char name[LABEL_SIZE];

    snprintf(name, sizeof name, "  %s%s%s%s", o->name[1] ? "--" : "-", o->name, o->meta ? " " : "",
             o->meta ? o->meta : "");
    wrap_row(name, o->help, HELP_COLUMN);
    if (o->choice)
        say_choices(o);
}

static bool is_first(const arg_command *command, const arg_option *o)
{
    for (int32_t i = 0; i < ARG_FIRST && command->first[i]; i++)
        if (strcmp(command->first[i], o->name) == 0)
            return true;
    return false;
}

/* In the order of the list, not of the table. */
static void say_first(const arg_command *command)
{
    if (command->first[0])
        printf("\nTo begin with:\n");
    for (int32_t i = 0; i < ARG_FIRST && command->first[i]; i++)
        for (const arg_option *o = command->option; o->kind != ARG_END; o++)
            if (args_is_option(o) && strcmp(o->name, command->first[i]) == 0)
                say_option(o);
}

/* A heading is printed with the first option below it that has not been shown. */
static void say_groups(const arg_command *command)
{
    const char *heading = command->first[0] ? "Further options:" : "Options:";

    for (const arg_option *o = command->option; o->kind != ARG_END; o++) {
        if (o->kind == ARG_GROUP)
            heading = o->name;
        if (!args_is_option(o) || is_first(command, o))
            continue;
        if (heading) {
            printf("\n");
            wrap_text(heading, 0, 0);
        }
        heading = NULL;
        say_option(o);
    }
}

/* The length of the next word; of an option with its value. */
static int piece_of(const char *word)
{
    size_t n = strcspn(word, " ");

    if (word[0] == '-' && word[n] == ' ' && word[n + 1] != '-')
        n += 1 + strcspn(word + n + 1, " ");
    return (int)n;
}

/* A line of the shell; what is too long goes on in the next, behind a backslash. */
static void say_line(const char *line)
{
    int at = printf("%*s", LINE_COLUMN, "");

    for (const char *word = line; *word;) {
        int n = piece_of(word);

        if (at + 1 + n + 2 > WRAP_WIDTH)
            at = printf(" \\\n%*s", NEXT_COLUMN, "") - 3;
        else if (word > line)
            at += printf(" ");
        at += printf("%.*s", n, word);
        word += n + (word[n] == ' ');
    }
    printf("\n");
}

static void say_examples(const arg_example *example)
{
    printf("\nExamples:\n");
    for (; example->line; example++) {
        printf("  ");
        wrap_text(example->what, 2, 2);
        say_line(example->line);
    }
}

void args_help(const arg_command *command)
{
    printf("usage: kldve %s%s%s\n\n", command->name, *command->usage ? " " : "", command->usage);
    wrap_text(command->summary, 0, 0);
    say_first(command);
    say_groups(command);
    if (command->notes) {
        printf("\n");
        wrap_text(command->notes, 0, 0);
    }
    if (command->example)
        say_examples(command->example);
}
