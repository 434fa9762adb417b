/* layout.c - public structs begin with their size and end without padding: a member that is
 * appended must not land where an older program's struct already had bytes. */
#include <assert.h>
#include <stddef.h>

#include <kldve/kldve.h>
#include <kldve/method.h>
#include <kldve/metrics.h>
#ifdef WITH_ONNX
#include <kldve/onnx.h>
#endif

#define ENDS_WITH(type, member)                                                                    \
    static_assert(offsetof(type, struct_size) == 0, #type " begins with struct_size");             \
    static_assert(offsetof(type, member) + sizeof(((type *)0)->member) == sizeof(type),            \
                  #type " ends with " #member ", without padding")

ENDS_WITH(kldve_allocator, opaque);
ENDS_WITH(kldve_divergence_options, neighbour_perplexity);
ENDS_WITH(kldve_divergence_info, summation);
ENDS_WITH(kldve_shape, head);
ENDS_WITH(kldve_pick, has_box);
ENDS_WITH(kldve_bias_gradient, reserved);
ENDS_WITH(kldve_attention, width);
ENDS_WITH(kldve_backend, randomise);
ENDS_WITH(kldve_options, neighbour_perplexity);
ENDS_WITH(kldve_input_spec, alpha_pad);
ENDS_WITH(kldve_arrays, seen_height);
ENDS_WITH(kldve_feature_maps, picture_height);
ENDS_WITH(kldve_timings, reduce);
ENDS_WITH(kldve_record, faithfulness_control);
ENDS_WITH(kldve_render_options, part);
ENDS_WITH(kldve_pixels, stride);
ENDS_WITH(kldve_job, error);
ENDS_WITH(struct kldve_method, result_flags);
ENDS_WITH(kldve_metric_options, tolerance);
ENDS_WITH(kldve_metric_subject, options);
ENDS_WITH(kldve_metric_job, drawn);
ENDS_WITH(struct kldve_metric, defaults);
#ifdef WITH_ONNX
ENDS_WITH(kldve_onnx_input, data);
ENDS_WITH(kldve_onnx_dim, size);
ENDS_WITH(kldve_onnx_options, deadline_ms);
ENDS_WITH(kldve_onnx_tensor, grid_width);
ENDS_WITH(kldve_onnx_needs, peak);
ENDS_WITH(kldve_onnx_choice, reserved);
ENDS_WITH(kldve_card_value, reserved);
ENDS_WITH(kldve_onnx_files, labels_nbytes);
#endif

static_assert(sizeof(kldve_shape) <= KLDVE_SHAPE_ROOM, "backends are promised the room");

/* The numbers are ABI. */
static_assert(KLDVE_OK == 0 && KLDVE_E_NOMEM == -1 && KLDVE_E_ARG == -2 && KLDVE_E_IO == -3 &&
                  KLDVE_E_FORMAT == -4 && KLDVE_E_UNSUPPORTED == -5 && KLDVE_E_BACKEND == -6 &&
                  KLDVE_E_NUMERIC == -7 && KLDVE_E_NO_VJP == -8 && KLDVE_E_UNATTAINABLE == -9 &&
                  KLDVE_E_CANCELLED == -10 && KLDVE_E_LIMIT == -11 && KLDVE_E_DEADLINE == -12,
              "status values are never renumbered");
static_assert(KLDVE_READING_DEFAULT == 0 && KLDVE_READING_PAPER == 1 &&
                  KLDVE_READING_CHANNEL == 2 && KLDVE_READING_CONTRAST == 3 &&
                  KLDVE_READING_RIVALS == 4 && KLDVE_READING_NEIGHBOURS == 5,
              "readings are never renumbered");
static_assert(KLDVE_TARGET_RANK == 0 && KLDVE_TARGET_INDEX == 1 && KLDVE_TARGET_SET == 2 &&
                  KLDVE_TARGET_VERSUS == 3 && KLDVE_FLAG_CHECK == 1 && KLDVE_SIGN_DEFAULT == 0 &&
                  KLDVE_SIGN_POSITIVE == 1 && KLDVE_SIGN_SIGNED == 2 && KLDVE_SIGN_ABSOLUTE == 3 &&
                  KLDVE_SCORE_LOGIT == 0 && KLDVE_SCORE_PROBABILITY == 1 &&
                  KLDVE_SCORE_LOG_ODDS == 2,
              "options are never renumbered");
static_assert(KLDVE_BASELINE_DEFAULT == 0 && KLDVE_BASELINE_ZERO == 1 && KLDVE_BASELINE_BLUR == 2 &&
                  KLDVE_BASELINE_MEAN == 3 && KLDVE_BASELINE_BLACK == 4 &&
                  KLDVE_BASELINE_WHITE == 5 && KLDVE_METRIC_NEED_NETWORK == 1 &&
                  KLDVE_METRIC_NEED_EXPLANATIONS == 2 && KLDVE_METRIC_NEED_TRUTH == 4 &&
                  KLDVE_METRIC_NEED_OTHER == 8 && KLDVE_METRIC_NEED_RANDOMISED == 16,
              "what metrics need and read is never renumbered");
static_assert(KLDVE_BETTER_NEITHER == 0 && KLDVE_BETTER_LOWER == 1 && KLDVE_BETTER_HIGHER == 2,
              "what is better is never renumbered");

int main(void)
{
    return 0;
}
