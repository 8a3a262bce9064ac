/* tail/registry_record: every record reads back the same; cut and impossible payloads are refused;
 * replay takes any bytes. */
#include "tail/registry_record.h"

#include <errno.h>
#include <limits.h>

#include "base/mem.h"
#include "base/prng.h"
#include "tail/registry_describe.h"
#include "tail_test.h"

static const uint8_t types[] = {FRAME_GEN, FRAME_OFFSET, FRAME_SENT_TO, FRAME_DONE, FRAME_CLEAN};

static const struct entry_extra extra = {.absent_ns = 1763000000000000000};

/* an entry in which every field that is written has a value of its own */
static struct entry sample(char *path)
{
    return (struct entry){
        .gen = {{1, 2, 3, 4, 5, 6, 7, 8, 9}},
        .dev = 0x0102030405060708,
        .ino = UINT64_MAX,
        .birth_ns = -5,
        .sent_to = (uint64_t)1 << 40,
        .sent_day = 20780,
        .acked = {1000, 0xaaaa, 0xbbbb, 1024, EVIDENCE_IN_OVERSIZE},
        .older = {500, 0xcccc},
        .seen_ns = 1764000000000000000,
        .extra = &extra,
        .framing = 0x12345678,
        .path = path,
    };
}

/* one record of a type into an empty list */
static int put(struct buf *records, uint8_t type, const struct entry *e)
{
    switch (type) {
    case FRAME_GEN:
        return record_put_gen(records, e);
    case FRAME_OFFSET:
        return record_put_offset(records, e);
    case FRAME_SENT_TO:
        return record_put_sent_to(records, e);
    case FRAME_DONE:
        return record_put_done(records, e);
    default:
        return record_put_clean(records, "b007", 99, true);
    }
}

/* the packed record at the front of s, cut off */
static struct frame unpack(struct slice *s)
{
    struct frame f = {0};
    uint32_t n = 0;
    assert_true(frame_get_u8(s, &f.type) && frame_get_u32(s, &n));
    f.payload = slice_sub(*s, 0, n);
    *s = slice_sub(*s, n, SIZE_MAX);
    assert_int_equal(f.payload.len, n);
    return f;
}

static void reads_back_the_same(void **state)
{
    (void)state;
    char path[] = "/var/log/a b\n.log";
    struct entry e = sample(path);
    struct buf records;
    struct record r;
    buf_init(&records, MIB);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        assert_int_equal(put(&records, types[i], &e), 0);
    struct slice rest = buf_slice(&records);

    struct frame f = unpack(&rest);
    assert_int_equal(f.type, FRAME_GEN);
    assert_int_equal(record_read(&f, &r), 0);
    assert_true(generation_eq(&r.gen, &e.gen) && r.dev == e.dev && r.ino == e.ino);
    assert_true(r.birth_ns == -5 && r.sent_to == e.sent_to && r.sent_day == 20780);
    assert_true(r.evidence.offset == 1000 && r.evidence.anchor == 0xaaaa);
    assert_true(r.evidence.head == 0xbbbb && r.evidence.head_bytes == 1024);
    assert_true(r.evidence.flags == EVIDENCE_IN_OVERSIZE && slice_eq_str(r.path, path));
    assert_true(r.seen_ns == 0 && r.older.offset == 0);
    assert_true(r.framing == e.framing && r.absent_ns == 0);

    f = unpack(&rest);
    assert_int_equal(f.type, FRAME_OFFSET);
    assert_int_equal(record_read(&f, &r), 0);
    assert_true(generation_eq(&r.gen, &e.gen) && r.evidence.offset == 1000);
    assert_true(r.older.offset == 500 && r.older.hash == 0xcccc && r.seen_ns == e.seen_ns);
    assert_true(r.absent_ns == extra.absent_ns && r.framing == 0);
    assert_true(r.dev == 0 && r.path.len == 0);

    f = unpack(&rest);
    assert_int_equal(f.type, FRAME_SENT_TO);
    assert_int_equal(record_read(&f, &r), 0);
    assert_true(generation_eq(&r.gen, &e.gen) && r.sent_to == e.sent_to && r.sent_day == 20780);

    f = unpack(&rest);
    assert_int_equal(f.type, FRAME_DONE);
    assert_int_equal(record_read(&f, &r), 0);
    assert_true(generation_eq(&r.gen, &e.gen));

    f = unpack(&rest);
    assert_int_equal(f.type, FRAME_CLEAN);
    assert_int_equal(record_read(&f, &r), 0);
    assert_true(slice_eq_str(r.boot_id, "b007") && r.stopped);
    assert_int_equal(rest.len, 0);
    buf_clear(&records);
}

