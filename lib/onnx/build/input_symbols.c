/* input_symbols.c - sizes of dimensions by what the file calls them, "h" or "2*h".  See
 * input_parts.h.
 *
 *     sum = term {(+ | -) term},   term = factor {(* | / | //) factor},
 *     factor = number | symbol | ( sum )
 *
 * Divisions must leave no rest, or are those of //, rounded down.  What is unknown makes all
 * unknown. */
#include "input_parts.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH = 8, SYMBOL = 64 };
static const int64_t most = INT32_MAX; /* of every number on the way */

typedef struct parser {
    const kx_settler *s;
    const char *at;
    int32_t depth;
} parser;

/* That of an input's shape as the user gives its value; 0: none has the symbol. */
static int64_t by_values(const kx_settler *s, const char *symbol)
{
    for (int32_t i = 0; i < s->m->ninput; i++) {
        const kx_proto_value *v = &s->m->input[i];
        const kldve_onnx_input *given = kx_settle_given(s, v->name);

        for (int32_t k = 0; given && given->rank == v->rank && k < v->rank; k++)
            if (v->dim[k] <= 0 && v->symbol[k] && strcmp(v->symbol[k], symbol) == 0)
                return given->dims[k];
    }
    return 0;
}

int64_t kx_settle_symbol(const kx_settler *s, const char *symbol)
{
    const kldve_onnx_options *u = s->o->user;

    for (int32_t i = 0; i < u->dim_count; i++)
        if (strcmp(u->dims[i].name, symbol) == 0) {
            s->dim_used[i] = true;
            return u->dims[i].size;
        }
    for (int32_t i = 0; i < s->picture.rank; i++)
        if (s->file_picture->symbol[i] && s->picture.dim[i] > 0 &&
            strcmp(s->file_picture->symbol[i], symbol) == 0)
            return s->picture.dim[i];
    return by_values(s, symbol);
}

static int64_t sum(parser *p);

static void skip_blanks(parser *p)
{
    p->at += strspn(p->at, " ");
}

static int64_t number(parser *p)
{
    int64_t n = 0;

    for (; isdigit((unsigned char)*p->at) && n <= most; p->at++)
        n = 10 * n + (*p->at - '0');
    return n;
}

static int64_t factor(parser *p)
{
    char name[SYMBOL];
    size_t n = 0;
    int64_t value;

    skip_blanks(p);
    if (isdigit((unsigned char)*p->at))
        return number(p);
    if (*p->at == '(' && p->depth < DEPTH) {
        p->at++;
        p->depth++;
        value = sum(p);
        p->depth--;
        skip_blanks(p);
        return *p->at == ')' ? (p->at++, value) : 0;
    }
    while ((isalnum((unsigned char)p->at[n]) || p->at[n] == '_' || p->at[n] == '.') &&
           n < SYMBOL - 1) {
        name[n] = p->at[n];
        n++;
    }
    name[n] = '\0';
    p->at += n;
    return n > 0 ? kx_settle_symbol(p->s, name) : 0;
}

static int64_t divided(int64_t a, int64_t b, bool down)
{
    return b > 0 && (down || a % b == 0) ? a / b : 0;
}

static int64_t term(parser *p)
{
    int64_t value = factor(p);

    for (skip_blanks(p); value > 0 && value <= most && (*p->at == '*' || *p->at == '/');
         skip_blanks(p)) {
        char op = *p->at++;
        bool down = op == '/' && *p->at == '/';
        int64_t other;

        p->at += down;
        other = factor(p);
        if (other < 1 || other > most)
            return 0;
        value = op == '*' ? value * other : divided(value, other, down);
    }
    return value;
}

static int64_t sum(parser *p)
{
    int64_t value = term(p);

    for (skip_blanks(p); value > 0 && value <= most && (*p->at == '+' || *p->at == '-');
         skip_blanks(p)) {
        char op = *p->at++;
        int64_t other = term(p);

        if (other < 1 || other > most)
            return 0;
        value = op == '+' ? value + other : value - other;
    }
    return value;
}

int64_t kx_settle_expression(const kx_settler *s, const char *text)
{
    parser p = {.s = s, .at = text};
    int64_t value = sum(&p);

    skip_blanks(&p);
    return *p.at == '\0' && value > 0 && value <= most ? value : 0;
}

bool kx_settle_is_expression(const char *symbol)
{
    return symbol && strpbrk(symbol, "+-*/()") != NULL;
}
