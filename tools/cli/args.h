/* args.h - the command line: options from a table, usage errors, help texts made from the same
 * table. */
#ifndef KLDVE_TOOLS_ARGS_H
#define KLDVE_TOOLS_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What an option's value is, and the type of the member that it is stored in. */
typedef enum arg_kind {
    ARG_FLAG,    /**< bool; takes no value */
    ARG_STRING,  /**< const char *, borrowed from argv */
    ARG_INT,     /**< int32_t, min..max */
    ARG_NUMBER,  /**< double, min..max, finite */
    ARG_NUMBERS, /**< arg_numbers: 1 to 4 numbers "a,b,c", each min..max */
    ARG_SIZE,    /**< arg_size: "N" or "WIDTHxHEIGHT", each min..max */
    ARG_CHOICE,  /**< int32_t: 1 + the number of the name among choice(0), choice(1), ... */
    ARG_LIST,    /**< arg_list: a string, and one more each time it is given */
    ARG_NEXT,    /**< as ARG_MODEL, after a call of the command's next(): begins another record */
    ARG_MODEL,   /**< const char *, a network, which may also be given by its name alone */
    ARG_REST,    /**< arg_list: not an option, takes the arguments that are none */
    ARG_GROUP,   /**< not an option: `name` is the heading of those that follow */
    ARG_END      /**< ends a table */
} arg_kind;

typedef struct arg_numbers {
    int32_t count; /**< 0: not given */
    double value[4];
} arg_numbers;

typedef struct arg_size {
    int32_t width, height; /**< 0: not given */
} arg_size;

/** Texts borrowed from argv, as many as there are.  {0} is an empty list. */
typedef struct arg_list {
    int32_t count, room; /**< 0: not given */
    const char **text;   /**< [room], of which `count` are there */
} arg_list;

/** Add a text, which the list borrows.  False: out of memory. */
bool arg_list_add(arg_list *list, const char *text);
/** A list of its own with the same texts -> *out.  False: out of memory. */
bool arg_list_copy(const arg_list *list, arg_list *out);
/** Refuse a text of a list that is there twice.  EXIT_DONE, or EXIT_USAGE after a message. */
int args_twice(const char *command, const char *option, const arg_list *list);
/** Accepts an empty list, and leaves one. */
void arg_list_free(arg_list *list);

typedef struct arg_option {
    arg_kind kind;
    const char *name; /**< long name without "--", or one letter for "-o" */
    size_t offset;    /**< of the member in the struct that args_parse() fills */
    const char *meta; /**< of the value, "FILE" */
    const char *help; /**< one line */
    double min, max;  /**< of numbers */
    const char *(*choice)(int32_t index); /**< ARG_CHOICE: NULL past the last */
} arg_option;

/** Entries of a table of options, one line each.  `at` is the offset of the member. */
#define OPTION_GROUP(heading)                                                                      \
    {                                                                                              \
        .kind = ARG_GROUP, .name = (heading)                                                       \
    }
#define OPTION_END                                                                                 \
    {                                                                                              \
        .kind = ARG_END                                                                            \
    }
#define OPTION_FLAG(called, at, said)                                                              \
    {                                                                                              \
        .kind = ARG_FLAG, .name = (called), .offset = (at), .help = (said)                         \
    }
#define OPTION_OF(of_kind, called, at, value, said)                                                \
    {                                                                                              \
        .kind = (of_kind), .name = (called), .offset = (at), .meta = (value), .help = (said)       \
    }
#define OPTION_STRING(called, at, value, said) OPTION_OF(ARG_STRING, called, at, value, said)
#define OPTION_LIST(called, at, value, said) OPTION_OF(ARG_LIST, called, at, value, said)
#define OPTION_NEXT(called, at, value, said) OPTION_OF(ARG_NEXT, called, at, value, said)
#define OPTION_MODEL(at, said) OPTION_OF(ARG_MODEL, "model", at, "FILE", said)
#define OPTION_REST(at)                                                                            \
    {                                                                                              \
        .kind = ARG_REST, .name = "", .offset = (at)                                               \
    }
