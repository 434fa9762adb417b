/* choices.c - names that options choose among. */
#include "tool.h"

#include <string.h>

#define COUNT(names) ((int32_t)(sizeof(names) / sizeof *(names)))

const char *channels_choice(int32_t index)
{
    static const char *const names[] = {"RGB", "BGR", "GRAY"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}

const char *method_choice(int32_t index)
{
    return kldve_method_name(index);
}

const char *reading_choice(int32_t index)
{
    return kldve_reading_name(index + 1); /* 0 is "default" */
}

/* In the order of kldve_colormap, whose 0 is "default". */
const char *colormap_choice(int32_t index)
{
    static const char *const names[] = {"viridis", "inferno", "turbo", "jet", "grey", "diverging"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}

/* In the order of kldve_sign, whose 0 is "default". */
const char *sign_choice(int32_t index)
{
    static const char *const names[] = {"positive", "signed", "absolute"};

    return index >= 0 && index < COUNT(names) ? names[index] : NULL;
}

const char *method_title(const char *name)
{
    static const char *const titles[][2] = {
        {"kl-dve", "KL-DVE"},
        {"cam", "CAM"},
        {"grad-cam", "Grad-CAM"},
        {"grad-cam++", "Grad-CAM++"},
        {"xgrad-cam", "XGrad-CAM"},
        {"hires-cam", "HiResCAM"},
        {"layer-cam", "LayerCAM"},
        {"eigen-cam", "EigenCAM"},
        {"eigengrad-cam", "EigenGrad-CAM"},
        {"full-grad", "Full-Grad"},
        {"lafam", "LaFAM"},
        {"saliency", "Saliency"},
        {"gradient-x-input", "Gradient × input"},
        {"integrated-gradients", "Integrated gradients"},
        {"smooth-grad", "SmoothGrad"},
        {"var-grad", "VarGrad"},
        {"deconvolution", "Deconvolution"},
        {"guided-backprop", "Guided back-propagation"},
        {"guided-grad-cam", "Guided Grad-CAM"},
        {"salient-deconvolution", "Salient deconvolution"},
        {"guided-kl-dve", "Guided KL-DVE"},
        {"lrp-epsilon", "LRP ε"},
        {"lrp-zplus", "LRP z⁺"},
        {"lrp-alphabeta", "LRP αβ"},
        {"lrp-composite", "LRP composite"},
        {"occlusion", "Occlusion"},
        {"prediction-difference", "Prediction difference"},
        {"rise", "RISE"},
        {"score-cam", "Score-CAM"},
        {"ablation-cam", "Ablation-CAM"},
        {"recipro-cam", "Recipro-CAM"},
        {"kernel-shap", "KernelSHAP"},
        {"lime", "LIME"},
    };

    for (int32_t i = 0; i < COUNT(titles); i++)
        if (strcmp(titles[i][0], name) == 0)
            return titles[i][1];
    return name;
}

bool method_has_reading(const char *name)
{
    return strcmp(name, "kl-dve") == 0 || strcmp(name, "guided-kl-dve") == 0;
}
