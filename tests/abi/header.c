/* header.c - a public header alone, as strict C99 and as C++: it includes what it needs, and asks
 * for nothing newer. */
#include HEADER

int main(void)
{
    return 0;
}
