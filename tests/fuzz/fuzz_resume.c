/* fuzz_resume.c - any bytes as the records (.jsonl) that --resume goes on with: what was written is
 * found again, and what is no such file stays as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "many/journal.h"
#include "scratch.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes);

static bool is_unchanged(const char *path, const uint8_t *bytes, size_t nbytes)
{
    FILE *f = fopen(path, "rb");
    uint8_t *now = malloc(nbytes + 1);
    bool same =
        f && now && fread(now, 1, nbytes + 1, f) == nbytes && memcmp(now, bytes, nbytes) == 0;

    free(now);
    if (f)
        fclose(f);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nbytes)
{
    static const char *texts[] = {"a.png", "b.png", "\xff.png"};
    static const char line[] = "{\"picture\":\"b.png\",\"print\":\"5678\",\"run\":\"1234\"}";
    const arg_list pictures = {3, 3, texts};
    char said[MESSAGE_SIZE] = "";
    kldve_ctx *ctx = watch_open();
    const char *path = scratch_file("run.jsonl", bytes, nbytes);
    journal j;
    bool ok;

    complain_into(said, sizeof said);
    ok = journal_open(&j, path, JOURNAL_RESUME, "1234", &pictures);
    watch_that(ok == !*said, "a failure says why, a success nothing");
    watch_text(said);
    if (!ok)
        watch_that(is_unchanged(path, bytes, nbytes), "a file that was refused has changed");
    if (ok)
        watch_that(journal_add(&j, 1, line) && journal_order(&j), "a record cannot be added");
    journal_close(&j);
    if (ok) {
        ok = journal_open(&j, path, JOURNAL_RESUME, "1234", &pictures);
        watch_that(ok && journal_has(&j, 1, "5678"), "a record that was added is not there");
        journal_close(&j);
    }
    watch_close(ctx);
    return 0;
}
