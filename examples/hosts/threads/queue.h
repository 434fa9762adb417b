/* queue.h - a queue of requests between threads.  It knows nothing about libkldve. */
#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stddef.h>

enum { QUEUE_ROOM = 8 }; /* who produces faster than the others work waits */

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void *item[QUEUE_ROOM]; /* a ring */
    size_t first, count;
    int closed;
};

void queue_init(struct queue *queue);
void queue_destroy(struct queue *queue);

/* Waits while the queue is full. */
void queue_push(struct queue *queue, void *item);

/* Waits while the queue is empty; NULL: it is empty and closed. */
void *queue_pop(struct queue *queue);

/* Nothing more will come. */
void queue_close(struct queue *queue);

#endif
