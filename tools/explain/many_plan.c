/* many_plan.c - which pictures there are, and where their results go. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "expected.h"
#include "many.h"
#include "many/folder.h"
#include "many/spec.h"

/* ---- pictures ----------------------------------------------------------------------------- */

/* Why something in a folder is left out, after the reasons of folder_rest. */
enum { RESULT = FOLDER_CLOSED + 1 };

static_assert(RESULT + 1 == MANY_REASONS, "each has its place");

typedef struct listing {
    many *m;
    folder_places seen; /* pictures in folders */
} listing;

static void leave_out(void *opaque, folder_rest why, const char *path)
{
    const listing *l = opaque;
    many_rest *rest = &l->m->rest[why];

    if (rest->count++ == 0)
        snprintf(rest->first, sizeof rest->first, "%s", path);
}

static bool add(many *m, const char *path)
{
    char *own = strdup(path);

    if (own && arg_list_add(&m->picture, own))
        return true;
    complain("out of memory");
    free(own);
    return false;
}

/* What this command wrote beside pictures. */
static bool is_result(const char *path)
{
    static const char *const endings[] = {".kldve.png", ".heat.png", NULL};

    return path_has_ending(path, endings);
}

/* One file under several names is one picture. */
static bool add_found(void *opaque, const char *path, const struct stat *s)
{
    listing *l = opaque;
    int again;

    if (is_result(path)) {
        leave_out(l, (folder_rest)RESULT, path);
        return true;
    }
    again = s ? folder_seen(&l->seen, s, "") : 0;
    return again > 0 || (again == 0 && add(l->m, path));
}

void many_say_rest(const many *m)
{
    static const char *const words[] = {
        [FOLDER_OTHER] = "no .png, .jpg or .jpeg by its name",
        [FOLDER_LOOP] = "a folder that was seen by another name, or is too deep",
        [FOLDER_CLOSED] = "a folder that cannot be opened",
        [RESULT] = "a result of this command by its name",
    };

    for (int why = 0; why < MANY_REASONS; why++)
        if (m->rest[why].count == 1)
            complain("%s is left out: %s", m->rest[why].first, words[why]);
        else if (m->rest[why].count > 1)
            complain("%s and %d more are left out: %s", m->rest[why].first,
                     (int)m->rest[why].count - 1, words[why]);
}

static bool list_folder(listing *l, const char *folder)
{
    const folder_visitor visitor = {l, add_found, leave_out};
    int32_t before = l->m->picture.count;

    if (!folder_walk(folder, &visitor))
        return false;
    if (l->m->picture.count > before)
        return true;
    complain("%s: there is no picture (.png, .jpg, .jpeg) in this folder", folder);
    return false;
}

bool many_list(many *m)
{
    const arg_list *given = &m->args->picture;
    listing l = {.m = m};
    bool ok = true;

    for (int32_t i = 0; ok && i < given->count; i++)
        ok = folder_is(given->text[i]) ? list_folder(&l, given->text[i]) : add(m, given->text[i]);
    folder_forget(&l.seen);
    return ok;
}

/* ---- results ------------------------------------------------------------------------------ */

static const struct {
    const char *name, *ending;
} outputs[MANY_OUTPUTS] = {[MANY_OVERLAY] = {"overlay", ".kldve.png"},
                           [MANY_HEAT] = {"heat", ".heat.png"},
                           [MANY_MAP] = {"map", ".map.npy"},
                           [MANY_DUMP] = {"dump", ".dump"}};

/* "overlay,map" -> 1 << MANY_OVERLAY | 1 << MANY_MAP; 0: another word, or none. */
static uint32_t read_outputs(const char *list)
{
    uint32_t wanted = 0;

    for (const char *at = list; at; at = *at ? at + 1 : NULL) {
        size_t n = strcspn(at, ",");
        int i = 0;

        while (i < MANY_OUTPUTS &&
               (strlen(outputs[i].name) != n || memcmp(outputs[i].name, at, n) != 0))
            i++;
        if (i == MANY_OUTPUTS)
            return 0;
        wanted |= UINT32_C(1) << i;
        at += n;
    }
    return wanted;
}

int many_check_single(const explain_args *args)
{
    const struct {
        const char *option, *value, *word;
    } single[] = {{"-o", args->overlay, "overlay"},
                  {"--heat", args->heat, "heat"},
                  {"--map", args->map, "map"},
                  {"--dump", args->dump, "dump"}};

    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (single[i].value)
            return args_usage("explain",
                              "%s %s names the result of one picture: for many give --out-dir DIR "
                              "and --write %s",
                              single[i].option, single[i].value, single[i].word);
    if (args->json)
        return args_usage("explain",
                          "--json %s takes the record of one picture: for many give --jsonl FILE",
                          args->json);
    if (args->terminal)
        return args_usage("explain", "--terminal draws one picture, not many");
    return EXIT_DONE;
}

