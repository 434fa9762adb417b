/* expected.c - the class that a picture should have: what the network looks at for it, beside what
 * it looks at for the class that it says.
 *
 * The two maps agree where their correlation is 0.7 or more, and look elsewhere from 0.3 down: an r
 * of 0.7 means that one map explains half of what varies in the other, 0.3 less than a tenth. */
#include "expected.h"
#include "cli/figures.h"
#include "cli/getters.h"
#include "grid/grid_likeness.h"
#include "sheet/pair.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char in_folder[] = "folder", in_list[] = "list:";

/* ---- which class -------------------------------------------------------------------------- */

static const char *list_of(const char *text)
{
    size_t n = strlen(in_list);

    return strncmp(text, in_list, n) == 0 ? text + n : NULL;
}

/* "a/cat/1.png" -> "cat"; false: it lies in no folder. */
static bool folder_name(const char *path, char out[LABEL_SIZE])
{
    const char *end = strrchr(path, '/'), *from = end;

    while (from && from > path && from[-1] != '/')
        from--;
    if (!end || from == end)
        return false;
    snprintf(out, LABEL_SIZE, "%.*s", (int)(end - from), from);
    return true;
}

/* Cut "PATH,LABEL" or "PATH<TAB>LABEL" in two at the last of them; NULL: it has neither. */
static char *cut(char *line)
{
    char *tab = strrchr(line, '\t'), *at = tab ? tab : strrchr(line, ',');

    if (at)
        *at++ = '\0';
    return at;
}

/* The line of a list that is about a picture: its path as given, or else its name without folders.
 */
static bool label_in_list(const char *list, const char *path, char out[LABEL_SIZE])
{
    FILE *file = input_file(list);
    char *line = NULL, *label;
    size_t room = 0;
    bool found = false, whole = false, ok;

    if (!file)
        return false;
    while (!whole && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        label = cut(line);
        whole = label && strcmp(line, path) == 0;
        if (whole || (label && !found && strcmp(line, base_name(path)) == 0)) {
            snprintf(out, LABEL_SIZE, "%s", label);
            found = true;
        }
    }
    ok = !ferror(file);
    if (!ok)
        complain("%s: cannot read: %s", list, strerror(errno));
    free(line);
    fclose(file);
    if (ok && !found)
        complain("%s: %s names no class for it", path, list);
    return ok && found;
}

static bool label_of(const explain_args *args, char out[LABEL_SIZE])
{
    const char *path = args->picture.text[0], *list = list_of(args->expected);

    if (list)
        return label_in_list(list, path, out);
    if (strcmp(args->expected, in_folder) != 0) {
        snprintf(out, LABEL_SIZE, "%s", args->expected);
        return true;
    }
    if (folder_name(path, out))
        return true;
    complain("%s: it lies in no folder whose name could be its class", path);
    return false;
}

static bool find_class(const network *n, const char *label, int32_t *index)
{
    char *end;
    long number = strtol(label, &end, 10);

    if (n->labels) {
        if (kldve_labels_find(n->ctx, n->labels, label, index) == KLDVE_OK)
            return true;
        complain("%s: expected class %s: %s", n->name, label, kldve_ctx_message(n->ctx));
        return false;
    }
    *index = (int32_t)number;
    if (end != label && *end == '\0' && number >= 0 && number < n->shape.classes)
        return true;
    complain("%s: expected class %s: the network has no labels; give an index from 0 to %d",
             n->name, label, (int)n->shape.classes - 1);
    return false;
}

const char *expected_list(const explain_args *args)
{
    return args->expected ? list_of(args->expected) : NULL;
}

int expected_check_args(const explain_args *args)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {{args->target.count > 0, "target"},
                  {args->rival != NULL, "rival"},
                  {args->fuse.count > 0, "fuse"},
                  {args->terminal, "terminal"}};

    if (!args->expected)
        return EXIT_DONE;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            return args_usage("explain",
                              "--expected explains what the network says beside what it should "
                              "say: give no --%s with it",
                              others[i].name);
    return EXIT_DONE;
}

bool expected_fits(const network *n)
{
    if (n->shape.scores != KLDVE_SCORES_NUMBER)
        return true;
    complain("%s: gives one number, and --expected is about classes", n->name);
    return false;
}

/* ---- the second map ----------------------------------------------------------------------- */

static int32_t rank_of(const kldve_heatmap *map, int32_t index)
{
    size_t count;
    const float *logits = map_logits(map, &count);
    int32_t rank = 1;

    for (int32_t i = 0; i < (int32_t)count; i++)
        rank += logits[i] > logits[index] || (i < index && logits[i] == logits[index]);
    return rank;
}