/* marks of open records take place only where there are some; impossible ones are refused */
static void marks_of_open_records(void **state)
{
    (void)state;
    char path[] = "/a";
    struct entry e = sample(path);
    struct buf plain, marked;
    struct record r;
    buf_init(&plain, MIB);
    buf_init(&marked, MIB);
    assert_int_equal(put(&plain, FRAME_OFFSET, &e), 0);
    e.acked.flags |= EVIDENCE_OPEN << 1 | EVIDENCE_CARRIED;
    e.acked.ahead = 0x10000;
    e.acked.other = 7;
    assert_int_equal(put(&marked, FRAME_OFFSET, &e), 0);
    assert_int_equal(marked.len, plain.len + 8);
    struct slice rest = buf_slice(&marked);
    struct frame f = unpack(&rest);
    assert_int_equal(record_read(&f, &r), 0);
    assert_true(r.evidence.ahead == 0x10000 && r.evidence.other == 7);
    assert_true(r.evidence.flags == e.acked.flags && r.seen_ns == e.seen_ns);
    e.acked.other = 0x10001;
    buf_reset(&marked);
    assert_int_equal(put(&marked, FRAME_OFFSET, &e), 0);
    rest = buf_slice(&marked);
    f = unpack(&rest);
    assert_int_equal(record_read(&f, &r), -EBADMSG);
    buf_clear(&plain);
    buf_clear(&marked);
}

static void stop_and_start_differ(void **state)
{
    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        struct buf records;
        struct record r;
        buf_init(&records, MIB);
        assert_int_equal(record_put_clean(&records, "", 1, stopped), 0);
        struct slice rest = buf_slice(&records);
        struct frame f = unpack(&rest);
        assert_int_equal(record_read(&f, &r), 0);
        assert_true(r.boot_id.len == 0 && r.stopped == (bool)stopped);
        buf_clear(&records);
    }
}

/* the days of dated targets: each its own record, the last one with every further step */
static void days_are_kept(void **state)
{
    (void)state;
    char path[] = "/p";
    struct sent_days days = {2, {{100, 20779}, {5000, 20780}}};
    struct entry e = sample(path);
    struct buf records;
    struct record r;
    struct entry_extra dated = {.days = &days};
    e.extra = &dated;
    buf_init(&records, MIB);
    assert_int_equal(record_put_days(&records, &e), 0);
    assert_int_equal(record_put_sent_to(&records, &e), 0);
    struct slice rest = buf_slice(&records);
    for (int i = 0; i < 3; i++) {
        struct frame f = unpack(&rest);
        assert_int_equal(f.type, FRAME_SENT_TO);
        assert_int_equal(record_read(&f, &r), 0);
        assert_true(r.has_from && r.sent_to == e.sent_to);
        assert_int_equal(r.sent_day, i == 0 ? 20779 : 20780);
        assert_int_equal(r.from, i == 0 ? 100 : 5000);
    }
    assert_int_equal(rest.len, 0);
    buf_reset(&records);
    dated.days = NULL;
    assert_int_equal(record_put_days(&records, &e), 0);
    assert_int_equal(records.len, 0);
    assert_int_equal(record_put_sent_to(&records, &e), 0);
    rest = buf_slice(&records);
    struct frame f = unpack(&rest);
    assert_int_equal(record_read(&f, &r), 0);
    assert_false(r.has_from);
    buf_clear(&records);
}

/* every shorter payload is refused, a longer one (of a newer version) is not */
static void cut_payloads(void **state)
{
    (void)state;
    char path[] = "/p";
    struct entry e = sample(path);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct buf records;
        struct record r;
        buf_init(&records, MIB);
        assert_int_equal(put(&records, types[i], &e), 0);
        struct slice rest = buf_slice(&records);
        struct frame whole = unpack(&rest), f = whole;
        for (size_t n = 0; n < whole.payload.len; n++) {
            char *copy = mem_strndup(whole.payload.ptr, n);
            copy = mem_resize(copy, n); /* a sanitizer sees a read behind it */
            f.payload = slice_of(copy, n);
            r.dev = 77;
            assert_int_equal(record_read(&f, &r), -EBADMSG);
            assert_true(r.dev == 77);
            mem_free(copy);
        }
        assert_int_equal(buf_add_str(&records, "more"), 0);
        f.payload = slice_of(records.ptr + 5, records.len - 5);
        assert_int_equal(record_read(&f, &r), 0);
        buf_clear(&records);
    }
}

