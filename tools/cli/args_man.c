/* args_man.c - the manual page of a command, from its table of options: kldve-COMMAND(1). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "tool.h"

/* Text as man(7) wants it: a hyphen that is typed is \-, a backslash \e, and no line begins with a
 * control character. */
static void say_text(const char *text)
{
    bool begins = true;

    for (const char *c = text; *c; c++) {
        if (begins && (*c == '.' || *c == '\''))
            printf("\\&");
        if (*c == '-')
            printf("\\-");
        else if (*c == '\\')
            printf("\\e");
        else if (*c != '\n' || c[1])
            putchar(*c);
        begins = *c == '\n';
    }
    printf("\n");
}

static void say_heading(const char *command, const char *name)
{
    printf("%s ", command);
    say_text(name);
}

static void say_option(const arg_option *o)
{
    char name[LABEL_SIZE], text[MESSAGE_SIZE] = "";

    snprintf(name, sizeof name, "%s%s", o->name[1] ? "--" : "-", o->name);
    printf(".TP\n.B ");
    if (o->meta) {
        size_t n = strlen(name);

        snprintf(name + n, sizeof name - n, " %s", o->meta);
    }
    say_text(name);
    say_text(o->help);
    for (int32_t i = 0; o->choice && o->choice(i); i++)
        list_name(text, sizeof text, o->choice(i));
    if (*text) {
        printf(".br\n");
        say_text(text);
    }
}

static void say_options(const arg_option *o)
{
    printf(".SH OPTIONS\n");
    for (; o->kind != ARG_END; o++) {
        char heading[LABEL_SIZE];

        if (o->kind == ARG_GROUP) {
            snprintf(heading, sizeof heading, "%s", o->name);
            heading[strcspn(heading, ":")] = '\0';
            say_heading(".SS", heading);
        } else if (args_is_option(o)) {
            say_option(o);
        }
    }
}

static void say_examples(const arg_example *first)
{
    printf(".SH EXAMPLES\n");
    for (const arg_example *example = first; example->line; example++) {
        if (example > first)
            printf(".PP\n");
        say_text(example->what);
        printf(".PP\n.nf\n.RS\n");
        say_text(example->line);
        printf(".RE\n.fi\n");
    }
}

static void say_title(const char *name)
{
    printf(".TH KLDVE\\-");
    for (const char *c = name; *c; c++)
        putchar(toupper((unsigned char)*c));
    printf(" 1 \"\" \"kldve %s\" \"User Commands\"\n", kldve_version());
}

/* One line of the usage for each way to call the command. */
static void say_usage(const arg_command *command)
{
    const char *line = command->usage;

    printf(".SH SYNOPSIS\n.B kldve %s\n", command->name);
    for (; *line; line += strspn(line, "\n ")) {
        size_t n = strcspn(line, "\n");
        char text[MESSAGE_SIZE];

        if (line > command->usage)
            printf(".br\n");
        snprintf(text, sizeof text, "%.*s", (int)n, line);
        say_text(text);
        line += n;
    }
}

void args_man(const arg_command *command)
{
    say_title(command->name);
    printf(".SH NAME\nkldve\\-%s \\- ", command->name);
    say_text(command->line);
    say_usage(command);
    printf(".SH DESCRIPTION\n");
    say_text(command->summary);
    if (command->option[0].kind != ARG_END)
        say_options(command->option);
    if (command->notes) {
        printf(".SH NOTES\n");
        say_text(command->notes);
    }
    if (command->example)
        say_examples(command->example);
    printf(".SH SEE ALSO\n.BR kldve (1)\n");
}
