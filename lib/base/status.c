/* status.c - names of the status values, and the version. */
#include <kldve/common.h>

const char *kldve_status_name(kldve_status status)
{
    switch (status) {
    case KLDVE_OK:
        return "success";
    case KLDVE_E_NOMEM:
        return "out of memory";
    case KLDVE_E_ARG:
        return "invalid argument";
    case KLDVE_E_IO:
        return "input or output error";
    case KLDVE_E_FORMAT:
        return "malformed data";
    case KLDVE_E_UNSUPPORTED:
        return "not supported";
    case KLDVE_E_BACKEND:
        return "backend failure";
    case KLDVE_E_NUMERIC:
        return "not a finite number";
    case KLDVE_E_NO_VJP:
        return "no gradient available";
    case KLDVE_E_UNATTAINABLE:
        return "perplexity unattainable";
    case KLDVE_E_CANCELLED:
        return "cancelled";
    case KLDVE_E_LIMIT:
        return "limit exceeded";
    case KLDVE_E_DEADLINE:
        return "deadline exceeded";
    case KLDVE_E_NOT_FOUND:
        return "not found";
    }
    return "unknown status";
}

const char *kldve_version(void)
{
    return KLDVE_VERSION;
}

int32_t kldve_version_number(void)
{
    return KLDVE_VERSION_NUMBER;
}
