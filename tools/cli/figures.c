/* figures.c - the figures of one map. */
#include "figures.h"

#include <math.h>
#include <stdlib.h>

#include "getters.h"
#include "pick.h"

int32_t figures_count(void)
{
    int32_t count = 0;

    while (map_metric(count))
        count++;
    return count;
}

bool figures_measure(kldve_ctx *ctx, const char *name, const kldve_heatmap *map, double *value)
{
    int32_t count = figures_count();
    const char **names = calloc((size_t)count, sizeof *names);
    kldve_status status;

    if (!names) {
        complain("out of memory");
        return false;
    }
    for (int32_t i = 0; i < count; i++)
        names[i] = map_metric(i)->name;
    status = kldve_metric_compute_several(ctx, map, names, count, NULL, value);
    free(names);
    if (status != KLDVE_OK)
        complain_ctx(ctx, name, status);
    return status == KLDVE_OK;
}

bool figures_put_scores(json_object *object, const network *n)
{
    bool number = n->shape.scores == KLDVE_SCORES_NUMBER;
    char label[LABEL_SIZE];

    return json_put_text(object, "scores", scores_choice(n->shape.scores)) &&
           json_put_text(object, "probabilities", scores_meaning(&n->shape)) &&
           (!number || json_put_text(object, "number", network_label(n, 0, label)));
}

static bool put_metrics(json_object *object, const double *metric)
{
    bool ok = true;

    for (int32_t i = 0; ok && map_metric(i); i++)
        ok = json_put_number(object, map_metric(i)->name, metric[i], 9);
    return ok;
}

/* Null where the network gives a number. */
static bool put_target(json_object *object, const network *n, const kldve_heatmap *map,
                       int32_t index)
{
    const float *logits = map_logits(map, NULL);

    return json_put_class(object, "target", n, index,
                          n->shape.scores == KLDVE_SCORES_NUMBER ? 0 : logits[index],
                          classes_probability(map, index));
}

bool figures_put_map(json_object *object, const network *n, const kldve_heatmap *map,
                     const kldve_record *r, const double *metric)
{
    return put_target(object, n, map, r->target) && json_put_value(object, r) &&
           pick_put_row(object, r) && json_put_text(object, "remark", kldve_heatmap_remark(map)) &&
           json_put_number(object, "kl", r->kl, 17) && put_metrics(object, metric) &&
           json_put(object, "signed", json_object_new_boolean(r->sign == KLDVE_SIGN_SIGNED)) &&
           (r->neighbour_perplexity == 0 ||
            json_put_number(object, "neighbour_perplexity", r->neighbour_perplexity, 9)) &&
           json_put(object, "height", json_object_new_int(r->height)) &&
           json_put(object, "width", json_object_new_int(r->width));
}
