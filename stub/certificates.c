/* Where the machine keeps its certificate authorities: distributions differ, and OpenSSL knows one place only.
 *
 * A directory whose names are hashes is looked into for the one certificate that is needed; a bundle is read as a
 * whole whenever a context with the default authorities is made, which takes milliseconds. So a directory that will
 * do goes before a bundle. SSL_CERT_FILE and SSL_CERT_DIR go before both, as always. */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "live.h"

const char *__wrap_X509_get_default_cert_file(void);
const char *__wrap_X509_get_default_cert_dir(void);

static const char *const FOLDERS[] = {
    "/etc/ssl/certs",     /* Debian, Ubuntu, Arch, Alpine, openSUSE */
    "/etc/pki/tls/certs", /* Fedora, RHEL */
};

static const char *const BUNDLES[] = {
    "/etc/ssl/cert.pem",                                 /* Alpine, Void; OpenSSL's own default */
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* CentOS 6 */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
};

/* Eight hexadecimal digits, a dot and a number: what c_rehash(1) names certificates. */
static bool is_hash(const char *name)
{
    for (int n = 0; n < 8; n++)
        if (!isxdigit((unsigned char)name[n]))
            return false;
    return name[8] == '.' && isdigit((unsigned char)name[9]);
}

static bool has_hashes(const char *folder)
{
    DIR *directory = opendir(folder);
    bool found = false;
    struct dirent *entry;
    while (directory && !found && (entry = readdir(directory)))
        found = is_hash(entry->d_name);
    if (directory)
        closedir(directory);
    return found;
}

static const char *hashed_folder(void)
{
    for (size_t n = 0; n < sizeof FOLDERS / sizeof *FOLDERS; n++)
        if (has_hashes(FOLDERS[n]))
            return FOLDERS[n];
    return NULL;
}

/* The folder that was found when a context asked for the file: it asks for the directory next. */
static _Thread_local struct {
    bool looked;
    const char *folder;
} last;

const char *__wrap_X509_get_default_cert_file(void)
{
    last.folder = hashed_folder();
    last.looked = true;
    if (last.folder)
        return BUNDLES[0];
    for (size_t n = 0; n < sizeof BUNDLES / sizeof *BUNDLES; n++)
        if (access(BUNDLES[n], R_OK) == 0)
            return BUNDLES[n];
    return BUNDLES[0];
}

const char *__wrap_X509_get_default_cert_dir(void)
{
    const char *folder = last.looked ? last.folder : hashed_folder();
    last.looked = false;
    return folder ? folder : FOLDERS[0];
}
