/* embed.c - a program of the build: writes files as C arrays.
 *
 *     embed OUTPUT.c NAME FILE [NAME FILE ...]
 *
 * makes `const unsigned char NAME[]`, aligned for float32, and `const size_t NAME_nbytes`. */
#include <stdio.h>

static int embed(FILE *out, const char *name, const char *path)
{
    FILE *in = fopen(path, "rb");
    unsigned long nbytes = 0;
    int c;

    if (!in) {
        perror(path);
        return 0;
    }
    fprintf(out,
            "extern const unsigned char %s[];\nextern const size_t %s_nbytes;\n"
            "_Alignas(64) const unsigned char %s[] = {",
            name, name, name);
    while ((c = getc(in)) != EOF)
        fprintf(out, "%s%d,", nbytes++ % 24 == 0 ? "\n" : "", c);
    fprintf(out, "\n0};\nconst size_t %s_nbytes = %lu;\n", name, nbytes);
    c = !ferror(in);
    fclose(in);
    return c;
}

int main(int argc, char **argv)
{
    FILE *out;
    int ok = argc >= 4 && argc % 2 == 0;

    if (!ok || !(out = fopen(argv[1], "w"))) {
        fprintf(stderr, "embed: OUTPUT.c NAME FILE ... expected, OUTPUT.c writable\n");
        return 1;
    }
    fprintf(out, "#include <stddef.h>\n");
    for (int i = 2; ok && i < argc; i += 2)
        ok = embed(out, argv[i], argv[i + 1]);
    if (fclose(out) != 0)
        ok = 0;
    return ok ? 0 : 1;
}
