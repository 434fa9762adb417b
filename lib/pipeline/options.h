/* options.h - the options of one explanation, checked and with every default filled in. */
#ifndef KLDVE_LIB_OPTIONS_H
#define KLDVE_LIB_OPTIONS_H

#include <kldve/kldve.h>

/** The reading stays as it is: only some methods have one.
 *  @param src  The caller's, or NULL. */
kldve_status kldve_options_load(kldve_ctx *ctx, const kldve_options *src, kldve_options *dst);

/** For kldve_ctx_enter(), before anything is checked.
 *  @return src->deadline_ms; 0 where kldve_options_load() will refuse the options. */
double kldve_options_deadline(const kldve_options *src);

#endif
