/* help.h - kldve help. */
#ifndef KLDVE_TOOLS_HELP_H
#define KLDVE_TOOLS_HELP_H

/** kldve help [NAME]: what the commands are, or all about one command, method, reading or metric.
 *  @return the exit status. */
int help_run(int argc, char **argv);

#endif
