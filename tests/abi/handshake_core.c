/* handshake_core.c - preloaded before the core: what a core of the next release answers. */
#include <kldve/common.h>

const char *kldve_version(void)
{
    return "0.2.0";
}

int32_t kldve_version_number(void)
{
    return KLDVE_VERSION_NUMBER + 1000;
}
