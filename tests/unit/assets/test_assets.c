/* Names, order and bodies of everything that setup makes, for each product. Each body is a file
 * below tests/data/assets/PRODUCT/, without its hash; they were compared with the products'
 * documentation by hand. */
#include "check.h"

#include <string.h>

#include "assets/assets.h"

#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

static struct mapping *mapping_of(const char *name)
{
    struct mapping *m = mapping_new();
    assert_int_equal(mapping_add(m, &(struct mapping_field){.name = name, .type = FIELD_KEYWORD}),
                     0);
    return m;
}

static const struct asset_target targets[] = {
    {"logs-nginx-*", true, 0},
    {"metrics-system.*-*", true, 1},
    {"isp-logs-*", false, 0},
};
static struct asset_mapping mappings[2];
static struct asset_opts opts;

static int set_up(void **state)
{
    (void)state;
    mappings[0] = (struct asset_mapping){"logs", mapping_of("log.level")};
    mappings[1] = (struct asset_mapping){"metrics", mapping_of("host.name")};
    opts = (struct asset_opts){
        .targets = targets,
        .target_count = ARRAY_LEN(targets),
        .mappings = mappings,
        .mapping_count = ARRAY_LEN(mappings),
        .shards = 2,
        .replicas = 1,
        .rollover_age_ms = 7 * DAY_MS,
        .rollover_bytes = UINT64_C(10) << 30,
        .warm_ms = 30 * DAY_MS,
        .cold_ms = 60 * DAY_MS,
        .delete_ms = 90 * DAY_MS,
    };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapping_free(&mappings[0].fields);
    mapping_free(&mappings[1].fields);
    return 0;
}

static const struct product {
    const char *name;
    struct asset_server server;
} products[] = {
    {"elasticsearch", {.lifecycle = ASSET_ILM}},
    {"opensearch", {.opensearch = true, .lifecycle = ASSET_ISM}},
    {"serverless", {.serverless = true, .lifecycle = ASSET_RETENTION}},
};

/* ---- bodies ---- */

/* the whole file, without blanks outside of strings */
static void read_golden(const char *product, const char *label, const char *name, struct buf *out)
{
    char path[512];
    bool in_string = false;
    int c;
    (void)snprintf(path, sizeof(path), "tests/data/assets/%s/%s/%s.json", product, label, name);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        fail_msg("no file %s", path);
    while ((c = fgetc(f)) != EOF) {
        if (c == '"')
            in_string = !in_string;
        if (in_string || strchr(" \n", c) == NULL)
            assert_int_equal(buf_add_byte(out, (char)c), 0);
    }
    (void)fclose(f);
}

/* the body with its hash as HASH */
static void hide_hash(const struct asset *a, struct buf *out)
{
    struct slice body = buf_slice(&a->body);
    const char *at = memmem(body.ptr, body.len, a->hash, strlen(a->hash));
    assert_non_null(at);
    size_t from = (size_t)(at - body.ptr);
    assert_int_equal(buf_printf(out, "%.*sHASH%s", (int)from, body.ptr, at + strlen(a->hash)), 0);
}

static void test_golden(void **state)
{
    (void)state;
    static const char *const labels[] = {"policy", "component", "template", "role"};
    for (size_t p = 0; p < ARRAY_LEN(products); p++) {
        struct asset a;
        asset_init(&a);
        for (size_t i = 0; i < assets_count(&opts, &products[p].server); i++) {
            struct buf want, got;
            buf_init(&want, MIB);
            buf_init(&got, MIB);
            assert_int_equal(assets_make(&opts, &products[p].server, i, &a), 0);
            read_golden(products[p].name, labels[a.kind], a.name, &want);
            hide_hash(&a, &got);
            if (strcmp(buf_cstr(&got), buf_cstr(&want)) != 0)
                fail_msg("%s %s %s: %s", products[p].name, labels[a.kind], a.name, buf_cstr(&got));
            buf_clear(&want);
            buf_clear(&got);
        }
        asset_clear(&a);
    }
}

/* ---- lists ---- */

static const struct {
    const char *product;
    const char *paths; /* in order */
} lists[] = {
    {"elasticsearch",
     "/_ilm/policy/wherry /_ilm/policy/wherry-daily /_component_template/wherry-mappings-logs "
     "/_component_template/wherry-mappings-metrics /_component_template/wherry-settings "
     "/_component_template/wherry-daily-settings /_index_template/wherry-logs-nginx "
     "/_index_template/wherry-metrics-system /_index_template/wherry-isp-logs "
     "/_security/role/wherry-writer "},
    {"opensearch",
     "/_plugins/_ism/policies/wherry-logs-nginx /_plugins/_ism/policies/wherry-metrics-system "
     "/_plugins/_ism/policies/wherry-isp-logs /_component_template/wherry-mappings-logs "
     "/_component_template/wherry-mappings-metrics /_component_template/wherry-settings "
     "/_component_template/wherry-daily-settings /_index_template/wherry-logs-nginx "
     "/_index_template/wherry-metrics-system /_index_template/wherry-isp-logs "
     "/_plugins/_security/api/roles/wherry-writer "},
    {"serverless",
     "/_component_template/wherry-mappings-logs /_component_template/wherry-mappings-metrics "
     "/_index_template/wherry-logs-nginx /_index_template/wherry-metrics-system "
     "/_index_template/wherry-isp-logs /_security/role/wherry-writer "},
};

