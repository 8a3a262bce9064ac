/* tail/identity: the decision for every combination of facts, and evidence on real files. */
#include "tail/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "tail_test.h"
#include "tmp_dir.h"

/* the rows of the specification's table, in its order */
static void rows_of_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct identity_facts facts;
        enum identity_decision decision;
    } cases[] = {
        {"same inode, births differ",
         {.same_inode = true, .births_differ = true, .evidence = true, .head_bytes = 1024},
         IDENTITY_REUSED},
        {"same inode, evidence holds",
         {.same_inode = true, .evidence = true, .head_bytes = 1024},
         IDENTITY_RESUME},
        {"same inode, evidence of one byte",
         {.same_inode = true, .evidence = true, .head_bytes = 1},
         IDENTITY_RESUME},
        {"other inode, evidence, registered inode nowhere",
         {.evidence = true, .head_bytes = 64},
         IDENTITY_MOVED},
        {"other inode, evidence of a short head",
         {.evidence = true, .head_bytes = 63},
         IDENTITY_NEW},
        {"other inode, evidence, registered inode lives",
         {.evidence = true, .head_bytes = 64, .registered_lives = true},
         IDENTITY_COPY},
        {"same inode, no evidence", {.same_inode = true, .head_bytes = 1024}, IDENTITY_REWRITTEN},
        {"same inode, nothing stored", {.same_inode = true}, IDENTITY_REWRITTEN},
        {"after an unclean boot, older anchor agrees",
         {.same_inode = true, .older_evidence = true, .unclean_boot = true, .head_bytes = 9},
         IDENTITY_REGROWN},
        {"after an unclean boot, newest anchor agrees",
         {.same_inode = true, .evidence = true, .older_evidence = true, .unclean_boot = true},
         IDENTITY_RECOVERED},
        {"after an unclean boot, no anchor agrees",
         {.same_inode = true, .unclean_boot = true, .head_bytes = 1024},
         IDENTITY_REWRITTEN},
        {"after an unclean boot, moved",
         {.evidence = true, .unclean_boot = true, .head_bytes = 64},
         IDENTITY_RECOVERED},
        {"after an unclean boot, another file under the number",
         {.same_inode = true, .births_differ = true, .evidence = true, .unclean_boot = true},
         IDENTITY_REUSED},
        {"after an unclean boot, older anchor in another inode",
         {.older_evidence = true, .unclean_boot = true, .head_bytes = 64},
         IDENTITY_NEW},
        {"older anchor agrees, but the boot was clean",
         {.same_inode = true, .older_evidence = true},
         IDENTITY_REWRITTEN},
        {"none of these", {0}, IDENTITY_NEW},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].name, identity_decide(&cases[i].facts) == cases[i].decision);
}

/* what the specification says of facts, written a second time */
static enum identity_decision expected(const struct identity_facts *f)
{
    if (f->same_inode && f->births_differ)
        return IDENTITY_REUSED;
    bool known = f->evidence && (f->same_inode || f->head_bytes >= 64);
    if (known && !f->same_inode && f->registered_lives)
        return IDENTITY_COPY;
    if (known && f->unclean_boot)
        return IDENTITY_RECOVERED;
    if (known)
        return f->same_inode ? IDENTITY_RESUME : IDENTITY_MOVED;
    if (f->same_inode && f->unclean_boot && f->older_evidence)
        return IDENTITY_REGROWN;
    return f->same_inode ? IDENTITY_REWRITTEN : IDENTITY_NEW;
}

static void every_combination(void **state)
{
    (void)state;
    static const uint16_t heads[] = {0, 1, 63, 64, 1024};
    for (unsigned bits = 0; bits < 64; bits++) {
        for (size_t h = 0; h < ARRAY_LEN(heads); h++) {
            struct identity_facts f = {
                .same_inode = bits & 1,
                .births_differ = bits & 2,
                .evidence = bits & 4,
                .older_evidence = bits & 8,
                .registered_lives = bits & 16,
                .unclean_boot = bits & 32,
                .head_bytes = heads[h],
            };
            if (identity_decide(&f) != expected(&f))
                fail_msg("facts %u, head %u: %s", bits, heads[h],
                         identity_name(identity_decide(&f)));
            /* content is never gone on with unless some evidence holds */
            enum identity_decision d = identity_decide(&f);
            if (d == IDENTITY_RESUME || d == IDENTITY_MOVED || d == IDENTITY_COPY ||
                d == IDENTITY_RECOVERED)
                assert_true(f.evidence);
            /* and never under the old ids when the host went down */
            assert_false(f.unclean_boot && (d == IDENTITY_RESUME || d == IDENTITY_MOVED));
        }
    }
}

