/*
 * os/http_handle - libcurl's handles: how they are made, replaced and freed
 *
 * One easy handle and one multi handle for each client. When a file of certificates changes both
 * are made anew: that is what makes libcurl forget connections that were verified by the old ones.
 * The lock is for http_interrupt, which uses the multi handle from other threads.
 *
 * Failures: out of memory, and a libcurl that is not built on OpenSSL where OpenSSL is needed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "os/http_internal.h"

#define CONNECT_TIMEOUT_MS   10000
#define TCP_USER_TIMEOUT_MS  60000
#define KEEPALIVE_IDLE_S     30L
#define KEEPALIVE_INTERVAL_S 10L
#define NAMES_KEPT_S         60L
/* libcurl copies a body through this, one call of send(2) each time it is full. Larger is faster,
 * but it is allocated for each request, and blocks of 128 KiB come from the kernel as new pages. */
#define UPLOAD_BYTES (120 * 1024L)
#define SOCKS_SCHEME "socks5://"

/* sets one option unless an earlier one failed; needs `easy` and `rc` in scope */
#define SET(option, value) (rc = rc != CURLE_OK ? rc : curl_easy_setopt(easy, option, value))

/* libcurl's set-up, and SIGPIPE off: with NOSIGNAL libcurl leaves that to us, and OpenSSL writes
 * without MSG_NOSIGNAL */
int http_global_init(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) < 0)
        return -errno;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

/* libcurl: a socket was made and is not connected yet */
static int on_socket(UNUSED void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    unsigned ms = TCP_USER_TIMEOUT_MS;
    /* Without it a dead peer is noticed later, nothing worse: the result does not matter. */
    if (purpose == CURLSOCKTYPE_IPCXN)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
}

/* libcurl: a handshake is next */
static CURLcode on_ssl_context(UNUSED CURL *easy, void *ssl_ctx, void *ctx)
{
    struct http *h = ctx;
    return http_tls_prepare(ssl_ctx, &h->trust) == 0 ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

/* what is the same for every exchange and every client */
static CURLcode set_common(CURL *easy, struct http *h)
{
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, h->text);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
    SET(CURLOPT_PREREQFUNCTION, http_on_request);
    SET(CURLOPT_PREREQDATA, h);
    SET(CURLOPT_HEADERFUNCTION, http_on_header);
    SET(CURLOPT_HEADERDATA, h);
    SET(CURLOPT_WRITEFUNCTION, http_on_body);
    SET(CURLOPT_WRITEDATA, h);
    return rc;
}

/* by the scheme */
static long proxy_type(struct slice url)
{
    if (slice_starts(url, SLICE_LIT(SOCKS_SCHEME)))
        return (long)CURLPROXY_SOCKS5_HOSTNAME;
    return slice_starts(url, SLICE_LIT("https://")) ? (long)CURLPROXY_HTTPS : (long)CURLPROXY_HTTP;
}

/* None is set too, lest the environment's counts. */
static CURLcode set_proxy(CURL *easy, const struct http_opts *o)
{
    CURLcode rc = CURLE_OK;
    struct slice url = slice_str(o->proxy_url != NULL ? o->proxy_url : "");
    bool socks = slice_starts(url, SLICE_LIT(SOCKS_SCHEME));
    SET(CURLOPT_PROXY, url.ptr + (socks ? strlen(SOCKS_SCHEME) : 0));
    SET(CURLOPT_PROXYTYPE, proxy_type(url));
    SET(CURLOPT_NOPROXY, url.len > 0 ? "" : "*");
    if (o->proxy_username != NULL) {
        SET(CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_PROXYUSERNAME, o->proxy_username);
        SET(CURLOPT_PROXYPASSWORD, o->proxy_password != NULL ? o->proxy_password : "");
    }
    return rc;
}

/* Where the certificates to trust are given, those of the system do not count. A proxy is trusted
 * by the same. */
