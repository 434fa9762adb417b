/* report_list.c - the pictures of a report: files, folders, lists and annotations, in the order in
 * which they were given; and what each should be called. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "many/folder.h"

/* ---- pictures ----------------------------------------------------------------------------- */

/* Whether it is a data set and no picture. */
static bool is_source(const char *path)
{
    static const char *const lists[] = {".tsv", ".csv", ".json", ".txt", NULL};

    return folder_is(path) || path_has_ending(path, lists);
}

/* NULL after a message. */
static report_picture *add_picture(report_list *l, const char *path, int32_t source)
{
    report_picture *grown =
        realloc(l->picture, ((size_t)l->pictures + 1) * sizeof *l->picture); /* int32_t of them */

    if (!grown) {
        complain("out of memory");
        return NULL;
    }
    l->picture = grown;
    grown += l->pictures++;
    *grown = (report_picture){.path = path, .source = source};
    return grown;
}

static bool add_label(report_picture *p, int32_t number)
{
    int32_t *grown = realloc(p->label, ((size_t)p->labels + 1) * sizeof *p->label);

    if (!grown) {
        complain("out of memory");
        return false;
    }
    p->label = grown;
    p->label[p->labels++] = number;
    return true;
}

/* Questions about one photograph become one picture with several labels. */
static bool add_photos(report_list *l, int32_t source)
{
    const dataset *d = &l->source[source].data;
    int32_t *place = calloc((size_t)d->photos + 1, sizeof *place); /* 1 + number of the picture */
    bool ok = place != NULL;

    if (!ok)
        complain("out of memory");
    for (int32_t i = 0; ok && i < d->questions; i++) {
        const question *q = &d->question[i];
        int32_t photo = q->photo[0];

        if (place[photo] == 0) {
            report_picture *p = add_picture(l, d->photo[photo].path, source);

            ok = p != NULL;
            if (ok)
                p->key = d->photo[photo].key;
            place[photo] = l->pictures;
        }
        if (ok && q->label_number >= 0) {
            ok = add_label(&l->picture[place[photo] - 1], q->label_number);
            l->has_labels = true;
        }
    }
    free(place);
    return ok;
}

/* The first of the options about data sets that was given; NULL: none. */
static const char *data_option(const dataset_args *a)
{
    return a->kind > 0          ? "--format"
           : a->labels_from > 0 ? "--labels-from"
           : a->column          ? "--label-column"
           : a->classes         ? "--classes"
           : a->pictures        ? "--pictures"
                                : NULL;
}

int report_check_sources(const report_args *args)
{
    int32_t sources = 0;
    int status = EXIT_DONE;

    for (int32_t i = 0; status == EXIT_DONE && i < args->grid.picture.count; i++) {
        dataset_args data = args->data;

        data.path = args->grid.picture.text[i];
        if (!is_source(data.path))
            continue;
        sources++;
        status = dataset_check_args("report", &data);
    }
    if (status == EXIT_DONE && sources == 0 && data_option(&args->data))
        return args_usage("report",
                          "%s changes nothing: no folder and no list of pictures is given",
                          data_option(&args->data));
    return status;
}

/* Another folder or list.  False after a message. */
static bool add_source(report_list *l, const report_args *args, const char *path)
{
    report_source *s = &l->source[l->sources++];
    dataset_args data = args->data;

    data.path = path;
    if (dataset_check_args("report", &data) != EXIT_DONE || !dataset_open(&s->data, &data))
        return false;
    for (int32_t i = 0; !args->grid.quiet && i < s->data.notes; i++)
        complain("%s: %s", path, s->data.note[i]);
    return add_photos(l, l->sources - 1);
}

bool report_list_open(report_list *l, const report_args *args)
{
    const grid_args *a = &args->grid;
    bool ok;

    memset(l, 0, sizeof *l);
    l->networks = a->networks;
    l->expected = args->expected;
    l->has_labels = args->expected != NULL;
    l->source = calloc((size_t)a->picture.count, sizeof *l->source);
    ok = l->source != NULL;
    if (!ok)
        complain("out of memory");
    for (int32_t i = 0; ok && i < a->picture.count; i++)
        ok = is_source(a->picture.text[i]) ? add_source(l, args, a->picture.text[i])
                                           : add_picture(l, a->picture.text[i], -1) != NULL;
    if (ok && !report_name_pictures(l)) {
        complain("out of memory");
        ok = false;
    }
    return ok;
}

