#include "openssl.h"

#include <stddef.h>
#include <string.h>

/* libcrypto's; a product that prunes the standard library may be without. */
extern unsigned char OPENSSL_ia32cap_P[CW_OPENSSL_CPU] __attribute__((weak));
extern int CONF_modules_load_file(const char *path, const char *section, unsigned long flags) __attribute__((weak));

/* Of <openssl/conf.h>: as OpenSSL itself reads the file when it starts. */
enum {
    IGNORE_ERRORS = 0x1,
    IGNORE_RETURN_CODES = 0x2,
    SILENT = 0x4,
    IGNORE_MISSING_FILE = 0x10,
    DEFAULT_SECTION = 0x20,
};

struct cw_openssl_cpu cw_openssl_note_cpu(void)
{
    struct cw_openssl_cpu cpu = {{0}};
    if (OPENSSL_ia32cap_P)
        memcpy(cpu.features, OPENSSL_ia32cap_P, sizeof cpu.features);
    return cpu;
}

void cw_openssl_set_cpu(const struct cw_openssl_cpu *cpu)
{
    if (OPENSSL_ia32cap_P)
        memcpy(OPENSSL_ia32cap_P, cpu->features, sizeof cpu->features);
}

void cw_openssl_configure(void)
{
    if (CONF_modules_load_file)
        (void)CONF_modules_load_file(NULL, NULL, DEFAULT_SECTION | IGNORE_MISSING_FILE | IGNORE_RETURN_CODES);
}
