/* metrics/volumes: which mounts are chosen of which mountinfo, and their texts. */
#include "metrics/volumes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "check.h"

#define ROOT "20 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"

static const char filesystems[] = "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tautofs\n"
                                  "nodev\tnfs4\nnodev\toverlay\nnodev\tcgroup2\n\text4\n"
                                  "\tfuseblk\n\txfs\nnodev";

struct one_case {
    const char *name;
    const char *text;
    const char *points; /* of the chosen, in their order, each with a '|' behind it */
};

static const struct one_case cases[] = {
    {"one", ROOT, "/|"},
    {"no device", "2 1 0:3 / /run rw - tmpfs tmpfs rw\n3 1 0:4 / /cg rw - cgroup2 none rw\n", ""},
    {"a type that the kernel does not list", "2 1 8:2 / /a rw - newfs /dev/sdb rw\n", "/a|"},
    {"the same without a device", "2 1 0:9 / /a rw - newfs none rw\n", ""},
    {"network, FUSE, flash, pools",
     "2 1 0:31 / /n rw - nfs4 h:/x rw\n3 1 0:32 / /c rw - cifs //h/x rw\n"
     "4 1 0:33 / /f rw - fuse.sshfs u@h: rw\n5 1 0:34 / /u rw - ubifs ubi0:rootfs rw\n"
     "6 1 0:35 / /z rw - zfs tank/home rw\n7 1 8:9 / /b rw - fuseblk /dev/sdc1 rw\n",
     "/n|/c|/f|/u|/z|/b|"},
    {"FUSE by its name alone", "2 1 0:31 / /f rw - fuse x rw\n3 1 0:3 / /g rw - fusectl x rw\n",
     "/f|"},
    {"autofs is not asked", "2 1 0:31 / /home rw - autofs /etc/auto.home rw\n", ""},
    {"images",
     "2 1 7:0 / /snap/a ro - squashfs /dev/loop0 ro\n3 1 11:0 / /cd ro - iso9660 /dev/sr0 ro\n",
     ""},
    {"bind mounts", ROOT "3 20 8:1 /srv /b rw - ext4 /dev/sda1 rw\n", "/|"},
    {"a bind mount before its filesystem, with a shorter name",
     "3 20 8:2 /d /d rw - ext4 /dev/sdb rw\n4 20 8:2 / /mnt/disk rw - ext4 /dev/sdb rw\n",
     "/mnt/disk|"},
    {"the same filesystem twice: the shortest name",
     "3 1 8:2 / /mnt/long rw - ext4 /dev/sdb rw\n4 1 8:2 / /d rw - ext4 /dev/sdb rw\n"
     "5 1 8:2 / /e rw - ext4 /dev/sdb rw\n",
     "/d|"},
    {"subvolumes are one filesystem",
     "3 1 0:30 /@ / rw - btrfs /dev/sda2 rw\n4 3 0:30 /@home /home rw - btrfs /dev/sda2 rw\n",
     "/|"},
    {"only parts of a filesystem are there: a container",
     "3 1 0:40 / / rw - overlay overlay rw,lowerdir=/var/lib/x,upperdir=/var/lib/y\n"
     "4 3 8:1 /c/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
     "5 3 8:1 /c/resolv /etc/resolv.conf rw - ext4 /dev/sda1 rw\n"
     "6 3 8:1 /c/log /dev/termination-log rw - ext4 /dev/sda1 rw\n"
     "7 3 8:1 /volumes/v/_data /data rw - ext4 /dev/sda1 rw\n",
     "/|/data|"},
    {"a disk at /etc", "3 1 8:2 / /etc rw - ext4 /dev/sdb rw\n", "/etc|"},
    {"nothing below /proc, /sys and /dev",
     "3 1 8:2 / /proc/x rw - ext4 /dev/sdb rw\n4 1 8:3 / /sys rw - ext4 /dev/sdc rw\n"
     "5 1 8:4 / /dev/y rw - ext4 /dev/sdd rw\n6 1 8:5 / /devices rw - ext4 /dev/sde rw\n",
     "/devices|"},
    {"overlays on the same disk",
     ROOT "3 20 0:40 / /var/lib/docker/o/merged rw - overlay overlay "
          "rw,lowerdir=/l,upperdir=/var/lib/docker/o/diff\n",
     "/|"},
    {"the overlay of a router",
     "3 1 31:5 / /rom ro - squashfs /dev/root ro\n"
     "4 1 0:18 / /overlay rw,noatime - jffs2 /dev/mtdblock6 rw\n"
     "5 1 0:19 / / rw,noatime - overlay overlayfs:/overlay "
     "rw,lowerdir=/,upperdir=/overlay/upper,workdir=/overlay/work\n",
     "/|"},
    {"an overlay whose upper directory is on another disk",
     ROOT "3 20 8:2 / /data rw - ext4 /dev/sdb rw\n"
          "4 20 0:40 / /merged rw - overlay overlay rw,lowerdir=/l,upperdir=/data/u\n"
          "5 20 0:41 / /merged2 rw - overlay overlay rw,lowerdir=/l,upperdir=/database/u\n",
     "/|/data|"},
    {"an overlay that cannot be written", ROOT "4 20 0:40 / /m ro - overlay o ro,lowerdir=/a:/b\n",
     "/|"},
    {"hidden by what was mounted over it",
     "3 1 8:2 / /d rw - ext4 /dev/sdb rw\n4 3 8:3 / /d rw - ext4 /dev/sdc rw\n", "/d|"},
    {"hidden by what has no size",
     "4 3 0:3 / /d rw - tmpfs tmpfs rw\n3 1 8:2 / /d rw - ext4 /dev/sdb rw\n", ""},
    {"its own parent", "3 3 8:2 / / rw - ext4 /dev/sdb rw\n", "/|"},
    {"escapes", "2 1 8:2 / /a\\040b\\011c\\012d\\134e\\043 rw - ext4 /dev/s rw\n",
     "/a b\tc\nd\\e#|"},
    {"not escapes", "2 1 8:2 / /\\04\\9\\400\\08\\ rw - ext4 /dev/s rw\n", "/\\04\\9\\400\\08\\|"},
    {"quotes, controls, no UTF-8", "2 1 8:2 / /\"%s\x01\xff\xc3 rw - ext4 /dev/s rw\n",
     "/\"%s\x01\xff\xc3|"},
    {"a carriage return ends no field", "2 1 8:2 / /a\r-\rx rw - ext4 /dev/s rw\n", "/a\r-\rx|"},
    {"a NUL", ROOT "2 20 8:2 / /a\\000b rw - ext4 /dev/s rw\n", "/|"},
    {"no source", ROOT "2 20 0:2 / /a rw - fuse.x  rw,user_id=0\n", "/|/a|"},
    {"many tags", "2 1 8:2 / /a rw shared:1 master:2 propagate_from:3 new - ext4 /dev/s rw\n",
     "/a|"},
    {"lines of no kernel",
     ROOT
     "2\n2 1\n2 1 8\n2 1 8:2\n2 1 8:2 /\n2 1 8:2 / /a\n2 1 8:2 / /a rw\n2 1 8:2 / /a rw -\n"
     "2 1 8:2 / /a rw - ext4\n2 1 8:2 / a rw - ext4 /dev/s rw\n-2 1 8:2 / /a rw - ext4 /dev/s rw\n"
     "2 1 8:4294967296 / /a rw - ext4 /dev/s rw\n2 1 8 / /a rw - ext4 /dev/s rw\n\n \n"
     "2 1 8:2 / /a rw ext4 /dev/s rw\n",
     "/|"},
    {"cut off", ROOT "2 20 8:2 / /a rw - ext4 /dev/s rw", "/|"},
};