static void names_differ(void **state)
{
    (void)state;
    for (int i = IDENTITY_NEW; i <= IDENTITY_REGROWN; i++)
        for (int j = IDENTITY_NEW; j < i; j++)
            assert_string_not_equal(identity_name((enum identity_decision)i),
                                    identity_name((enum identity_decision)j));
}

struct bench {
    struct tmp_dir dir;
    struct content content;
};

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    tmp_dir_make(&bench.dir);
    content_open(&bench.content, -1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    content_close(&bench.content);
    tmp_dir_remove(&bench.dir);
    return 0;
}

/* a file of n bytes in which every byte depends on its place, opened */
static const char *make_file(size_t n)
{
    static char bytes[8192];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)('a' + (i * 7 + i / 26) % 26);
    tmp_dir_write(&bench.dir, "f", bytes, n);
    content_open(&bench.content, open(tmp_dir_path(&bench.dir, "f"), O_RDWR | O_CLOEXEC));
    assert_true(bench.content.fd >= 0);
    return bytes;
}

/* one byte of the file becomes another */
static void change(off_t at)
{
    assert_int_equal(pwrite(bench.content.fd, "#", 1, at), 1);
}

static void evidence_is_of_the_bytes(void **state)
{
    (void)state;
    const char *bytes = make_file(5000);
    static const uint64_t offsets[] = {0, 1, 63, 64, 65, 1023, 1024, 1025, 4999, 5000};
    for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
        size_t at = (size_t)offsets[i], head = at < 1024 ? at : 1024, anchor = at < 64 ? at : 64;
        struct evidence e;
        assert_int_equal(identity_evidence_of(&bench.content, at, &e), 0);
        assert_true(e.offset == at && e.head_bytes == head && e.flags == 0);
        assert_true(e.head == hash64(bytes, head));
        assert_true(e.anchor == hash64(bytes + at - anchor, anchor));
        assert_int_equal(identity_evidence_holds(&bench.content, 5000, &e), at > 0);
        /* also when the file has grown since, not when it is shorter than the offset */
        assert_int_equal(identity_evidence_holds(&bench.content, 6000, &e), at > 0);
        if (at > 0)
            assert_false(identity_evidence_holds(&bench.content, at - 1, &e));
    }
    struct evidence e = {.offset = 77};
    assert_int_equal(identity_evidence_of(&bench.content, 5001, &e), -EIO);
    assert_true(e.offset == 77);
}

/* which bytes of the file are evidence at an offset */
static void changed_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t offset;
        off_t changed;
        bool holds;
    } cases[] = {
        {"first byte of the head", 4000, 0, false},
        {"last byte of the head", 4000, 1023, false},
        {"behind the head", 4000, 1024, true},
        {"before the anchor", 4000, 3935, true},
        {"first byte of the anchor", 4000, 3936, false},
        {"last byte of the anchor", 4000, 3999, false},
        {"behind the offset", 4000, 4000, true},
        {"short: first byte", 10, 0, false},
        {"short: last byte", 10, 9, false},
        {"short: behind", 10, 10, true},
        {"one byte", 1, 0, false},
        {"behind one byte", 1, 1, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct evidence e;
        (void)make_file(5000);
        assert_int_equal(identity_evidence_of(&bench.content, cases[i].offset, &e), 0);
        change(cases[i].changed);
        CHECK(cases[i].name, identity_evidence_holds(&bench.content, 5000, &e) == cases[i].holds);
        content_close(&bench.content);
    }
}

/* evidence that no file can satisfy, as a damaged registry may hold */
static void hostile_evidence(void **state)
{
    (void)state;
    const char *bytes = make_file(100);
    static const struct {
        const char *name;
        uint64_t offset;
        uint16_t head_bytes;
    } cases[] = {
        {"offset far behind the end", UINT64_MAX, 10},
        {"offset of the largest file", INT64_MAX, 10},
        {"head longer than the file", 50, 101},
        {"head longer than any", 50, UINT16_MAX},
        {"no head", 50, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct evidence e = {
            .offset = cases[i].offset,
            .anchor = hash64(bytes, 50),
            .head = hash64(bytes, 10),
            .head_bytes = cases[i].head_bytes,
        };
        CHECK(cases[i].name, !identity_evidence_holds(&bench.content, 100, &e));
        /* also when the size is said to be enough */
        CHECK(cases[i].name, !identity_evidence_holds(&bench.content, UINT64_MAX, &e));
    }
    struct evidence e = {.offset = 0, .head_bytes = 10, .head = hash64(bytes, 10)};
    assert_true(
        identity_evidence_holds(&bench.content, 100, &e)); /* a head alone is evidence at 0 */
    content_close(&bench.content);
    assert_false(identity_evidence_holds(&bench.content, 100, &e));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_the_table),
        cmocka_unit_test(every_combination),
        cmocka_unit_test(names_differ),
        TEST(evidence_is_of_the_bytes),
        TEST(changed_bytes),
        TEST(hostile_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
