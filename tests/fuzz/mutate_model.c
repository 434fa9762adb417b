/* mutate_model.c - for harnesses whose whole input is a model. */
#include "mutate_graph.h"
#include "mutator.h"

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t nbytes, size_t room, unsigned seed)
{
    return mutate_graph(bytes, nbytes, room, seed);
}