/* chooses from a text; what came out is m's */
static int choose(struct volumes *m, const char *text)
{
    /* memory of its own size: a read behind the slice is seen */
    size_t n = strlen(text);
    char *copy = malloc(n + 1);
    assert_non_null(copy);
    memcpy(copy, text, n);
    assert_int_equal(volumes_take(m, slice_of(copy, n)), 0);
    free(copy);
    return volumes_choose(m, slice_str(filesystems));
}

static void test_choice(void **state)
{
    (void)state;
    struct volumes m;
    volumes_init(&m, MIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf got;
        buf_init(&got, MIB);
        CHECK(cases[i].name, choose(&m, cases[i].text) == 0);
        for (size_t k = 0; k < m.count; k++) {
            assert_int_equal(buf_add_slice(&got, m.all[k].point), 0);
            assert_int_equal(buf_add_byte(&got, '|'), 0);
        }
        if (strcmp(buf_cstr(&got), cases[i].points) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, buf_cstr(&got));
        buf_clear(&got);
    }
    volumes_clear(&m);
}

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *mine, *super, *expected;
    } options[] = {
        {"rw,relatime", "rw,errors=continue", "rw,relatime,errors=continue"},
        {"rw,relatime", "ro,errors=continue", "ro,relatime,errors=continue"}, /* after an error */
        {"ro,relatime", "rw,errors=continue", "ro,relatime,errors=continue"},
        {"rw", "rw", "rw"},
        {"rw", "rw,a\\040b", "rw,a b"},
        {"rw,x", "rw", "rw,x"},
        {"rw,x", "", "rw,x"},
    };
    struct volumes m;
    volumes_init(&m, MIB);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "17 16 8:18 / /a %s shared:3 - xfs /dev/my\\040disk %s\n", options[i].mine,
                       options[i].super);
        assert_int_equal(choose(&m, text), 0);
        assert_int_equal(m.count, 1);
        CHECK(text, slice_eq_str(m.all[0].options, options[i].expected));
        assert_true(slice_eq_str(m.all[0].source, "/dev/my disk"));
        assert_true(slice_eq_str(m.all[0].type, "xfs"));
        assert_int_equal(m.all[0].id, 17);
        assert_int_equal(m.all[0].device, makedev(8, 18));
        assert_true(volumes_has_own_device(&m.all[0]));
    }
    assert_int_equal(choose(&m, "3 1 0:30 /@ / rw - btrfs /dev/sda2 rw\n"), 0);
    assert_false(volumes_has_own_device(&m.all[0]));
    volumes_clear(&m);
}

