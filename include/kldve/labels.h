/* labels.h - the names of a network's classes: a text file with one label a line. */
#ifndef KLDVE_LABELS_H
#define KLDVE_LABELS_H

#include <kldve/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Labels, in the order of the classes.  Not changed once made: finding is safe from two threads
 *  as far as the messages of the context allow (a failed find writes one). */
typedef struct kldve_labels kldve_labels;

/** Read a file of labels.  Line i (from 0) names class i.  A line may begin with a WordNet synset
 *  ("n01440764 tench, Tinca tinca") and may hold several names of the class, separated by commas.
 *  A byte order mark, CR before LF and empty lines at the end are dropped.
 *  @return KLDVE_OK; KLDVE_E_IO; KLDVE_E_FORMAT (no labels, or a NUL byte: not a text file);
 *          KLDVE_E_LIMIT (more than 16 MiB); KLDVE_E_NOMEM.
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_labels_load(kldve_ctx *ctx, const char *path,
                                                          kldve_labels **out);

/** The same from memory; the text is copied.  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_labels_parse(kldve_ctx *ctx, const char *text,
                                                           size_t nbytes, kldve_labels **out);

/** @since 0.1 */
KLDVE_API void kldve_labels_free(kldve_labels *labels);

/** How many there are.  @since 0.1 */
KLDVE_API int32_t kldve_labels_count(const kldve_labels *labels);

/** The label of a class without its synset, "tench, Tinca tinca"; NULL for an index that has none.
 *  Borrowed.  The bytes are those of the file, UTF-8 or not.  @since 0.1 */
KLDVE_API const char *kldve_labels_name(const kldve_labels *labels, int32_t index);

/** The synset of a class, "n01440764", or "" if its line has none; NULL for an index that has no
 *  label.  Borrowed.  @since 0.1 */
KLDVE_API const char *kldve_labels_synset(const kldve_labels *labels, int32_t index);

/** The class that `what` means; the first of these that fits: an index (decimal digits), a synset,
 *  a whole label, one of the names of a label.  Upper and lower case of ASCII letters are alike.
 *  @return KLDVE_OK; KLDVE_E_ARG: nothing fits (the message suggests the nearest labels), or
 *          several do (the message lists them).
 *  @since 0.1 */
KLDVE_API KLDVE_MUST_CHECK kldve_status kldve_labels_find(const kldve_labels *labels,
                                                          const char *what, int32_t *index);

#ifdef __cplusplus
}
#endif
#endif
