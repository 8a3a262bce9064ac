/* metrics/load: three numbers, divided by the processors. */
#include "metrics/load.h"

#include <errno.h>

#include "check.h"

static struct buf text;

static int clear_text(void **state)
{
    (void)state;
    buf_clear(&text);
    return 0;
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int error;
        unsigned cores;
        const char *json;
    } cases[] = {
        {"vm-1", 0, 2,
         "{\"system\":{\"load\":{\"cores\":2,\"1\":2.99,\"5\":2.85,\"15\":2.05,"
         "\"norm\":{\"1\":1.495,\"5\":1.425,\"15\":1.025}}}}"},
        {"router-1", 0, 1,
         "{\"system\":{\"load\":{\"cores\":1,\"1\":12.5,\"5\":3.07,\"15\":1.0,"
         "\"norm\":{\"1\":12.5,\"5\":3.07,\"15\":1.0}}}}"},
        {"linux-2.4", 0, 3,
         "{\"system\":{\"load\":{\"cores\":3,\"1\":0.1,\"5\":0.2,\"15\":0.3,"
         "\"norm\":{\"1\":0.0333,\"5\":0.0667,\"15\":0.1}}}}"},
        {"truncated", -EBADMSG, 1, NULL},
        {"empty", -EBADMSG, 1, NULL},
        {"hostile", -EBADMSG, 1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct load_sample s = {.cores = cases[i].cores};
        struct json_writer w;
        CHECK(cases[i].host,
              load_parse(host_file(&text, cases[i].host, "loadavg"), &s) == cases[i].error);
        if (cases[i].error != 0)
            continue;
        open_json(&w, &text);
        load_write(&s, &w);
        close_json(&w, cases[i].json);
    }
}

static void test_odd(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"0.00 0.00 0.00\n", 0},      {"1 2 3 x\n", 0},
        {"1.0 2.0\n3.0\n", -EBADMSG}, {"-1.0 2.0 3.0\n", -EBADMSG},
        {"nan 2.0 3.0\n", -EBADMSG},  {"1.0 2.0 10000001\n", -EBADMSG},
        {"1.0 2.0 10000000\n", 0},    {"\n", -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct load_sample s = {.average = {-1, -1, -1}};
        int r = load_parse(slice_str(cases[i].text), &s);
        CHECK(cases[i].text, r == cases[i].error);
        CHECK(cases[i].text, (s.average[0] < 0) == (r < 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_odd),
    };
    return cmocka_run_group_tests(tests, NULL, clear_text);
}
