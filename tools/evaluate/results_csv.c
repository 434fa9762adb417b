/* results_csv.c - means and differences as CSV, one row each; and the fields of CSV (RFC 4180, with
 * single line feeds). */
#include "results.h"

#include <math.h>
#include <string.h>

/* CSV has no escapes, and people look at it: text is as a terminal may have it. */
void results_put_field(FILE *file, const char *text)
{
    char clean[4 * MESSAGE_SIZE];

    clean_text(text, clean, sizeof clean);
    text = clean;
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

void results_put_number(FILE *file, double value)
{
    if (!isnan(value))
        fprintf(file, "%.17g", value);
}

/* "kind,network,metric,method,minus," and the numbers. */
static void put_row(FILE *file, const char *const text[5], const estimate *e)
{
    for (int i = 0; i < 5; i++) {
        results_put_field(file, text[i]);
        fputc(',', file);
    }
    results_put_number(file, e->mean);
    fputc(',', file);
    results_put_number(file, e->low);
    fputc(',', file);
    results_put_number(file, e->high);
    fprintf(file, ",%d,%d,%d\n", (int)e->questions, (int)e->pictures, (int)e->undefined);
}

/* "": all together. */
static const char *name_of(const summary *m, int32_t net)
{
    return net < m->plan->networks ? m->plan->network[net].name : "";
}

static void put_means(FILE *file, const summary *m, int32_t net, int32_t metric)
{
    const store_plan *p = m->plan;

    for (int32_t i = 0; i < p->methods; i++) {
        const char *const text[] = {"mean", name_of(m, net), p->metric[metric].name,
                                    p->method[i].name, ""};

        put_row(file, text, summary_mean(m, net, metric, i));
    }
}

static void put_methods(FILE *file, const summary *m, int32_t net, int32_t metric)
{
    const store_plan *p = m->plan;

    for (int32_t i = 0; i < p->methods; i++)
        for (int32_t j = 0; j < i; j++) {
            const char *const text[] = {"method minus method", name_of(m, net),
                                        p->metric[metric].name, p->method[i].name,
                                        p->method[j].name};

            put_row(file, text, summary_method_minus(m, net, metric, i, j));
        }
}

static void put_networks(FILE *file, const summary *m, int32_t net, int32_t metric)
{
    const store_plan *p = m->plan;

    for (int32_t other = 0; other < net; other++)
        for (int32_t i = 0; i < p->methods; i++) {
            const char *const text[] = {"network minus network", p->network[net].name,
                                        p->metric[metric].name, p->method[i].name,
                                        p->network[other].name};

            put_row(file, text, summary_network_minus(m, net, other, metric, i));
        }
}

bool results_write_csv(const summary *m, const char *path)
{
    output_stream o;

    if (!output_begin(&o, path))
        return false;
    fputs("kind,network,metric,method,minus,mean,low,high,questions,pictures,undefined\n", o.file);
    for (int32_t n = 0; n < summary_networks(m); n++)
        for (int32_t i = 0; i < m->plan->metrics; i++) {
            put_means(o.file, m, n, i);
            put_methods(o.file, m, n, i);
            if (n < m->plan->networks)
                put_networks(o.file, m, n, i);
        }
    return output_end(&o, true);
}
