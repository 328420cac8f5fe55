/* What OpenSSL, which is part of the executable, knows of the machine. */
#ifndef CW_OPENSSL_H
#define CW_OPENSSL_H

enum { CW_OPENSSL_CPU = 40 };

/* What the processor can do, as OpenSSL has found out in this process before `main`. */
struct cw_openssl_cpu {
    unsigned char features[CW_OPENSSL_CPU];
};
struct cw_openssl_cpu cw_openssl_note_cpu(void);
void cw_openssl_set_cpu(const struct cw_openssl_cpu *cpu);

/* Reads the machine's openssl.cnf, which was not read for the snapshot. */
void cw_openssl_configure(void);

#endif