static void test_order(void **state)
{
    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(products); p++) {
        struct asset a;
        struct buf paths;
        asset_init(&a);
        buf_init(&paths, MIB);
        for (size_t i = 0; i < assets_count(&opts, &products[p].server); i++) {
            assert_int_equal(assets_make(&opts, &products[p].server, i, &a), 0);
            assert_int_equal(buf_printf(&paths, "%s ", a.path), 0);
        }
        assert_string_equal(products[p].name, lists[p].product);
        assert_string_equal(buf_cstr(&paths), lists[p].paths);
        buf_clear(&paths);
        asset_clear(&a);
    }
}

/* what streams alone, or indices by name alone, do not need is not made */
static void test_one_kind(void **state)
{
    (void)state;
    struct asset_opts one = opts;
    one.target_count = 1;
    one.mapping_count = 1;
    assert_int_equal(assets_count(&one, &products[0].server), 5);
    struct asset a;
    asset_init(&a);
    one.targets = &targets[2];
    assert_int_equal(assets_count(&one, &products[0].server), 5);
    assert_int_equal(assets_make(&one, &products[0].server, 0, &a), 0);
    assert_string_equal(a.name, "wherry-daily");
    assert_int_equal(assets_make(&one, &products[0].server, 2, &a), 0);
    assert_string_equal(a.name, "wherry-daily-settings");
    asset_clear(&a);
}

/* no asset has the name of another one of its kind: a PUT never takes the place of another asset */
static void test_names_differ(void **state)
{
    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(products); p++) {
        struct asset a, b;
        asset_init(&a);
        asset_init(&b);
        size_t count = assets_count(&opts, &products[p].server);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(assets_make(&opts, &products[p].server, i, &a), 0);
            for (size_t j = 0; j < i; j++) {
                assert_int_equal(assets_make(&opts, &products[p].server, j, &b), 0);
                CHECK(a.path, strcmp(a.path, b.path) != 0);
            }
        }
        asset_clear(&a);
        asset_clear(&b);
    }
}

/* ---- the stamp ---- */

static void test_hash(void **state)
{
    (void)state;
    char hash[17] = "";
    struct asset a, b;
    struct asset_opts changed = opts;
    changed.replicas = 0;
    asset_init(&a);
    asset_init(&b);
    for (size_t i = 0; i < assets_count(&opts, &products[0].server); i++) {
        assert_int_equal(assets_make(&opts, &products[0].server, i, &a), 0);
        assert_int_equal(strspn(a.hash, "0123456789abcdef"), 16);
        assert_int_equal(assets_make(&opts, &products[0].server, i, &b), 0);
        assert_string_equal(a.hash, b.hash);
        assert_int_equal(assets_make(&changed, &products[0].server, i, &b), 0);
        bool is_settings = strstr(a.name, "settings") != NULL;
        CHECK(a.path, (strcmp(a.hash, b.hash) != 0) == is_settings);
        CHECK(a.path, strcmp(a.hash, hash) != 0);
        memcpy(hash, a.hash, sizeof(hash));
    }
    asset_clear(&a);
    asset_clear(&b);
}

/* ---- rollover and dates ---- */

/* no body asks for an alias: an index named by the day could never be rolled over behind one */
static void test_no_rollover_alias(void **state)
{
    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(products); p++) {
        struct asset a;
        asset_init(&a);
        for (size_t i = 0; i < assets_count(&opts, &products[p].server); i++) {
            assert_int_equal(assets_make(&opts, &products[p].server, i, &a), 0);
            CHECK(a.path, strstr(buf_cstr(&a.body), "rollover_alias") == NULL);
            bool is_daily = strstr(a.name, "daily") != NULL || strstr(a.name, "isp-logs") != NULL;
            if (a.kind == ASSET_POLICY)
                CHECK(a.path, (strstr(buf_cstr(&a.body), "\"rollover\"") == NULL) == is_daily);
        }
        asset_clear(&a);
    }
}

/* the i-th body with other options */
static void expect_body(const struct asset_opts *o, size_t product, size_t i, const char *begin)
{
    struct asset a;
    asset_init(&a);
    assert_int_equal(assets_make(o, &products[product].server, i, &a), 0);
    if (strncmp(buf_cstr(&a.body), begin, strlen(begin)) != 0)
        fail_msg("%s: %s", a.path, buf_cstr(&a.body));
    asset_clear(&a);
}

#define HOT_ONLY                                                                                   \
    "{\"policy\":{\"phases\":{\"hot\":{\"min_age\":\"0ms\",\"actions\":{\"set_priority\":{"        \
    "\"priority\":100}}}},\"_meta\""

