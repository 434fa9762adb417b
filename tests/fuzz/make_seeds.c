/* make_seeds.c - the networks of small_nets.h as the beginnings of corpora:
 *
 *     make_seeds FOLDER [HEAD]
 *
 * writes each of them to FOLDER/NAME, behind HEAD bytes of zeros. */
#include <stdio.h>
#include <stdlib.h>

#include "small_nets.h"

static int save(const char *folder, const char *name, const unsigned char *bytes, size_t nbytes,
                size_t head)
{
    char path[1024];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "wb");
    if (!f) {
        perror(path);
        return 1;
    }
    while (head-- > 0)
        fputc(0, f);
    fwrite(bytes, 1, nbytes, f);
    return fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *name;
    int failed = 0;

    if (argc < 2)
        return 2;
    for (unsigned i = 0; (name = small_net_name(i)); i++) {
        size_t n;
        const unsigned char *bytes = small_net(i, &n);

        failed |= save(argv[1], name, bytes, n, argc > 2 ? strtoul(argv[2], NULL, 10) : 0);
    }
    return failed;
}
