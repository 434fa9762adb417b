/* unit.h - what one network says of one question of a data set: the unit of work of kldve evaluate,
 * of a transaction of its database, and of a message between processes. */
#ifndef KLDVE_TOOLS_UNIT_H
#define KLDVE_TOOLS_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNIT_WHY_SIZE = 256, UNIT_CELLS_MAX = 1 << 20 };

/** Numbers are part of the database and of messages: never renumber them. */
typedef enum unit_state {
    UNIT_MEASURED = 0,  /**< it has explanations and values */
    UNIT_UNREADABLE = 1 /**< the picture could not be read: `why` says it, there is no value */
} unit_state;

/** One explanation of a unit. */
typedef struct unit_method {
    int32_t target;           /**< index of the class explained; -1: there is no map */
    float logit, probability; /**< of that class; NaN: none */
    uint64_t flags;           /**< kldve_record.flags */
    double ms;                /**< that the map took; the only number that may differ between
                                   two runs */
    char why[UNIT_WHY_SIZE];  /**< there is no map, one line; "": there is one */
} unit_method;

typedef struct unit {
    int32_t network, question; /**< numbers in the plan, from 0 */
    int32_t state;             /**< a unit_state */
    int32_t methods, metrics;  /**< of the plan, at most UNIT_CELLS_MAX together (as a product) */
    char why[UNIT_WHY_SIZE];   /**< of a picture that is unreadable */
    unit_method *method;       /**< [methods]; counts where one of its metrics was asked for */
    uint8_t *asked;            /**< [methods][metrics]; 1: this unit answers it; 0: left alone */
    double *value;             /**< [methods][metrics]; NaN: the map has no such number */
} unit;

/** A unit that answers everything and has no values yet: all targets -1, all values NaN.  Free it
 *  with unit_free().  False: out of memory, or more cells than UNIT_CELLS_MAX; nothing is written.
 */
bool unit_new(unit *out, int32_t methods, int32_t metrics);
/** Accepts one of zero bytes. */
void unit_free(unit *u);

/** Whether some metric of this method was asked for. */
bool unit_asks(const unit *u, int32_t method);

/** As bytes, the same on every machine.  *bytes is the caller's to free().  False: out of memory.
 */
bool unit_pack(const unit *u, unsigned char **bytes, size_t *nbytes);
/** Back again.  Bytes that are no unit are refused: false, nothing is written, as for lack of
 *  memory.  Every text ends and has no control characters; free the unit with unit_free(). */
bool unit_unpack(const unsigned char *bytes, size_t nbytes, unit *out);

#endif