static CURLcode set_tls(CURL *easy, struct http *h)
{
    const struct http_tls *tls = &h->opts.tls;
    CURLcode rc = CURLE_OK;
    long lowest = tls->no_tls_1_2 ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2;
    long highest =
        tls->no_tls_1_3 ? (long)CURL_SSLVERSION_MAX_TLSv1_2 : (long)CURL_SSLVERSION_MAX_DEFAULT;
    SET(CURLOPT_SSLVERSION, lowest | highest);
    SET(CURLOPT_SSL_VERIFYPEER, tls->verify == HTTP_VERIFY_NONE ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, tls->verify == HTTP_VERIFY_FULL ? 2L : 0L);
    SET(CURLOPT_PROXY_SSLVERSION, lowest | highest);
    SET(CURLOPT_PROXY_SSL_VERIFYPEER, tls->verify == HTTP_VERIFY_NONE ? 0L : 1L);
    SET(CURLOPT_PROXY_SSL_VERIFYHOST, tls->verify == HTTP_VERIFY_FULL ? 2L : 0L);
    if (tls->ca_count > 0 || tls->ca_fingerprint != NULL) {
        SET(CURLOPT_CAINFO, tls->ca_count > 0 ? tls->ca_files[0] : NULL);
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_PROXY_CAINFO, tls->ca_count > 0 ? tls->ca_files[0] : NULL);
        SET(CURLOPT_PROXY_CAPATH, NULL);
    }
    if (tls->certificate != NULL) {
        SET(CURLOPT_SSLCERT, tls->certificate);
        SET(CURLOPT_SSLKEY, tls->key);
        SET(CURLOPT_KEYPASSWD, tls->key_passphrase);
    }
    if (http_tls_needs_context(tls)) {
        SET(CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
        SET(CURLOPT_SSL_CTX_DATA, h);
    }
    return rc;
}

/* what this client's options say; libcurl copies the strings */
static CURLcode set_own(CURL *easy, struct http *h)
{
    const struct http_opts *o = &h->opts;
    CURLcode rc = CURLE_OK;
    long age_s = o->max_age_ms > 0 && o->max_age_ms < 1000 ? 1L : (long)(o->max_age_ms / 1000);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)(o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_TIMEOUT_MS));
    SET(CURLOPT_MAXLIFETIME_CONN, age_s);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, age_s > 0 && age_s < NAMES_KEPT_S ? age_s : NAMES_KEPT_S);
    SET(CURLOPT_USERAGENT, o->user_agent);
    if (rc == CURLE_OK)
        rc = set_proxy(easy, o);
    return rc == CURLE_OK ? set_tls(easy, h) : rc;
}

/* whether the library is what the trust needs: the context is OpenSSL's */
static bool is_fit(const struct http_tls *tls)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return !http_tls_needs_context(tls) ||
           (info->ssl_version != NULL && strncmp(info->ssl_version, "OpenSSL/", 8) == 0);
}

/* both handles and all options that stay; in place of those there are */
static bool make_handles(struct http *h)
{
    CURL *easy = curl_easy_init(), *old_easy = h->easy;
    CURLM *multi = curl_multi_init(), *old_multi = h->multi;
    if (easy == NULL || multi == NULL || set_common(easy, h) != CURLE_OK ||
        set_own(easy, h) != CURLE_OK) {
        curl_easy_cleanup(easy);
        (void)curl_multi_cleanup(multi); /* NULL is answered with an error, which is fine here */
        return false;
    }
    (void)pthread_mutex_lock(&h->lock);
    h->easy = easy;
    h->multi = multi;
    (void)pthread_mutex_unlock(&h->lock);
    curl_easy_cleanup(old_easy);
    (void)curl_multi_cleanup(old_multi);
    return true;
}

/* takes the stamps of all files; returns whether one has changed */
static bool renew_stamps(struct http *h)
{
    bool changed = false;
    const char *file;
    for (size_t i = 0; (file = http_tls_file(&h->opts.tls, i)) != NULL; i++)
        changed |= stamp_renew(&h->stamps[i], file);
    return changed;
}

/* Without new handles the old ones go on: the next change tries again. */
void http_renew(struct http *h)
{
    if (renew_stamps(h))
        (void)make_handles(h);
}

/* stamps first, so that no change is missed */
struct http *http_new(const struct http_opts *opts)
{
    struct http *h = mem_zalloc(sizeof(*h));
    size_t files = 0;
    h->opts = *opts;
    atomic_init(&h->interrupted, false);
    (void)pthread_mutex_init(&h->lock, NULL); /* cannot fail here */
    buf_init(&h->line, HTTP_LINE_BYTES_MAX);
    h->credential = credential_new(&opts->credential);
    h->trust.tls = &h->opts.tls;
    while (http_tls_file(&opts->tls, files) != NULL)
        files++;
    h->stamps = mem_zalloc_array(files + 1, sizeof(*h->stamps));
    (void)renew_stamps(h);
    if (!is_fit(&opts->tls) || http_tls_digest(&h->trust) != 0 || !make_handles(h))
        http_free(&h);
    return h;
}

/* closes the connection too */
void http_free(struct http **hp)
{
    struct http *h = *hp;
    *hp = NULL;
    if (h == NULL)
        return;
    curl_easy_cleanup(h->easy);
    (void)curl_multi_cleanup(h->multi);
    credential_free(&h->credential);
    (void)pthread_mutex_destroy(&h->lock);
    mem_free(h->stamps);
    buf_clear(&h->line);
    mem_free(h);
}

/* libcurl's own version line */
const char *http_library(void)
{
    return curl_version();
}
