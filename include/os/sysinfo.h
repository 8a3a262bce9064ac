#ifndef OS_SYSINFO_H
#define OS_SYSINFO_H

/* Who this host is. Read once at start and at reload; strings are owned by the struct. */
#include <stdint.h>

#include "os/procfs.h"

struct sysinfo {
    char *hostname;     /* gethostname(2), never empty: "localhost" as the last resort */
    char *machine_id;   /* /etc/machine-id, 32 hex digits, "" if absent */
    char *boot_id;      /* /proc/sys/kernel/random/boot_id, 36 characters, "" if absent */
    char *architecture; /* uname machine: x86_64, aarch64 */
    char *os_name;      /* os-release NAME, "" if absent; the same below */
    char *os_version;   /* VERSION */
    char *os_platform;  /* ID: debian */
    char *os_family;    /* debian, redhat, suse, arch, alpine... from ID and ID_LIKE */
    char *os_codename;  /* VERSION_CODENAME */
    char *os_kernel;    /* uname release */
    unsigned cores;     /* processors online, at least 1 */
    int64_t uptime_ms;  /* since the kernel began; 0 if unknown */
};

/* Fills *s; what cannot be read stays empty. Free with sysinfo_clear. */
void sysinfo_read(struct sysinfo *s, struct procfs *p);
void sysinfo_clear(struct sysinfo *s);

#endif