/* payloads whose numbers cannot be */
static void impossible_values(void **state)
{
    (void)state;
    static char long_path[PATH_MAX + 1];
    memset(long_path, 'x', PATH_MAX);
    static const struct {
        const char *name;
        uint8_t type;
        uint16_t head_bytes;
        size_t path_bytes; /* also of the boot id */
        int nul_at;        /* -1: none */
        int result;
    } cases[] = {
        {"largest head", FRAME_OFFSET, 1024, 1, -1, 0},
        {"head too long", FRAME_OFFSET, 1025, 1, -1, -EBADMSG},
        {"head too long in GEN", FRAME_GEN, 1025, 1, -1, -EBADMSG},
        {"longest path", FRAME_GEN, 0, PATH_MAX - 1, -1, 0},
        {"path too long", FRAME_GEN, 0, PATH_MAX, -1, -EBADMSG},
        {"nul in the path", FRAME_GEN, 0, 10, 4, -EBADMSG},
        {"empty path", FRAME_GEN, 0, 0, -1, 0},
        {"longest boot id", FRAME_CLEAN, 0, REGISTRY_BOOT_CHARS, -1, 0},
        {"boot id too long", FRAME_CLEAN, 0, REGISTRY_BOOT_CHARS + 1, -1, -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf records;
        struct record r;
        char *text = mem_strndup(long_path, cases[i].path_bytes);
        struct entry e = sample(text);
        e.acked.head_bytes = cases[i].head_bytes;
        buf_init(&records, MIB);
        if (cases[i].type == FRAME_CLEAN)
            CHECK(cases[i].name, record_put_clean(&records, text, 0, false) == 0);
        else
            CHECK(cases[i].name, put(&records, cases[i].type, &e) == 0);
        if (cases[i].nul_at >= 0) /* the framing stands behind the path */
            records.ptr[records.len - 4 - cases[i].path_bytes + (size_t)cases[i].nul_at] = '\0';
        struct slice rest = buf_slice(&records);
        struct frame f = unpack(&rest);
        CHECK(cases[i].name, record_read(&f, &r) == cases[i].result);
        buf_clear(&records);
        mem_free(text);
    }
}

/* random frames, changed good ones among them, are replayed into a registry */
static void replay_takes_any_bytes(void **state)
{
    (void)state;
    struct prng random;
    int error = 0;
    prng_init(&random, 31);
    struct loop *loop = loop_new(clock_system(), &error);
    struct registry_hooks hooks = {0};
    for (int round = 0; round < 200; round++) {
        struct registry *registry = registry_new(loop, &hooks);
        for (int i = 0; i < 50; i++) {
            char path[] = "/var/log/x";
            struct entry e = sample(path);
            struct buf records;
            e.gen.bytes[0] = (uint8_t)prng_upto(&random, 3);
            e.ino = (uint64_t)prng_upto(&random, 2);
            e.dev = (uint64_t)prng_upto(&random, 1);
            buf_init(&records, MIB);
            assert_int_equal(put(&records, types[prng_upto(&random, 4)], &e), 0);
            for (int64_t n = prng_upto(&random, 2); n > 0 && round % 2 == 0; n--)
                records.ptr[5 + prng_upto(&random, (int64_t)records.len - 6)] ^=
                    (char)(1 << prng_upto(&random, 7));
            struct slice rest = buf_slice(&records);
            struct frame f = unpack(&rest);
            f.payload.len -= (size_t)prng_upto(&random, round % 4 == 0 ? 8 : 0);
            registry_replay(registry, &f);
            buf_clear(&records);
        }
        size_t n = 0;
        for (struct entry *e = registry_next(registry, NULL); e != NULL;
             e = registry_next(registry, e))
            n++;
        assert_int_equal(n, registry_count(registry));
        registry_free(&registry);
        assert_null(registry);
    }
    assert_int_equal(loop_free(&loop), 0);
}

static void in_words(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        const char *name, *text;
    } cases[] = {
        {FRAME_GEN, "GEN",
         "AQIDBAUGBwgJ offset 1000 head 1024 sent to 1099511627776 device 72623859790382856 "
         "inode 18446744073709551615 /a b"},
        {FRAME_OFFSET, "OFFSET",
         "AQIDBAUGBwgJ offset 1000 head 1024 older 500 2025-11-24T16:00:00.000Z"},
        {FRAME_SENT_TO, "SENT_TO", "AQIDBAUGBwgJ sent to 1099511627776"},
        {FRAME_DONE, "DONE", "AQIDBAUGBwgJ"},
        {FRAME_CLEAN, "CLEAN", "stop 1970-01-01T00:00:00.000Z boot b007"},
    };
    char path[] = "/a b", name[12];
    struct entry e = sample(path);
    struct buf records, text;
    buf_init(&records, MIB);
    buf_init(&text, MIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        buf_reset(&records);
        buf_reset(&text);
        assert_int_equal(put(&records, cases[i].type, &e), 0);
        struct slice rest = buf_slice(&records);
        struct frame f = unpack(&rest);
        assert_string_equal(registry_type_name(f.type, name), cases[i].name);
        assert_int_equal(registry_describe(&f, &text), 0);
        assert_string_equal(buf_cstr(&text), cases[i].text);
        f.payload.len = 5; /* cut: told by its length */
        buf_reset(&text);
        assert_int_equal(registry_describe(&f, &text), 0);
        assert_string_equal(buf_cstr(&text), "5 bytes");
    }
    assert_string_equal(registry_type_name(FRAME_CURSOR, name), "CURSOR");
    assert_string_equal(registry_type_name(200, name), "type 200");
    buf_clear(&records);
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_the_same),    cmocka_unit_test(marks_of_open_records),
        cmocka_unit_test(stop_and_start_differ),  cmocka_unit_test(cut_payloads),
        cmocka_unit_test(days_are_kept),          cmocka_unit_test(impossible_values),
        cmocka_unit_test(replay_takes_any_bytes), cmocka_unit_test(in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
