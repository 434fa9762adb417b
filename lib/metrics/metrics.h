/* metrics.h - the table of metrics.
 *
 * A metric is one file of this folder with one `const kldve_metric`, one line below, one in
 * metrics.c and one in meson.build. */
#ifndef KLDVE_LIB_METRICS_H
#define KLDVE_LIB_METRICS_H

#include <kldve/metrics.h>

extern const kldve_metric kldve_energy_area_metric;

#endif
