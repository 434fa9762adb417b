/* grid_names.c - what pictures, networks and classes are called. */
#include "grid_parts.h"

#include <stdio.h>
#include <string.h>

void grid_stem(const char *path, char out[LABEL_SIZE])
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    char whole[MESSAGE_SIZE];

    snprintf(whole, sizeof whole, "%.*s", dot && dot > name ? (int)(dot - name) : (int)strlen(name),
             name);
    clean_text(whole, out, LABEL_SIZE);
}

static void append(char text[LABEL_SIZE], const char *more)
{
    char whole[2 * LABEL_SIZE + 2];

    snprintf(whole, sizeof whole, "%s %s", text, more);
    clean_text(whole, text, LABEL_SIZE);
}

/* Whether another network has the same name and, if asked, the same layer. */
static bool has_twin(const grid *g, int32_t i, bool same_layer)
{
    const grid_network *n = &g->network[i];

    for (int32_t j = 0; j < g->networks; j++)
        if (j != i && strcmp(g->network[j].file, n->file) == 0 &&
            (!same_layer || strcmp(g->network[j].net.layer, n->net.layer) == 0))
            return true;
    return false;
}

void grid_name_networks(grid *g)
{
    for (int32_t i = 0; i < g->networks; i++) {
        grid_network *n = &g->network[i];

        const char *of_card = kldve_card_name(n->net.card);

        if (n->args->title)
            clean_text(n->args->title, n->file, sizeof n->file);
        else if (of_card && (n->args->model || n->args->card))
            clean_text(of_card, n->file, sizeof n->file);
        else if (n->args->model)
            grid_stem(n->args->model, n->file);
        else
            clean_text(n->net.name, n->file, sizeof n->file);
    }
    for (int32_t i = 0; i < g->networks; i++) {
        grid_network *n = &g->network[i];
        char number[16];

        memcpy(n->name, n->file, sizeof n->name);
        snprintf(number, sizeof number, "#%d", (int)i + 1);
        if (has_twin(g, i, false))
            append(n->name, n->net.layer);
        if (has_twin(g, i, true))
            append(n->name, number);
    }
}

const char *grid_label(const grid *g, int32_t net, int32_t index, char out[LABEL_SIZE])
{
    if (!network_label(&g->network[net].net, index, out))
        snprintf(out, LABEL_SIZE, "class %d", (int)index);
    return out;
}

const char *grid_short_label(const grid *g, int32_t net, int32_t index, char out[LABEL_SIZE])
{
    char *comma;

    grid_label(g, net, index, out);
    comma = strchr(out, ',');
    if (comma && comma > out)
        *comma = '\0';
    return out;
}
