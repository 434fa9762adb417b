/* demo.c - the demonstration network inside the library, so that the first picture needs no
 * download and no path.  The arrays are generated from the files of demo/ by embed.c. */
#include <kldve/onnx.h>

extern const unsigned char kx_demo_model[], kx_demo_card[], kx_demo_labels[];
extern const size_t kx_demo_model_nbytes, kx_demo_card_nbytes, kx_demo_labels_nbytes;

#ifdef KX_HAVE_DEMO
kldve_status kldve_onnx_demo(kldve_onnx_files *out)
{
    const kldve_onnx_files files = {
        .struct_size = sizeof files,
        .model = kx_demo_model,
        .model_nbytes = kx_demo_model_nbytes,
        .card = (const char *)kx_demo_card,
        .card_nbytes = kx_demo_card_nbytes,
        .labels = (const char *)kx_demo_labels,
        .labels_nbytes = kx_demo_labels_nbytes,
    };

    return kldve_struct_store(NULL, "kldve_onnx_files", &files, sizeof files, out);
}
#else
kldve_status kldve_onnx_demo(kldve_onnx_files *out)
{
    return out ? KLDVE_E_UNSUPPORTED : KLDVE_E_ARG;
}
#endif
