/* os/sysinfo: exact identities, hostile os-release, families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "os/sysinfo.h"
#include "tmp_dir.h"

#define ID32 "0123456789abcdef0123456789abcdef"
#define ID33 ID32 "0"
#define UUID "6f1b3e5a-0c4d-4f0e-9a51-1c2d3e4f5a6b"

static struct tmp_dir dir;

static int setup(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    tmp_dir_mkdir(&dir, "etc");
    tmp_dir_mkdir(&dir, "usr");
    tmp_dir_mkdir(&dir, "usr/lib");
    tmp_dir_mkdir(&dir, "proc");
    tmp_dir_mkdir(&dir, "proc/sys");
    tmp_dir_mkdir(&dir, "proc/sys/kernel");
    tmp_dir_mkdir(&dir, "proc/sys/kernel/random");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tmp_dir_remove(&dir);
    return 0;
}

/* reads the tree below dir */
static void read_tree(struct sysinfo *s)
{
    struct procfs *p = procfs_new(dir.path, NULL, NULL, 65536);
    sysinfo_read(s, p);
    procfs_free(&p);
}

static void test_debian(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "etc/os-release",
                      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
                      "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"
                      "VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"
                      "HOME_URL=\"https://www.debian.org/\"\n");
    tmp_dir_write_str(&dir, "etc/machine-id", ID32 "\n");
    tmp_dir_write_str(&dir, "proc/sys/kernel/random/boot_id", UUID "\n");
    tmp_dir_write_str(&dir, "proc/uptime", "12345.67 54321.00\n");
    struct sysinfo s;
    read_tree(&s);
    assert_true(s.uptime_ms == 12345670);
    assert_string_equal(s.os_name, "Debian GNU/Linux");
    assert_string_equal(s.os_version, "12 (bookworm)");
    assert_string_equal(s.os_platform, "debian");
    assert_string_equal(s.os_family, "debian");
    assert_string_equal(s.os_codename, "bookworm");
    assert_string_equal(s.machine_id, ID32);
    assert_string_equal(s.boot_id, UUID);
    sysinfo_clear(&s);
    assert_null(s.os_name);
    sysinfo_clear(&s);
}

static void test_nothing_there(void **state)
{
    (void)state;
    struct sysinfo s;
    read_tree(&s);
    const char *const empty[] = {s.machine_id,  s.boot_id,   s.os_name,    s.os_version,
                                 s.os_platform, s.os_family, s.os_codename};
    for (size_t i = 0; i < ARRAY_LEN(empty); i++)
        assert_string_equal(empty[i], "");
    assert_true(s.uptime_ms == 0);
    sysinfo_clear(&s);
}

static void test_the_kernel_part(void **state)
{
    (void)state;
    struct sysinfo s;
    read_tree(&s);
    struct utsname u;
    assert_int_equal(uname(&u), 0);
    assert_string_equal(s.architecture, u.machine);
    assert_string_equal(s.os_kernel, u.release);
    assert_string_equal(s.hostname, u.nodename[0] != '\0' ? u.nodename : "localhost");
    assert_in_range(s.cores, 1, 100000);
    sysinfo_clear(&s);
}

static void test_os_release_behind_the_link(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "usr/lib/os-release", "ID=alpine\n");
    struct sysinfo s;
    read_tree(&s);
    assert_string_equal(s.os_platform, "alpine");
    sysinfo_clear(&s);
}

static void test_machine_ids(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        {ID32, ID32},
        {"  " ID32 " \n", ID32},
        {"", ""},
        {"uninitialized\n", ""},
        {ID33, ""},
        {"0123456789ABCDEF0123456789ABCDEF", ""},
        {"0123456789abcdef0123456789abcde", ""},
        {"0123456789abcdef-123456789abcdef", ""},
        {"0123456789abcdef\n0123456789abcde", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tmp_dir_write_str(&dir, "etc/machine-id", cases[i].text);
        struct sysinfo s;
        read_tree(&s);
        assert_string_equal(s.machine_id, cases[i].wanted);
        sysinfo_clear(&s);
    }
}

static void test_values_of_os_release(void **state)
{
    (void)state;
    char longest[300];
    char too_long[300];
    snprintf(longest, sizeof(longest), "NAME=%0256d", 7);
    snprintf(too_long, sizeof(too_long), "NAME=%0257d", 7);
    const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        {"NAME=plain", "plain"},
        {"NAME=plain\r\n", "plain"},
        {" NAME = spaced ", "spaced"},
        {"NAME=\"quoted text\"", "quoted text"},
        {"NAME='single \\ text'", "single \\ text"},
        {"NAME=\"a \\\"b\\\" \\$c \\\\ d\"", "a \"b\" $c \\ d"},
        {"NAME=\"\"", ""},
        {"NAME=", ""},
        {"NAME", ""},
        {"# NAME=comment", ""},
        {"NAME=first\nNAME=second", "second"},
        {"NAME=good\nNAME=\"open", "good"},
        {"NAME=good\nNAME=\"end\"behind", "good"},
        {"NAME=good\nNAME=\"", "good"},
        {"NAME=good\nNAME=\x01"
         "control",
         "good"},
        {"NAME=good\nNAME=\x1b[31m", "good"},
        {"NAME=good\nNAME=\xff\xfe", "good"},
        {"NAME=\xc3\xa4rger", "\xc3\xa4rger"},
        {"NAME=back\\", "back\\"},
        {longest, longest + 5},
        {too_long, ""},
        {"=x\n==\n\n\nNAME=after", "after"},
        {"XNAME=x\nNAMES=x", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tmp_dir_write_str(&dir, "etc/os-release", cases[i].text);
        struct sysinfo s;
        read_tree(&s);
        assert_string_equal(s.os_name, cases[i].wanted);
        sysinfo_clear(&s);
    }
    static const char with_nul[] = "NAME=good\nNAME=a\0b\n";
    tmp_dir_write(&dir, "etc/os-release", with_nul, sizeof(with_nul) - 1);
    struct sysinfo s;
    read_tree(&s);
    assert_string_equal(s.os_name, "good");
    sysinfo_clear(&s);
}

static void test_families(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *family;
    } cases[] = {
        {"ID=debian", "debian"},
        {"ID=ubuntu\nID_LIKE=debian", "debian"},
        {"ID=pop\nID_LIKE=\"ubuntu debian\"", "debian"},
        {"ID=rhel\nID_LIKE=fedora", "redhat"},
        {"ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", "redhat"},
        {"ID=\"amzn\"\nID_LIKE=\"centos rhel fedora\"", "redhat"},
        {"ID=opensuse-tumbleweed\nID_LIKE=\"opensuse suse\"", "suse"},
        {"ID=\"sles\"\nID_LIKE=\"suse\"", "suse"},
        {"ID=endeavouros\nID_LIKE=arch", "arch"},
        {"ID=alpine", "alpine"},
        {"ID=openwrt\nID_LIKE=\"lede openwrt\"", "openwrt"},
        {"ID=nixos", "nixos"},
        {"ID=strange\nID_LIKE=\"stranger  still\"", "strange"},
        {"ID_LIKE=debian", "debian"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        tmp_dir_write_str(&dir, "etc/os-release", cases[i].text);
        struct sysinfo s;
        read_tree(&s);
        assert_string_equal(s.os_family, cases[i].family);
        sysinfo_clear(&s);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_debian),          TEST(test_nothing_there),
        TEST(test_the_kernel_part), TEST(test_os_release_behind_the_link),
        TEST(test_machine_ids),     TEST(test_values_of_os_release),
        TEST(test_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
