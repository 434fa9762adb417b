/* complete_network.h - what completions offer of a network: its layers and its classes. */
#ifndef KLDVE_TOOLS_COMPLETE_NETWORK_H
#define KLDVE_TOOLS_COMPLETE_NETWORK_H

#include <stdbool.h>

/** What the line says of the network; NULL: nothing, of `model` the built-in one. */
typedef struct complete_network {
    const char *model, *card, *labels;
} complete_network;

typedef void complete_offer(const void *opaque, const char *word, const char *what);

/** Offer the tensors of the network, or only those that can be explained.  Offers nothing of a
 *  network that cannot be read. */
void complete_layers(const complete_network *n, bool explainable, complete_offer *offer,
                     const void *opaque);

/** Offer the ranks and the first name of every class.  Reads card and labels alone, not the
 *  network. */
void complete_classes(const complete_network *n, complete_offer *offer, const void *opaque);

#endif
