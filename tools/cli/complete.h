/* complete.h - kldve complete, which the shells ask what can stand at the cursor. */
#ifndef KLDVE_TOOLS_COMPLETE_H
#define KLDVE_TOOLS_COMPLETE_H

/** kldve complete plain|bash WORD...: the words behind `kldve`, the last one up to the cursor; of
 *  bash as they stand on the line, with quotes.  Prints
 *
 *      words | folders | files .png .jpg     what can stand here; files of any name without endings
 *      the value that is being written, unquoted
 *      WORD <tab> WHAT IT IS                 of `words`, a line each: those that begin like it
 *
 *  Never says anything on standard error.  @return EXIT_DONE. */
int complete_run(int argc, char **argv);

#endif