#define OPTION_CHOICE(called, at, value, said, names)                                              \
    {                                                                                              \
        .kind = ARG_CHOICE, .name = (called), .offset = (at), .meta = (value), .help = (said),     \
        .choice = (names)                                                                          \
    }
#define OPTION_RANGE(of_kind, called, at, value, said, low, high)                                  \
    {                                                                                              \
        .kind = (of_kind), .name = (called), .offset = (at), .meta = (value), .help = (said),      \
        .min = (low), .max = (high)                                                                \
    }
#define OPTION_INT(called, at, value, said, low, high)                                             \
    OPTION_RANGE(ARG_INT, called, at, value, said, low, high)
#define OPTION_NUMBER(called, at, value, said, low, high)                                          \
    OPTION_RANGE(ARG_NUMBER, called, at, value, said, low, high)
#define OPTION_NUMBERS(called, at, value, said, low, high)                                         \
    OPTION_RANGE(ARG_NUMBERS, called, at, value, said, low, high)
#define OPTION_SIZE(called, at, value, said, low, high)                                            \
    OPTION_RANGE(ARG_SIZE, called, at, value, said, low, high)

/** A line of the shell that shows what a command is for, and what it shows. */
typedef struct arg_example {
    const char *what, *line; /**< NULL and NULL: the last */
} arg_example;

enum { ARG_FIRST = 6 };

typedef struct arg_command {
    const char *name;
    const char *group;            /**< heading of the commands that it belongs to */
    const char *line;             /**< what it does, in some ten words */
    const char *usage;            /**< "[NET.onnx] PICTURE [options]" */
    const char *summary;          /**< a sentence */
    const char *notes;            /**< printed after the options, may be NULL */
    const char *first[ARG_FIRST]; /**< options that a newcomer needs, which help shows first */
    const char *files; /**< endings of the files that are its arguments, ".npy .db"; NULL: none */
    const arg_example *example; /**< printed at the end, may be NULL; a test runs them */
    const arg_option *option;
    int32_t max_rest; /**< arguments of ARG_REST; 0: as many as are given */
    int (*run)(const struct arg_command *command, int argc, char **argv); /**< exit status */
    bool (*next)(void *values); /**< of ARG_NEXT; false after a message: wrong usage.  NULL: none */
    bool computes;              /**< runs networks, in several threads */
} arg_command;

enum { ARGS_WRONG = -1, ARGS_HELPED = -2 };

/** Parse argv[0..argc), without the command's name, into `values`, which holds its defaults.  An
 *  argument that is no option is a network if its name ends in .onnx (or content_is_network()) and
 *  the table has ARG_MODEL or ARG_NEXT, as if that option stood before it; all others are of
 *  ARG_REST.  In either case free
 *  the lists with args_free().
 *  @return how many arguments are of ARG_REST; ARGS_WRONG after a message on standard error;
 *          ARGS_HELPED after --help was asked for and given. */
int32_t args_parse(const arg_command *command, int argc, char **argv, void *values);

/** Free the lists of `values` that the command's table names. */
void args_free(const arg_command *command, void *values);

/** Whether a name ends in .onnx. */
bool args_is_network(const char *path);

/** The exit status for a negative result of args_parse(). */
int args_status(int32_t result);

/** A command that takes no arguments and prints a list on standard output.
 *  @return the exit status. */
int args_run_list(const arg_command *command, int argc, char **argv, void (*print)(void));

/** Print "kldve: MESSAGE; see 'kldve help COMMAND'" on standard error; `command` may be NULL.
 *  @return EXIT_USAGE. */
int args_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Whether an entry of a table is an option, not a heading or what is left over. */
bool args_is_option(const arg_option *o);

/** args_man.c: the manual page, for the build: `kldve help COMMAND --man`. */
void args_man(const arg_command *command);

/** args_help.c: the text of `kldve help COMMAND` on standard output. */
void args_help(const arg_command *command);

#endif
