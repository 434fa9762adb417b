/* worker_ask.c - which class the methods are asked about: that of the label, that of a photograph
 * of a mosaic by itself, or the target that the command names. */
#include "worker_task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void worker_no_maps(task *t, const char *why)
{
    for (int32_t m = 0; m < t->u->methods; m++)
        clean_text(why, t->u->method[m].why, UNIT_WHY_SIZE);
}

static void ask_label(task *t, const question *q)
{
    const dataset_targets *targets = &t->w->e->network[t->u->network].targets;
    const int32_t *from = q->label_number < 0 ? NULL : targets->first + q->label_number;
    char why[UNIT_WHY_SIZE];

    if (!from || from[0] == from[1]) {
        snprintf(why, sizeof why, "%s%.180s", q->label ? "the network has no class " : "no label",
                 q->label ? q->label : "");
        worker_no_maps(t, why);
        return;
    }
    t->target.target_kind = from[1] - from[0] == 1 ? KLDVE_TARGET_INDEX : KLDVE_TARGET_SET;
    t->target.target = targets->target[from[0]];
    if (t->target.target_kind == KLDVE_TARGET_SET) {
        t->target.target = 0;
        t->target.target_count = from[1] - from[0];
        t->target.targets = targets->target + from[0];
    }
}

/* The network's first class for one photograph of a mosaic by itself. */
static kldve_status first_alone(task *t, const kldve_image *image, int32_t *first)
{
    const kldve_shape *shape = &t->net->shape;
    size_t inputs = (size_t)shape->in_channels * (size_t)shape->in_height * (size_t)shape->in_width;
    float *input = malloc(inputs * sizeof *input);
    float *logits = malloc((size_t)shape->classes * sizeof *logits);
    kldve_status status = input && logits ? KLDVE_OK : KLDVE_E_NOMEM;

    if (status == KLDVE_OK)
        status = kldve_explainer_input(t->net->explainer, image, input);
    if (status == KLDVE_OK)
        status = kldve_explainer_forward(t->net->explainer, input, 1, NULL, logits);
    *first = 0;
    for (int32_t i = 1; status == KLDVE_OK && i < shape->classes; i++)
        if (logits[i] > logits[*first])
            *first = i;
    free(input);
    free(logits);
    return status;
}

/* The class of one photograph of a mosaic by itself.  False: there is none, or the run cannot go
 * on: *go_on says which. */
static bool tile_alone(task *t, int32_t tile, int32_t *first, bool *go_on)
{
    const evaluation *e = t->w->e;
    kldve_image *image = NULL;
    char why[LABEL_SIZE] = "";
    kldve_status status;

    *go_on = true;
    if (!dataset_load_tile(&e->data, t->u->question, tile, t->w->ctx,
                           &e->network[t->u->network].view, &image, why)) {
        worker_no_maps(t, why);
        *go_on = !atomic_load(&t->w->cancelled);
        return false;
    }
    status = first_alone(t, image, first);
    kldve_image_free(image);
    if (status != KLDVE_OK && worker_ends_run(t->w, status))
        *go_on = worker_give_up(t, "a photograph alone");
    else if (status != KLDVE_OK)
        worker_no_maps(t, kldve_ctx_message(t->w->ctx));
    return status == KLDVE_OK;
}

/* Two photographs of one class would make the question one without an answer. */
static bool ask_alone(task *t, const question *q)
{
    bool go_on;

    t->target.target_kind = KLDVE_TARGET_INDEX;
    if (!tile_alone(t, q->tile, &t->target.target, &go_on))
        return go_on;
    for (int32_t i = 0; i < q->photos; i++) {
        int32_t other;

        if (i == q->tile)
            continue;
        if (!tile_alone(t, i, &other, &go_on))
            return go_on;
        if (other == t->target.target)
            worker_no_maps(t, "another photograph of the mosaic is of the same class by itself");
    }
    return true;
}

bool worker_ask(task *t)
{
    const evaluation *e = t->w->e;
    const question *q = &e->data.question[t->u->question];
    const arg_list *target = &e->args->grid.target;

    memset(&t->target, 0, sizeof t->target);
    if (e->ask == ASK_ALONE)
        return ask_alone(t, q);
    if (e->ask == ASK_LABEL)
        ask_label(t, q);
    else /* it was found before, so it is there */
        return classes_target(t->net, "target", target->count > 0 ? target->text[0] : "top1",
                              &t->target);
    return true;
}