static void test_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "what", "20 1 8:1 / / rw - ext4 /dev/sda1 rw"};
    struct volumes m;
    volumes_init(&m, 100);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK(texts[i], choose(&m, texts[i]) == -EBADMSG);
        CHECK(texts[i], m.count == 0);
    }
    static char large[101];
    memset(large, 'x', sizeof(large));
    assert_int_equal(volumes_take(&m, slice_of(large, sizeof(large))), -ENOBUFS);
    volumes_clear(&m);
}

static void test_who_answers(void **state)
{
    (void)state;
    static const char *const remote[] = {"nfs4", "cifs", "fuse", "fuse.sshfs", "fuseblk", "9p"};
    static const char *const local[] = {"ext4", "xfs", "zfs", "btrfs", "overlay", "ubifs"};
    for (size_t i = 0; i < ARRAY_LEN(remote); i++)
        CHECK(remote[i], volumes_may_hang(&(struct volume){.type = slice_str(remote[i])}));
    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        CHECK(local[i], !volumes_may_hang(&(struct volume){.type = slice_str(local[i])}));
}

/* the whole table counts, also what is left out of it */
static void test_whether_one_may_hang(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool may_hang;
    } tables[] = {
        {ROOT "2 20 0:40 / /n rw - nfs4 host:/n rw\n", true},
        {ROOT "2 20 8:2 / /a rw - ext4 /dev/sdb rw\n", false},
        {ROOT "2 20 0:41 / /snap/core ro - fuse.snapfuse snapfuse ro\n", true}, /* an image */
        {ROOT "2 20 0:42 / /run/user/1/x rw - fuse.portal portal rw\n", true},
        {ROOT "2 20 0:43 / /sys/fs/fuse/connections rw - fusectl fusectl rw\n", false},
        {ROOT "2 20 0:40 / /m rw - nfs4 host:/n rw\n3 2 8:2 / /m rw - ext4 /dev/sdb rw\n", true},
    };
    struct volumes m;
    volumes_init(&m, 4096);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        CHECK(tables[i].text, choose(&m, tables[i].text) == 0);
        CHECK(tables[i].text, m.may_hang == tables[i].may_hang);
    }
    volumes_clear(&m);
}

/* without /proc/filesystems: devices and known types */
static void test_no_list_of_types(void **state)
{
    (void)state;
    struct volumes m;
    volumes_init(&m, MIB);
    assert_int_equal(volumes_take(&m, slice_str(ROOT "3 20 0:4 / /p rw - tmpfs tmpfs rw\n"
                                                     "4 20 0:5 / /n rw - nfs4 h:/x rw\n")),
                     0);
    assert_int_equal(volumes_choose(&m, slice_of(NULL, 0)), 0);
    assert_int_equal(m.count, 2);
    volumes_clear(&m);
}

/* long texts are left out or cut, so that a document holds them */
static void test_limits(void **state)
{
    (void)state;
    struct volumes m;
    struct buf text;
    buf_init(&text, MIB);
    assert_int_equal(buf_add_str(&text, ROOT "2 1 8:2 / /"), 0);
    for (int i = 0; i < VOLUMES_POINT_MAX; i++)
        assert_int_equal(buf_add_byte(&text, 'p'), 0);
    assert_int_equal(buf_add_str(&text, " rw - ext4 /dev/s rw\n3 1 8:3 / /a rw - ext4 /"), 0);
    for (int i = 0; i < VOLUMES_SOURCE_MAX; i++)
        assert_int_equal(buf_add_byte(&text, 's'), 0);
    assert_int_equal(buf_add_str(&text, " rw"), 0);
    for (int i = 0; i < VOLUMES_OPTIONS_MAX / 2; i++)
        assert_int_equal(buf_add_str(&text, ",ab"), 0);
    assert_int_equal(buf_add_str(&text, "\n"), 0);
    volumes_init(&m, MIB);
    assert_int_equal(choose(&m, buf_cstr(&text)), 0);
    assert_int_equal(m.count, 2);
    assert_int_equal(m.all[1].source.len, VOLUMES_SOURCE_MAX);
    assert_in_range(m.all[1].options.len, VOLUMES_OPTIONS_MAX - 3, VOLUMES_OPTIONS_MAX);
    assert_true(slice_ends(m.all[1].options, SLICE_LIT(",ab")));
    buf_reset(&text);
    for (unsigned i = 0; i < VOLUMES_MAX + 10; i++)
        assert_int_equal(buf_printf(&text, "%u 1 9:%u / /%u rw - ext4 /dev/s rw\n", i, i, i), 0);
    assert_int_equal(choose(&m, buf_cstr(&text)), 0);
    assert_int_equal(m.count, VOLUMES_MAX);
    volumes_clear(&m);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_who_answers),
        cmocka_unit_test(test_whether_one_may_hang),
        cmocka_unit_test(test_no_list_of_types),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