bool expected_make(explanation *e, const explain_args *args, const kldve_options *said)
{
    explain_expected *x = &e->expected;
    kldve_options o = *said;
    char label[LABEL_SIZE];
    kldve_status status;

    if (!expected_fits(&e->net) || !label_of(args, label) || !find_class(&e->net, label, &x->index))
        return false;
    x->rank = rank_of(e->map, x->index);
    if (x->rank == 1)
        return true;
    o.target_kind = KLDVE_TARGET_INDEX;
    o.target = x->index;
    status = subject_explain(e, &e->net, &o, &x->map);
    x->record.struct_size = sizeof x->record;
    if (status == KLDVE_OK)
        status = kldve_heatmap_record(x->map, &x->record);
    if (status != KLDVE_OK) {
        complain_ctx(e->net.ctx, e->net.name, status);
        return false;
    }
    x->likeness = grid_likeness(e->net.ctx, e->map, x->map);
    return true;
}

/* ---- in words ----------------------------------------------------------------------------- */

static const char *place_words(double likeness)
{
    return isnan(likeness)   ? "one of them is flat"
           : likeness >= 0.7 ? "they look at the same place"
           : likeness <= 0.3 ? "they look at different places"
                             : "they look partly at the same place";
}

/* "tench 9.4 %" of "tench, Tinca tinca" */
static void class_words(const explanation *e, int32_t index, char *out, size_t size)
{
    char label[LABEL_SIZE];

    if (!network_label(&e->net, index, label))
        snprintf(label, sizeof label, "class %d", (int)index);
    label[strcspn(label, ",")] = '\0';
    snprintf(out, size, "%s %.1f %%", label, 100 * classes_probability(e->map, index));
}

void expected_words(const explanation *e, char out[2 * LABEL_SIZE])
{
    const explain_expected *x = &e->expected;
    char class[LABEL_SIZE + 32];

    class_words(e, x->index, class, sizeof class);
    if (x->rank == 1)
        snprintf(out, 2 * LABEL_SIZE, "as expected");
    else
        snprintf(out, 2 * LABEL_SIZE, "expected %s, rank %d; the two maps correlate by %.2f: %s",
                 class, (int)x->rank, x->likeness, place_words(x->likeness));
}

/* ---- drawn -------------------------------------------------------------------------------- */

kldve_status expected_draw(const explanation *e, const explain_args *args,
                           const kldve_image *picture, kldve_image **out)
{
    const explain_expected *x = &e->expected;
    explanation other = *e;
    kldve_image *left = NULL, *right = NULL;
    char said[LABEL_SIZE + 32], meant[LABEL_SIZE + 32], foot[LABEL_SIZE];
    pair_text text = {.left = {"It said", said}, .right = {"It should have said", meant}};
    kldve_status status;

    other.map = x->map;
    other.record = x->record;
    class_words(e, e->record.target, said, sizeof said);
    class_words(e, x->index, meant, sizeof meant);
    snprintf(foot, sizeof foot, "The two maps correlate by %.2f: %s.", x->likeness,
             place_words(x->likeness));
    text.foot = foot;
    status = explain_render(e, args, picture, &left);
    if (status == KLDVE_OK)
        status = explain_render(&other, args, picture, &right);
    if (status == KLDVE_OK)
        status = pair_draw(e->net.ctx, left, right, &text, out);
    kldve_image_free(left);
    kldve_image_free(right);
    return status;
}

/* ---- as JSON ------------------------------------------------------------------------------ */

static json_object *new_class(const explanation *e)
{
    const explain_expected *x = &e->expected;
    json_object *object = json_new_class(&e->net, x->index, map_logits(e->map, NULL)[x->index],
                                         classes_probability(e->map, x->index));

    if (object && json_put(object, "rank", json_object_new_int(x->rank)))
        return object;
    json_object_put(object);
    return NULL;
}

static json_object *new_map(const explanation *e)
{
    const explain_expected *x = &e->expected;
    double *metric = calloc((size_t)figures_count(), sizeof *metric);
    json_object *object = json_object_new_object();
    bool ok = metric && object && figures_measure(e->net.ctx, e->net.name, x->map, metric) &&
              json_put_flags(object, x->record.flags) &&
              figures_put_map(object, &e->net, x->map, &x->record, metric);

    free(metric);
    if (ok)
        return object;
    json_object_put(object);
    return NULL;
}

bool expected_put(json_object *object, const explanation *e)
{
    const explain_expected *x = &e->expected;

    return json_put(object, "expected", new_class(e)) &&
           json_put(object, "correct", json_object_new_boolean(x->rank == 1)) &&
           (x->rank == 1 || (json_put(object, "expected_map", new_map(e)) &&
                             json_put_number(object, "likeness", x->likeness, 9)));
}
