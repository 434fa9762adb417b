/* results_export.c - every number of a database, one row each, for pandas and R: as CSV, as a JSON
 * array of objects, or as one object a line.  Rows are written as they are read: the size of the
 * database does not matter. */
#include "results.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <json-c/json.h>

#include "cli/json.h"

enum { DIGITS = 17 };

typedef struct exporter {
    const store_plan *plan;
    FILE *file;
    bool (*put)(struct exporter *e, const store_row *row);
    bool array; /* of JSON, not lines */
    bool begun; /* a row was written */
} exporter;

static const char *picture_of(const store_question *q)
{
    return q->picture ? q->picture : q->key;
}

static bool put_csv(exporter *e, const store_row *row)
{
    const store_question *q = &e->plan->question[row->question];
    const char *const text[] = {e->plan->network[row->network].name,
                                q->key,
                                picture_of(q),
                                q->label ? q->label : "",
                                e->plan->method[row->method].name,
                                e->plan->metric[row->metric].name};

    for (int i = 0; i < 6; i++) {
        results_put_field(e->file, text[i]);
        fputc(',', e->file);
    }
    results_put_number(e->file, row->value);
    fprintf(e->file, ",%d,", (int)row->says->target);
    results_put_number(e->file, (double)row->says->logit);
    fputc(',', e->file);
    results_put_number(e->file, (double)row->says->probability);
    fprintf(e->file, ",%" PRIu64 ",", row->says->flags);
    if (!isnan(row->says->ms))
        fprintf(e->file, "%.6g", row->says->ms);
    fputc(',', e->file);
    results_put_field(e->file, row->says->why);
    return fputc('\n', e->file) != EOF;
}

static bool fill_object(json_object *o, const store_plan *plan, const store_row *row)
{
    const store_question *q = &plan->question[row->question];
    const unit_method *says = row->says;

    return json_put_text(o, "network", plan->network[row->network].name) &&
           json_put_text(o, "question", q->key) && json_put_text(o, "picture", picture_of(q)) &&
           json_put_text(o, "label", q->label) &&
           json_put_text(o, "method", plan->method[row->method].name) &&
           json_put_text(o, "metric", plan->metric[row->metric].name) &&
           json_put_number(o, "value", row->value, DIGITS) &&
           json_put(o, "target", json_object_new_int(says->target)) &&
           json_put_number(o, "logit", (double)says->logit, 9) &&
           json_put_number(o, "probability", (double)says->probability, 9) &&
           json_put(o, "flags", json_object_new_int64((int64_t)says->flags)) &&
           json_put_number(o, "ms", says->ms, 6) &&
           json_put_text(o, "why", *says->why ? says->why : NULL);
}

static bool put_json(exporter *e, const store_row *row)
{
    json_object *o = json_object_new_object();
    char *text = NULL;
    bool ok;

    if (o && fill_object(o, e->plan, row))
        text = json_text(o, JSON_C_TO_STRING_NOSLASHESCAPE);
    if (text)
        fprintf(e->file, "%s%s", e->begun ? e->array ? ",\n" : "\n" : "", text);
    ok = text != NULL;
    free(text);
    json_object_put(o);
    e->begun = true;
    return ok;
}

static bool put_row(void *opaque, const store_row *row)
{
    exporter *e = opaque;

    if (e->put(e, row))
        return true;
    if (!ferror(e->file)) /* output_end() says why a file cannot be written */
        complain("out of memory");
    return false;
}

static void choose_form(exporter *e, const char *path)
{
    static const char *const json[] = {".json", NULL}, *const lines[] = {".jsonl", NULL};

    e->array = path_has_ending(path, json);
    e->put = e->array || path_has_ending(path, lines) ? put_json : put_csv;
}

bool results_export(store *s, const char *path)
{
    exporter e = {.plan = store_plan_of(s)};
    output_stream o;
    bool ok;

    if (!output_begin(&o, path))
        return false;
    e.file = o.file;
    choose_form(&e, path);
    fputs(e.put == put_csv ? "network,question,picture,label,method,metric,value,target,logit,"
                             "probability,flags,ms,why\n"
          : e.array        ? "[\n"
                           : "",
          e.file);
    ok = store_each_row(s, put_row, &e);
    fputs(e.put == put_csv ? "" : e.array ? "\n]\n" : e.begun ? "\n" : "", e.file);
    return output_end(&o, ok) && ok;
}
