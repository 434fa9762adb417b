/* faithful.h - the quick figure of KLDVE_FLAG_CHECK: does the score follow what the map marks? */
#ifndef KLDVE_LIB_FAITHFUL_H
#define KLDVE_LIB_FAITHFUL_H

#include "run.h"

enum {
    KLDVE_CHECK_PASSES = 32,      /**< the default of kldve_options.check_passes */
    KLDVE_CHECK_PASSES_LEAST = 5, /**< of two steps */
};

/** Map -> record.faithfulness, faithfulness_control and check_passes, by further passes of the
 *  network.  Nothing happens where there is none that takes inputs, and for a flat map. */
kldve_status kldve_run_faithfulness(kldve_run *run);

#endif
