/*
 * os/sysinfo - who this host is
 *
 * Each fact has one source; what is missing or malformed stays "". machine-id and boot_id are used
 * as identities, so they are taken only in their exact form. os-release is shell-like text that any
 * image builder may have written: values are unquoted by hand, bounded, and dropped when they hold
 * control characters or invalid UTF-8.
 *
 * Failures: none.
 */
#include "os/sysinfo.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"

#define VALUE_MAX    ((size_t)256)
#define UPTIME_MAX_S 1e11

/* replaces an owned string */
static void assign(char **field, struct slice s)
{
    mem_free(*field);
    *field = mem_strndup(s.len == 0 ? "" : s.ptr, s.len);
}

/* whether s can be shown and compared as text */
static bool is_clean(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return utf8_is_valid(s);
}

/* whether s is n characters out of 0-9, a-f and `extra` */
static bool is_hex_id(struct slice s, size_t n, char extra)
{
    if (s.len != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == extra))
            return false;
    }
    return true;
}

/* an identity of exactly n characters, else "" */
static void read_id(struct procfs *p, enum procfs_root root, const char *path, size_t n, char extra,
                    char **field)
{
    struct slice text;
    assign(field, SLICE_LIT(""));
    if (procfs_read(p, root, path, &text) < 0)
        return;
    text = slice_trim(text);
    if (is_hex_id(text, n, extra))
        assign(field, text);
}

/* takes the quotes off; false when they do not match or the value is too long */
static bool unquote(struct slice s, char *dst, size_t *ret_len)
{
    char quote = s.len > 0 && (s.ptr[0] == '"' || s.ptr[0] == '\'') ? s.ptr[0] : '\0';
    size_t i = quote == '\0' ? 0 : 1;
    size_t n = 0;
    for (; i < s.len; i++) {
        char c = s.ptr[i];
        if (quote != '\0' && c == quote)
            break;
        if (c == '\\' && quote != '\'' && i + 1 < s.len)
            c = s.ptr[++i];
        if (n == VALUE_MAX)
            return false;
        dst[n++] = c;
    }
    if (quote != '\0' && i + 1 != s.len)
        return false;
    *ret_len = n;
    return true;
}

/* one line NAME=value into the field of that name; other names are passed over */
static void take_line(struct slice line, struct sysinfo *s, char **ret_like)
{
    const struct {
        struct slice name;
        char **field;
    } table[] = {
        {SLICE_LIT("NAME"), &s->os_name},   {SLICE_LIT("VERSION"), &s->os_version},
        {SLICE_LIT("ID"), &s->os_platform}, {SLICE_LIT("VERSION_CODENAME"), &s->os_codename},
        {SLICE_LIT("ID_LIKE"), ret_like},
    };
    size_t equals = slice_find(line, '=');
    if (equals == line.len)
        return;
    struct slice name = slice_trim(slice_sub(line, 0, equals));
    struct slice value = slice_trim(slice_sub(line, equals + 1, line.len));
    char text[VALUE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (slice_eq(name, table[i].name) && unquote(value, text, &n) &&
            is_clean(slice_of(text, n)))
            assign(table[i].field, slice_of(text, n));
    }
}

/* the family of one distribution id, NULL when it is not known */
static const char *family_of(struct slice id)
{
    static const struct {
        const char *id;
        const char *family;
    } table[] = {
        {"debian", "debian"},     {"ubuntu", "debian"},    {"raspbian", "debian"},
        {"linuxmint", "debian"},  {"redhat", "redhat"},    {"rhel", "redhat"},
        {"fedora", "redhat"},     {"centos", "redhat"},    {"rocky", "redhat"},
        {"almalinux", "redhat"},  {"ol", "redhat"},        {"amzn", "redhat"},
        {"scientific", "redhat"}, {"openeuler", "redhat"}, {"suse", "suse"},
        {"sles", "suse"},         {"opensuse", "suse"},    {"opensuse-leap", "suse"},
        {"arch", "arch"},         {"manjaro", "arch"},     {"alpine", "alpine"},
        {"gentoo", "gentoo"},     {"openwrt", "openwrt"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (slice_eq_str(id, table[i].id))
            return table[i].family;
    }
    return NULL;
}

/* ID decides, then the first known word of ID_LIKE, else ID is a family of its own */
static void set_family(struct sysinfo *s, const char *like)
{
    const char *family = family_of(slice_str(s->os_platform));
    struct slice rest = slice_str(like);
    struct slice word;
    while (family == NULL && slice_next_word(&rest, &word))
        family = family_of(word);
    assign(&s->os_family, slice_str(family != NULL ? family : s->os_platform));
}

/* /etc/os-release, or the file that it links to when only the directory is shared with us */
static void read_os_release(struct sysinfo *s, struct procfs *p)
{
    struct slice text;
    if (procfs_read(p, PROCFS_ETC, "os-release", &text) < 0 &&
        procfs_read(p, PROCFS_ETC, "../usr/lib/os-release", &text) < 0)
        text = SLICE_LIT("");
    char *like = mem_strdup("");
    struct slice line;
    while (slice_next(&text, '\n', &line))
        take_line(line, s, &like);
    set_family(s, like);
    mem_free(like);
}

/* the kernel's view: name, release, machine */
static void read_kernel(struct sysinfo *s)
{
    struct utsname u;
    if (uname(&u) == 0) {
        assign(&s->architecture, slice_str(u.machine));
        assign(&s->os_kernel, slice_str(u.release));
    }
    char name[HOST_NAME_MAX + 1];
    if (gethostname(name, sizeof(name)) == 0) {
        name[sizeof(name) - 1] = '\0'; /* not promised when the name was cut */
        if (name[0] != '\0' && is_clean(slice_str(name)))
            assign(&s->hostname, slice_str(name));
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    s->cores = cores < 1 ? 1 : (unsigned)cores;
}

/* /proc/uptime: "1234.56 2345.67" */
static void read_uptime(struct sysinfo *s, struct procfs *p)
{
    struct slice text, word;
    double seconds;
    if (procfs_read(p, PROCFS_PROC, "uptime", &text) == 0 && slice_next_word(&text, &word) &&
        num_double(word, &seconds) == 0 && seconds < UPTIME_MAX_S)
        s->uptime_ms = (int64_t)(seconds * 1000);
}

/* every string is set before anything is read, so none is ever NULL */
void sysinfo_read(struct sysinfo *s, struct procfs *p)
{
    *s = (struct sysinfo){
        .hostname = mem_strdup("localhost"),
        .machine_id = mem_strdup(""),
        .boot_id = mem_strdup(""),
        .architecture = mem_strdup(""),
        .os_name = mem_strdup(""),
        .os_version = mem_strdup(""),
        .os_platform = mem_strdup(""),
        .os_family = mem_strdup(""),
        .os_codename = mem_strdup(""),
        .os_kernel = mem_strdup(""),
    };
    read_kernel(s);
    read_id(p, PROCFS_ETC, "machine-id", 32, '0', &s->machine_id);
    read_id(p, PROCFS_PROC, "sys/kernel/random/boot_id", 36, '-', &s->boot_id);
    read_uptime(s, p);
    read_os_release(s, p);
}

/* back to all NULL */
void sysinfo_clear(struct sysinfo *s)
{
    char *strings[] = {s->hostname,   s->machine_id,  s->boot_id,   s->architecture, s->os_name,
                       s->os_version, s->os_platform, s->os_family, s->os_codename,  s->os_kernel};
    for (size_t i = 0; i < ARRAY_LEN(strings); i++)
        mem_free(strings[i]);
    *s = (struct sysinfo){0};
}
