/*
 * os/http_tls - what libcurl has no option for, by OpenSSL's own interface
 *
 * Further CA files go into the context's store. A fingerprint replaces the verification of the
 * chain: if a CA certificate that the server sent has it, that certificate is the one that is
 * trusted and the chain is verified up to it; else the chain is verified by the CA files, if there
 * are any. Everything else (dates, signatures, purposes; by libcurl the name) is verified as ever.
 *
 * Failures: a CA file without a usable certificate. A chain that does not verify fails the
 * handshake with OpenSSL's reason.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "os/http_internal.h"

/* CA files, then certificate and key */
const char *http_tls_file(const struct http_tls *tls, size_t n)
{
    if (n < tls->ca_count)
        return tls->ca_files[n];
    if (tls->certificate == NULL || n - tls->ca_count > 1)
        return NULL;
    return n == tls->ca_count ? tls->certificate : tls->key;
}

/* libcurl takes one CA file */
bool http_tls_needs_context(const struct http_tls *tls)
{
    return tls->verify != HTTP_VERIFY_NONE && (tls->ca_fingerprint != NULL || tls->ca_count > 1);
}

/* the value of a hex digit, or -1 */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 64 digits */
int http_tls_digest(struct http_trust *trust)
{
    const char *hex = trust->tls->ca_fingerprint;
    if (hex == NULL)
        return 0;
    if (strlen(hex) != 2 * sizeof(trust->digest))
        return -EINVAL;
    for (size_t i = 0; i < sizeof(trust->digest); i++) {
        int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return -EINVAL;
        trust->digest[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

/* the CA certificate of a chain that has the fingerprint, or NULL */
static X509 *find_trusted(const STACK_OF(X509) * chain, const uint8_t *digest)
{
    for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++) {
        X509 *one = sk_X509_value(chain, i);
        uint8_t own[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        if (X509_check_ca(one) > 0 && X509_digest(one, EVP_sha256(), own, &len) == 1 &&
            len == HTTP_DIGEST_BYTES && memcmp(own, digest, HTTP_DIGEST_BYTES) == 0)
            return one;
    }
    return NULL;
}

/* OpenSSL: verifies the served chain; 1 = good */
static int verify_chain(X509_STORE_CTX *store, void *ctx)
{
    struct http_trust *trust = ctx;
    X509 *ca = find_trusted(X509_STORE_CTX_get0_untrusted(store), trust->digest);
    if (ca == NULL) {
        trust->missed = true;
        return X509_verify_cert(store);
    }
    STACK_OF(X509) *trusted = sk_X509_new_null();
    if (trusted == NULL || sk_X509_push(trusted, ca) <= 0) {
        sk_X509_free(trusted);
        X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
        return 0;
    }
    X509_STORE_CTX_set0_trusted_stack(store, trusted);
    X509_STORE_CTX_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN); /* it may be an intermediate one */
    int good = X509_verify_cert(store);
    X509_STORE_CTX_set0_trusted_stack(store, NULL);
    sk_X509_free(trusted);
    return good;
}

/* what the options ask for */
int http_tls_prepare(void *ssl_ctx, struct http_trust *trust)
{
    const struct http_tls *tls = trust->tls;
    for (size_t i = 1; i < tls->ca_count; i++) {
        if (SSL_CTX_load_verify_file(ssl_ctx, tls->ca_files[i]) != 1)
            return -ENOENT;
    }
    if (tls->ca_fingerprint != NULL)
        SSL_CTX_set_cert_verify_callback(ssl_ctx, verify_chain, trust);
    return 0;
}
