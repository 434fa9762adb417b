/* session.h - explains in a thread of its own, so that the window never waits.  Only this part of
 * the viewer knows libkldve. */
#ifndef SESSION_H
#define SESSION_H

#include <SDL.h>

enum { SESSION_CLASSES = 12, SESSION_NAME = 80, SESSION_TROUBLE = 512 };

/* What the user wants to see. */
struct question {
    const char *picture; /* path; both live as long as the session */
    const char *method;
    int32_t target; /* a class, or -1: the one that the network takes it for */
    Sint32 number;  /* the asker's, given back with the answer */
};

/* What the worker found out.  Free it with answer_free(). */
struct answer {
    char trouble[SESSION_TROUBLE]; /* why there is no map, else "" */
    SDL_Surface *photo;            /* NULL: it could not be read */
    SDL_Surface *heat;             /* of the same size, opaque where the heat is; NULL: no map */
    struct answer_class {
        char name[SESSION_NAME];
        int32_t index;
        double share;        /* its probability; NaN: the network gives a number, no class */
    } best[SESSION_CLASSES]; /* [count], falling; the class that is explained is always among them
                              */
    int32_t count;
    int32_t target;
    double ms; /* of the explanation */
};

struct session;

/* Start the worker, which loads the network with the first question.  It sends SDL events of the
 * type `event`, with the number of the question in user.code and the answer, which the receiver
 * frees, in user.data1; NULL there: out of memory.  Returns NULL where SDL_GetError() says why. */
struct session *session_new(const char *network, Uint32 event);

/* Stop the worker, whatever it does, and free everything.  Accepts NULL. */
void session_free(struct session *session);

/* Ask.  The question that is being worked on is given up; it gets no answer, unless that is already
 * on its way. */
void session_ask(struct session *session, const struct question *question);

/* How far it is with the present step of the work, 0..1. */
float session_progress(struct session *session);

/* How many questions it gave up while it worked on them. */
int session_given_up(struct session *session);

/* A method that the user can choose, by number from 0; NULL past the last. */
const char *session_method(int32_t index);

void answer_free(struct answer *answer);

#endif
