/* Where the machine keeps its certificate authorities: distributions differ, and OpenSSL knows one place only. */
#include <stddef.h>
#include <unistd.h>

const char *__wrap_X509_get_default_cert_file(void);
const char *__wrap_X509_get_default_cert_dir(void);

static const char *first_readable(const char *const *candidates)
{
    for (const char *const *path = candidates; *path; path++)
        if (access(*path, R_OK) == 0)
            return *path;
    return candidates[0];
}

/* What `ssl.get_default_verify_paths()` names; SSL_CERT_FILE and SSL_CERT_DIR go before both, as always. */
const char *__wrap_X509_get_default_cert_file(void)
{
    static const char *const files[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* CentOS 6 */
        "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
        "/etc/ssl/cert.pem",                                 /* Alpine, Void */
        NULL,
    };
    return first_readable(files);
}

const char *__wrap_X509_get_default_cert_dir(void)
{
    static const char *const folders[] = {"/etc/ssl/certs", "/etc/pki/tls/certs", NULL};
    return first_readable(folders);
}
