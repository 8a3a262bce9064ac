/*
 * run/assemble: configuration to options
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "run/assemble.h"

/* loads a configuration from text */
static struct config *load(const char *text)
{
    struct config *c = NULL;
    struct config_errors errors = {0};
    struct config_source source = {.path = "test.yml", .bytes = slice_str(text)};
    int r = config_load(&source, &c, &errors);
    for (size_t i = 0; i < errors.n; i++)
        print_error("%s\n", errors.v[i].text);
    config_errors_clear(&errors);
    assert_int_equal(r, 0);
    return c;
}

static const char three_inputs[] = "namespace: site\n"
                                   "metadata: [host, offset]\n"
                                   "inputs:\n"
                                   "  - {paths: [/a], dataset: one, max_bytes: 2KiB}\n"
                                   "  - {paths: [/b, /c], dataset: two, start_at: end}\n"
                                   "  - {paths: [/d], dataset: one, ignore_older: 1h}\n"
                                   "output.elasticsearch:\n"
                                   "  hosts: [\"http://127.0.0.1:9200\", \"https://es:9243/p\"]\n"
                                   "  workers: 3\n";

/* inputs, their targets, and how many different ones there are */
static void inputs(void **state)
{
    struct assembled a;
    struct ledgers ledgers;
    ledgers_init(&ledgers);
    struct config *c = load(three_inputs);
    (void)state;
    assert_int_equal(assemble_inputs(&a, c, &ledgers, "h1", 0, NULL), 0);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.target_count, 2);
    assert_string_equal(a.inputs[0].encode.target, "logs-one-site");
    assert_string_equal(a.inputs[1].encode.target, "logs-two-site");
    assert_int_equal(a.inputs[0].encode.parts, PART_HOST | PART_OFFSET);
    assert_int_equal(a.inputs[0].max_bytes, 2048);
    assert_false(a.inputs[0].start_at_end);
    assert_true(a.inputs[1].start_at_end);
    assert_int_equal(a.inputs[1].path_count, 2);
    assert_int_equal(a.inputs[2].ignore_older_ms, 3600000);
    assert_ptr_equal(a.inputs[2].ledger, ledgers_get(&ledgers, a.inputs[2].id));
    assemble_clear(&a);
    ledgers_clear(&ledgers);
    assert_null(a.inputs);
    config_free(&c);
}

/* what is not given is NULL for the output */
static void output(void **state)
{
    struct output_opts o;
    struct config *c = load(three_inputs);
    (void)state;
    assemble_output(&o, c);
    assert_int_equal(o.host_count, 2);
    assert_string_equal(o.hosts[0], "http://127.0.0.1:9200");
    assert_int_equal(o.http.credential.kind, CREDENTIAL_NONE);
    assert_int_equal(o.http.tls.verify, HTTP_VERIFY_FULL);
    assert_false(o.plain_index);
    assert_int_equal(o.workers, 3);
    assert_int_equal(o.compression, OUTPUT_COMPRESSION_GZIP); /* one host is not on this machine */
    assemble_output_clear(&o);
    config_free(&c);
}

/* names of data streams */
static void target(void **state)
{
    (void)state;
    char *name = assemble_target("metrics", "system.cpu", "default");
    assert_string_equal(name, "metrics-system.cpu-default");
    mem_free(name);
}

/* all of them */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs),
        cmocka_unit_test(output),
        cmocka_unit_test(target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
