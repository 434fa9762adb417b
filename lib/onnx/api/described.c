/* described.c - what a loaded network says of itself: its notes, its choice, its tensors. */
#include "load.h"

#include <string.h>

kldve_status kldve_onnx_note(const kldve_onnx *net, int32_t index, const char **note)
{
    const char *found;

    if (!net || !note)
        return KLDVE_E_ARG;
    if (!(found = kx_note_at(&net->choice.notes, index)))
        return KLDVE_E_NOT_FOUND;
    *note = found;
    return KLDVE_OK;
}

kldve_status kldve_onnx_chosen(const kldve_onnx *net, kldve_onnx_choice *out)
{
    kldve_onnx_choice c = {.struct_size = sizeof c};

    if (!net)
        return KLDVE_E_ARG;
    c.layer = net->choice.layer ? net->choice.layer->name : NULL;
    c.logits = net->choice.logits->name;
    c.how = net->choice.how;
    c.all_paths = net->choice.all_paths;
    c.scores = net->choice.scores;
    c.straight_through = net->choice.straight_through;
    c.grid_height = (int32_t)net->choice.view.height;
    c.grid_width = (int32_t)net->choice.view.width;
    c.leading = (int32_t)net->choice.view.leading;
    c.size_open = net->inputs.size_open;
    c.frames = net->choice.layer ? (int32_t)net->choice.view.frames : 1;
    return kldve_struct_store(NULL, "kldve_onnx_choice", &c, sizeof c, out);
}

static kldve_status describe(const kldve_onnx *net, const kx_value *v, kldve_onnx_tensor *out)
{
    kldve_onnx_tensor t = {.struct_size = sizeof t};
    kx_view view;

    t.name = v->name;
    t.op = v == net->choice.file_input ? "" : net->graph->node[v->producer].type;
    t.rank = v->shape.rank;
    t.explainable = kx_explainable(&net->choice, v, &view);
    t.is_layer = v == net->choice.file_layer;
    t.is_logits = v == net->choice.logits;
    if (t.explainable || (v == net->choice.file_input && t.rank == 4)) {
        t.channel_axis = t.explainable ? view.channels : net->choice.channels_last ? 3 : 1;
        t.grid_height =
            (int32_t)(t.explainable ? view.height : v->shape.dim[t.channel_axis == 1 ? 2 : 1]);
        t.grid_width =
            (int32_t)(t.explainable ? view.width : v->shape.dim[t.channel_axis == 1 ? 3 : 2]);
        t.leading = t.explainable ? (int32_t)view.leading : 0;
    }
    memcpy(t.dim, v->shape.dim, sizeof t.dim);
    if (v == net->choice.file_input) {
        t.rank = net->inputs.rank;
        memcpy(t.dim, net->inputs.dim, sizeof t.dim);
    }
    /* Without a context: threads share the network. */
    return kldve_struct_store(NULL, "kldve_onnx_tensor", &t, sizeof t, out);
}

kldve_status kldve_onnx_tensor_at(const kldve_onnx *net, int32_t index, kldve_onnx_tensor *out)
{
    if (!net)
        return KLDVE_E_ARG;
    if (index < 0 || index >= net->choice.ntensor)
        return KLDVE_E_NOT_FOUND;
    return describe(net, net->choice.tensor[index], out);
}

kldve_status kldve_onnx_tap_at(const kldve_onnx *net, int32_t index, kldve_onnx_tensor *out)
{
    if (!net)
        return KLDVE_E_ARG;
    if (net->taps.count == 0)
        return KLDVE_E_UNSUPPORTED;
    return index < 0 || index >= net->taps.count ? KLDVE_E_NOT_FOUND
                                                 : describe(net, net->taps.value[index], out);
}
