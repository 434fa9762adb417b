/* folder.h - the pictures in a folder and in the folders below it, in the order of their names.
 *
 * A picture is what has a picture's name, .png, .jpg or .jpeg, and is no folder; what it really is
 * shows when it is loaded.  Hidden files and folders are left out.  A folder is entered once,
 * however many links lead to it, so links cannot form a loop. */
#ifndef KLDVE_TOOLS_FOLDER_H
#define KLDVE_TOOLS_FOLDER_H

#include <stdbool.h>
#include <sys/stat.h>

/** What is left out. */
typedef enum folder_rest {
    FOLDER_OTHER, /**< a file that is no picture by its name */
    FOLDER_LOOP,  /**< a folder that was seen by another name, or is too deep */
    FOLDER_CLOSED /**< a folder that cannot be opened */
} folder_rest;

typedef struct folder_visitor {
    void *opaque;
    /** A picture; `s` is NULL of one that is not there, such as a link to nothing.  False: stop. */
    bool (*picture)(void *opaque, const char *path, const struct stat *s);
    /** What is left out. */
    void (*rest)(void *opaque, folder_rest why, const char *path);
} folder_visitor;

/** Visit every picture; paths are FOLDER/NAME.  False: after a message, or picture() stopped it. */
bool folder_walk(const char *folder, const folder_visitor *visitor);

/** Whether a name ends as those of pictures do that the library reads. */
bool folder_is_picture_name(const char *name);
/** Whether a path is that of a folder. */
bool folder_is(const char *path);

/** Files or folders that were seen, by device and inode; begin with NULL. */
typedef void *folder_places;

/** Whether a place was seen before under the same label (borrowed); it is now.  -1 after a message.
 */
int folder_seen(folder_places *places, const struct stat *s, const char *label);
void folder_forget(folder_places *places);

#endif