int many_check_args(const explain_args *args)
{
    if (args->resume && (!args->jsonl || strcmp(args->jsonl, "-") == 0))
        return args_usage("explain", "--resume needs --jsonl FILE, which says what is done");
    if (args->resume && args->force)
        return args_usage("explain", "--resume goes on and --force begins anew: give one of them");
    if (args->write && read_outputs(args->write) == 0)
        return args_usage("explain", "--write %s: give one or more of overlay,heat,map,dump",
                          args->write);
    return EXIT_DONE;
}

/* Records alone are a result. */
static uint32_t wanted_outputs(const explain_args *args)
{
    if (args->write)
        return read_outputs(args->write);
    return args->jsonl && !args->out_dir ? 0 : UINT32_C(1) << MANY_OVERLAY;
}

bool many_writes(const explain_args *args, many_output output)
{
    return wanted_outputs(args) >> output & 1;
}

/* No result replaces a picture of this run, by whatever name or link. */
static bool spare_pictures(const many *m, const output_names *names)
{
    folder_places pictures = NULL;
    struct stat s;
    bool ok = true;

    for (int32_t i = 0; ok && i < m->picture.count; i++)
        ok = stat(m->picture.text[i], &s) != 0 || folder_seen(&pictures, &s, "") >= 0;
    for (int32_t i = 0; ok && i < names->count; i++)
        if (stat(names->path[i], &s) == 0 && folder_seen(&pictures, &s, "") != 0) {
            complain("%s would take the place of a picture that is read: --out-dir DIR names "
                     "another folder",
                     names->path[i]);
            ok = false;
        }
    folder_forget(&pictures);
    return ok;
}

/* A run that goes on has written some of them itself. */
static bool all_free(const many *m, const output_names *names)
{
    const explain_args *args = m->args;

    for (int32_t i = 0; i < names->count; i++)
        if (!output_name_is_free(names->path[i], args->out_dir, args->force || args->resume))
            return false;
    return spare_pictures(m, names);
}

/* The same of the records. */
static int spare_from_records(const many *m)
{
    const guard_output record = {"--jsonl", m->args->jsonl};
    int status = EXIT_DONE;

    for (int32_t i = 0; record.path && status == EXIT_DONE && i < m->picture.count; i++)
        status = guard_input("explain", m->picture.text[i], &record, 1);
    return status;
}

int many_name(many *m)
{
    uint32_t wanted = wanted_outputs(m->args);
    int status = spare_from_records(m);

    for (int i = 0; status == EXIT_DONE && i < MANY_OUTPUTS; i++)
        if (wanted >> i & 1)
            status = output_names_make("explain", &m->picture, m->args->out_dir, outputs[i].ending,
                                       &m->names[i]);
    for (int i = 0; status == EXIT_DONE && i < MANY_OUTPUTS; i++)
        if (m->names[i].count > 0 && (!output_names_make_folder(&m->names[i], m->args->out_dir) ||
                                      !all_free(m, &m->names[i])))
            status = EXIT_FAILED;
    return status;
}

/* ---- what results depend on --------------------------------------------------------------- */

/* Options that change no result, and files that count by what is in them. */
static const char *const besides[] = {"model", "card",  "labels", "threads", "quiet", "limit",
                                      "jsonl", "force", "resume", "copy",    NULL};

bool many_describe(many *m)
{
    const explain_args *args = m->args;
    spec s;
    char *text;
    sha256 digest;

    if (!spec_open(&s)) {
        complain("out of memory");
        return false;
    }
    spec_add(&s, "kldve %s", kldve_version());
    spec_add_options(&s, explain_options, args, besides);
    text = spec_close(
        &s, spec_add_network(&s, &m->first.net, &args->network) &&
                spec_add_file(&s, "over", args->pick.over) &&
                spec_add_file(&s, "expected", expected_list(args)) &&
                spec_add_file(&s, "truth", args->truth ? strchr(args->truth, ':') + 1 : NULL));
    if (!text)
        return false;
    sha256_begin(&digest);
    sha256_add(&digest, text, strlen(text));
    sha256_end(&digest, m->run);
    free(text);
    return true;
}

void many_plan_free(many *m)
{
    for (int i = 0; i < MANY_OUTPUTS; i++)
        output_names_free(&m->names[i]);
    for (int32_t i = 0; i < m->picture.count; i++)
        free((char *)(uintptr_t)m->picture.text[i]);
    arg_list_free(&m->picture);
}
