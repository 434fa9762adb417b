/* labels.h - the names of a network's classes, from a text file with one label a line.
 *
 * Line i, from 0, names class i.  A line may begin with a WordNet synset and may hold several names
 * of the class, separated by commas:
 *
 *     n01440764 tench, Tinca tinca
 *     n01443537 goldfish, Carassius auratus
 *
 * The bytes of a name are those of the file, whether they are UTF-8 or not. */
#ifndef KLDVE_LABELS_H
#define KLDVE_LABELS_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Labels in the order of the classes.  They never change once made: any number of threads may read
 *  them at the same time. */
typedef struct kldve_labels kldve_labels;

/** Read a file of labels.  A byte order mark, CR before LF and empty lines at the end are dropped.
 *  @param out  On KLDVE_OK new labels; free them with kldve_labels_free().
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_FORMAT (no labels, or a NUL byte: not a text file);
 *          KLDVE_E_LIMIT (above KLDVE_LIMIT_LABELS); KLDVE_E_NOMEM; KLDVE_E_ARG.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_labels_load(kldve_ctx *ctx, const char *path,
                                                          kldve_labels **out);

/** kldve_labels_load() from memory.
 *  @param text  [nbytes], copied; needs no NUL at its end.
 *  @return As kldve_labels_load(), but never KLDVE_E_IO.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_labels_parse(kldve_ctx *ctx, const char *text,
                                                           size_t nbytes, kldve_labels **out);

/** Accepts NULL.  @since 0.1 */
KLDVE_API void kldve_labels_free(kldve_labels *labels);

/** The number of labels; 0 of NULL.  @since 0.1 */
KLDVE_API int32_t kldve_labels_count(const kldve_labels *labels);

/** The label of class `index` without its synset, "tench, Tinca tinca".
 *  @param name  Borrowed: it lives as long as the labels.
 *  @return KLDVE_OK, KLDVE_E_NOT_FOUND (no such class), KLDVE_E_ARG (NULL).
 *  @since 0.1 */
KLDVE_API kldve_status kldve_labels_name(const kldve_labels *labels, int32_t index,
                                         const char **name);

/** The synset of class `index`, "n01440764"; "" if its line has none.
 *  @param synset  Borrowed: it lives as long as the labels.
 *  @return As kldve_labels_name().
 *  @since 0.1 */
KLDVE_API kldve_status kldve_labels_synset(const kldve_labels *labels, int32_t index,
                                           const char **synset);

/** Find the class that a user means.
 *  @param ctx    Of the caller, for the message of a failure.
 *  @param what   The first of these that fits counts: an index in decimal digits, a synset, a whole
 *                label, one of the names of a label.  Case does not matter for ASCII letters.
 *  @param index  On KLDVE_OK the class.
 *  @return KLDVE_OK; KLDVE_E_NOT_FOUND: nothing fits (the message suggests the nearest labels);
 *          KLDVE_E_ARG: several classes fit (the message lists them), or NULL.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_labels_find(kldve_ctx *ctx,
                                                          const kldve_labels *labels,
                                                          const char *what, int32_t *index);

#ifdef __cplusplus
}
#endif
#endif