void report_list_free(report_list *l)
{
    for (int32_t i = 0; i < l->pictures; i++) {
        free(l->picture[i].shown);
        free(l->picture[i].label);
    }
    for (int32_t i = 0; i < l->sources; i++) {
        for (int32_t n = 0; l->source[i].targets && n < l->networks; n++)
            dataset_targets_free(&l->source[i].targets[n]);
        free(l->source[i].targets);
        dataset_close(&l->source[i].data);
    }
    free(l->expected_class);
    free(l->source);
    free(l->picture);
    memset(l, 0, sizeof *l);
}

/* ---- labels ------------------------------------------------------------------------------- */

/* The class of --expected in each network. */
static bool match_expected(report_list *l, const grid *g)
{
    l->expected_class = calloc((size_t)g->networks, sizeof *l->expected_class);
    if (!l->expected_class) {
        complain("out of memory");
        return false;
    }
    for (int32_t n = 0; n < g->networks; n++) {
        kldve_options o = KLDVE_OPTIONS_INIT;

        if (!classes_target(&g->network[n].net, "expected", l->expected, &o))
            return false;
        if (o.target_kind != KLDVE_TARGET_INDEX) {
            complain("--expected %s: say the class by its label or index", l->expected);
            return false;
        }
        l->expected_class[n] = o.target;
    }
    return true;
}

/* Labels that say nothing to a network: told, since nothing about their pictures is right or wrong.
 */
static void say_strange(const report_source *s, const grid *g, int32_t net)
{
    const dataset_targets *t = &s->targets[net];

    if (t->strange > 0)
        complain("%s: %d of %d labels are no class of %s, or could be several: %s", s->data.name,
                 (int)t->strange, (int)s->data.labels, g->network[net].name, t->names);
}

static bool match_source(report_source *s, const grid *g, bool quiet)
{
    s->targets = calloc((size_t)g->networks, sizeof *s->targets);
    if (!s->targets) {
        complain("out of memory");
        return false;
    }
    for (int32_t n = 0; n < g->networks; n++) {
        if (!dataset_match(&s->data, &g->network[n].net, &s->targets[n]))
            return false;
        if (!quiet)
            say_strange(s, g, n);
    }
    return true;
}

bool report_match(report_list *l, const grid *g)
{
    for (int32_t i = 0; i < l->sources; i++)
        if (l->source[i].data.labels > 0 &&
            !match_source(&l->source[i], g, g->network->args->quiet))
            return false;
    return !l->expected || match_expected(l, g);
}

bool report_expects(const report_list *l, int32_t picture, char text[LABEL_SIZE])
{
    const report_picture *p = &l->picture[picture];

    *text = '\0';
    for (int32_t i = 0; i < p->labels; i++)
        list_name(text, LABEL_SIZE, l->source[p->source].data.label[p->label[i]]);
    if (p->labels == 0 && l->expected)
        clean_text(l->expected, text, LABEL_SIZE);
    return *text != '\0';
}

/* The classes of a picture's label with number i. */
static const int32_t *classes_of_label(const report_list *l, const report_picture *p, int32_t net,
                                       int32_t i, int32_t *count)
{
    const dataset_targets *t = l->source[p->source].targets;
    int32_t first = t ? t[net].first[p->label[i]] : 0;

    *count = t ? t[net].first[p->label[i] + 1] - first : 0;
    return *count > 0 ? &t[net].target[first] : NULL;
}

int32_t report_class(const report_list *l, int32_t picture, int32_t net)
{
    const report_picture *p = &l->picture[picture];

    for (int32_t i = 0; i < p->labels; i++) {
        int32_t count;
        const int32_t *class = classes_of_label(l, p, net, i, &count);

        if (class)
            return *class;
    }
    return p->labels == 0 && l->expected_class ? l->expected_class[net] : -1;
}

bool report_is_right(const report_list *l, int32_t picture, int32_t net, int32_t said)
{
    const report_picture *p = &l->picture[picture];

    for (int32_t i = 0; i < p->labels; i++) {
        int32_t count;
        const int32_t *class = classes_of_label(l, p, net, i, &count);

        for (int32_t c = 0; c < count; c++)
            if (class[c] == said)
                return true;
    }
    return report_class(l, picture, net) == said;
}