static void test_ages_that_are_off(void **state)
{
    (void)state;
    struct asset_opts o = opts;
    o.warm_ms = o.cold_ms = 0;
    expect_body(&o, 1, 0,
                "{\"policy\":{\"default_state\":\"hot\",\"states\":[{\"name\":\"hot\",\"actions\":["
                "{\"rollover\":{\"min_index_age\":\"7d\",\"min_primary_shard_size\":\"10gb\"}},{"
                "\"index_priority\":{\"priority\":100}}],\"transitions\":[{\"state_name\":"
                "\"delete\",\"conditions\":{\"min_rollover_age\":\"90d\"}}]},{\"name\":\"delete\","
                "\"actions\":[{\"delete\":{}}],\"transitions\":[]}],");
    o.rollover_age_ms = 0;
    o.rollover_bytes = 0;
    o.delete_ms = 36 * HOUR_MS;
    expect_body(&o, 1, 0,
                "{\"policy\":{\"default_state\":\"hot\",\"states\":[{\"name\":\"hot\",\"actions\":["
                "{\"index_priority\":{\"priority\":100}}],\"transitions\":[{\"state_name\":"
                "\"delete\",\"conditions\":{\"min_index_age\":\"36h\"}}]},");
    o.delete_ms = 0;
    expect_body(&o, 0, 0, HOT_ONLY);
    expect_body(&o, 0, 1, HOT_ONLY);
    expect_body(&o, 1, 0,
                "{\"policy\":{\"default_state\":\"hot\",\"states\":[{\"name\":\"hot\",\"actions\":["
                "{\"index_priority\":{\"priority\":100}}],\"transitions\":[]}],");
    expect_body(&o, 2, 2,
                "{\"index_patterns\":[\"logs-nginx-*\"],\"data_stream\":{},\"priority\":501,"
                "\"composed_of\":[\"wherry-mappings-logs\"],\"allow_auto_create\":true,"
                "\"template\":{\"lifecycle\":{}},");
}

static void test_ages_and_sizes(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } ages[] = {{0, "0ms"},
                {1, "1ms"},
                {1500, "1500ms"},
                {2000, "2s"},
                {90000, "90s"},
                {120000, "2m"},
                {36 * HOUR_MS, "36h"},
                {DAY_MS, "1d"},
                {3650 * DAY_MS, "3650d"}};
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{1, "1b"},
                 {1000, "1000b"},
                 {1536, "1536b"},
                 {2048, "2kb"},
                 {UINT64_C(3) << 20, "3mb"},
                 {UINT64_C(10) << 30, "10gb"},
                 {UINT64_C(64) << 40, "65536gb"}};
    char text[24];
    for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
        assets_age(ages[i].ms, text);
        assert_string_equal(text, ages[i].text);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        assets_size(sizes[i].bytes, text);
        assert_string_equal(text, sizes[i].text);
    }
}

/* ---- rights ---- */

static void test_api_key(void **state)
{
    (void)state;
    static const char want[] =
        "{\"name\":\"wherry\",\"role_descriptors\":{\"wherry-writer\":{\"cluster\":[\"monitor\"],"
        "\"indices\":[{\"names\":[\"logs-nginx-*\",\"metrics-system.*-*\",\"isp-logs-*\"],"
        "\"privileges\":[\"auto_configure\",\"create_doc\"]}]}},\"metadata\":{\"managed_by\":"
        "\"wherry\",\"version\":1,\"hash\":\"";
    struct buf body;
    buf_init(&body, MIB);
    assert_int_equal(assets_write_api_key(&opts, &body), 0);
    if (strncmp(buf_cstr(&body), want, strlen(want)) != 0)
        fail_msg("%s", buf_cstr(&body));
    buf_clear(&body);
}

/* who asks for documents before they are sent again must see them */
static void test_reading(void **state)
{
    (void)state;
    struct asset_opts o = opts;
    o.may_read = true;
    expect_body(&o, 0, 9,
                "{\"cluster\":[\"monitor\"],\"indices\":[{\"names\":[\"logs-*-*\",\"metrics-system."
                "*-*\",\"isp-logs-*\"],\"privileges\":[\"auto_configure\",\"create_doc\",\"read\","
                "\"maintenance\"]}],");
    expect_body(&o, 1, 10,
                "{\"cluster_permissions\":[\"cluster_monitor\",\"indices:data/write/bulk\","
                "\"indices:admin/index_template/get\"],\"index_permissions\":[{\"index_patterns\":["
                "\"logs-*-*\",\"metrics-system.*-*\",\"isp-logs-*\"],\"allowed_actions\":["
                "\"create_index\",\"indices:data/write/index\",\"indices:data/write/bulk*\","
                "\"indices:admin/mapping/put\",\"read\",\"indices:admin/refresh*\"]}],");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_one_kind),
        cmocka_unit_test(test_names_differ),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_no_rollover_alias),
        cmocka_unit_test(test_ages_that_are_off),
        cmocka_unit_test(test_ages_and_sizes),
        cmocka_unit_test(test_api_key),
        cmocka_unit_test(test_reading),
    };
    return cmocka_run_group_tests_name("assets/assets", tests, set_up, tear_down);
}
