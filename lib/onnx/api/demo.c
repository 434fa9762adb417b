/* demo.c - the demonstration network inside the library, so that the first picture needs no
 * download and no path.  The arrays are generated from the files of demo/ by embed.c. */
#include <kldve/onnx.h>

#include <string.h>

extern const unsigned char kx_demo_model[], kx_demo_card[], kx_demo_labels[];
extern const size_t kx_demo_model_nbytes, kx_demo_card_nbytes, kx_demo_labels_nbytes;

#ifdef KX_HAVE_DEMO
kldve_status kldve_onnx_demo(kldve_onnx_demo_files *out)
{
    kldve_onnx_demo_files files;
    size_t size;

    if (!out || out->struct_size < sizeof out->struct_size)
        return KLDVE_E_ARG;
    memset(&files, 0, sizeof files);
    size = out->struct_size < sizeof files ? out->struct_size : sizeof files;
    files.struct_size = size;
    files.model = kx_demo_model;
    files.model_nbytes = kx_demo_model_nbytes;
    files.card = (const char *)kx_demo_card;
    files.card_nbytes = kx_demo_card_nbytes;
    files.labels = (const char *)kx_demo_labels;
    files.labels_nbytes = kx_demo_labels_nbytes;
    memcpy(out, &files, size);
    return KLDVE_OK;
}
#else
kldve_status kldve_onnx_demo(kldve_onnx_demo_files *out)
{
    return out ? KLDVE_E_UNSUPPORTED : KLDVE_E_ARG;
}
#endif
