/* config/config: whole configurations, their mistakes, and who has precedence. */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "check.h"
#include "tmp_dir.h"

struct loaded {
    int error;
    struct config *cfg;
    char text[32768]; /* the errors */
};

/* what a load is given beside its text; all may be NULL */
struct extras {
    const char *const *env;       /* NAME, value, ..., NULL */
    const char *const *overrides; /* ends with NULL */
};

/* loads from a source and keeps the errors as text */
static struct loaded *load(struct config_source src, const struct extras *extras)
{
    static struct loaded l;
    union {
        const char *const *in;
        void *out;
    } env = {extras == NULL ? NULL : extras->env};
    struct config_errors errors = {0};
    struct buf out;
    src.getenv_fn = fake_getenv;
    src.ctx = env.out;
    src.overrides = extras == NULL ? NULL : extras->overrides;
    while (src.overrides != NULL && src.overrides[src.override_count] != NULL)
        src.override_count++;
    l = (struct loaded){0};
    l.error = config_load(&src, &l.cfg, &errors);
    buf_init(&out, sizeof(l.text) - 1);
    assert_int_equal(config_errors_write(&errors, &out), 0);
    memcpy(l.text, buf_cstr(&out), out.len);
    assert_true((l.error == 0) == (l.cfg != NULL));
    assert_true((l.error == 0) == (errors.n == 0));
    buf_clear(&out);
    config_errors_clear(&errors);
    return &l;
}

/* loads a text in place of a file */
static struct loaded *load_text(const char *text, const struct extras *extras)
{
    return load((struct config_source){.path = "w.yml", .bytes = slice_str(text)}, extras);
}

/* loads a text that must be right */
static struct config *load_good(const char *text, const struct extras *extras)
{
    struct loaded *l = load_text(text, extras);
    CHECK_TEXT(text, l->text, "");
    assert_int_equal(l->error, 0);
    return l->cfg;
}

/* a list as "a|b" */
static const char *joined(const struct config_list *list)
{
    static char text[1000];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < list->n; i++)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? "|" : "", list->v[i]);
    return text;
}

static void the_smallest_configuration(void **state)
{
    (void)state;
    struct config *c = load_good(
        "path.data: ./data\n"
        "metadata: []\n"
        "inputs:\n"
        "  - paths: [\"/var/log/*.log\", \"/srv/app/**/*.log\"]\n"
        "    dataset: generic\n"
        "metrics.enabled: false            # default true\n"
        "output.elasticsearch:\n"
        "  hosts: [\"http://127.0.0.1:9200\"]\n"
        "  compression: none               # none | gzip; default gzip, none on loopback\n",
        NULL);
    assert_string_equal(c->path_data, "./data");
    assert_int_equal(c->metadata, 0);
    assert_int_equal(c->input_count, 1);
    assert_string_equal(joined(&c->inputs[0].paths), "/var/log/*.log|/srv/app/**/*.log");
    assert_string_equal(c->inputs[0].dataset, "generic");
    assert_false(c->metrics.enabled);
    assert_string_equal(joined(&c->elasticsearch.hosts), "http://127.0.0.1:9200");
    assert_int_equal(c->elasticsearch.compression, CONFIG_COMPRESSION_NONE);
    assert_string_equal(c->dead_letter.path, "./data/deadletter");
    assert_string_equal(c->spool.path, "./data/spool");
    config_free(&c);
    assert_null(c);
}

static void defaults(void **state)
{
    (void)state;
    struct config *c = load_good("inputs: [{paths: a}]", NULL);
    const struct config_elasticsearch *es = &c->elasticsearch;
    const struct config_input *in = &c->inputs[0];
    assert_string_equal(c->path_data, "/var/lib/wherry");
    assert_string_equal(c->path_hostfs, "");
    assert_string_equal(c->namespace, "default");
    assert_int_equal(c->metadata, 63);
    assert_int_equal(c->shutdown_timeout_ms, 5000);
    assert_int_equal(c->log_level, LOG_INFO);
    assert_true(c->metrics.enabled);
    assert_int_equal(c->metrics.period_ms, 10000);
    assert_int_equal(c->metrics.sets, CONFIG_DEFAULT_SETS);
    assert_string_equal(joined(&es->hosts), "http://localhost:9200");
    assert_string_equal(es->username, "");
    assert_string_equal(es->password, "");
    assert_string_equal(es->api_key, "");
    assert_int_equal(es->certificate_authorities.n, 0);
    assert_int_equal(es->verification_mode, CONFIG_VERIFICATION_FULL);
    assert_int_equal(es->compression, CONFIG_COMPRESSION_NONE);
    assert_int_equal(es->compression_level, 1);
    assert_int_equal(es->linger_ms, 200);
    assert_int_equal(es->bulk_max_bytes, MIB);
    assert_int_equal(es->bulk_max_size, 0);
    assert_int_equal(es->workers, 4);
    assert_int_equal(es->backoff_init_ms, 1000);
    assert_int_equal(es->backoff_max_ms, 60000);
    assert_int_equal(es->preset, CONFIG_PRESET_BALANCED);
    assert_int_equal(es->connect_timeout_ms, 10000);
    assert_int_equal(es->timeout_ms, 0);
    assert_int_equal(es->connection_max_age_ms, 300000);
    assert_int_equal(es->supported_protocols, CONFIG_TLS_1_2 | CONFIG_TLS_1_3);
    assert_int_equal(es->ids, CONFIG_IDS_STRUCTURED);
    assert_false(es->verify_before_resend);
    assert_string_equal(es->index, "");
    assert_string_equal(es->pipeline, "");
    assert_int_equal(c->output, CONFIG_OUTPUT_ELASTICSEARCH);
    assert_true(es->enabled);
    assert_false(c->file.enabled || c->console.enabled || c->discard.enabled);
    assert_int_equal(c->state, CONFIG_STATE_DURABLE);
    assert_string_equal(c->path_volatile, "/run/wherry");
    assert_int_equal(c->state_save_interval_ms, 900000);
    assert_string_equal(c->dead_letter.path, "/var/lib/wherry/deadletter");
    assert_int_equal(c->dead_letter.max_bytes, 64 * MIB);
    assert_int_equal(c->dead_letter.when_full, CONFIG_WHEN_FULL_BLOCK);
    assert_string_equal(in->id, "input-1");
    assert_string_equal(joined(&in->paths), "a");
    assert_int_equal(in->exclude_files.n, 0);
    assert_string_equal(in->dataset, "generic");
    assert_int_equal(in->fields.n, 0);
    assert_int_equal(in->tags.n, 0);
    assert_int_equal(in->start_at, CONFIG_START_BEGINNING);
    assert_int_equal(in->ignore_older_ms, 0);
    assert_int_equal(in->encoding, CONFIG_ENCODING_UTF8);
    assert_int_equal(in->format, CONFIG_FORMAT_AUTO);
    assert_int_equal(in->partial_max_bytes, MIB);
    assert_int_equal(in->partial_timeout_ms, 60000);
    assert_int_equal(in->max_bytes, MIB);
    assert_int_equal(in->line_flush_timeout_ms, 0);
    assert_int_equal(in->close_deleted_max_bytes, 1024 * MIB);
    assert_int_equal(in->close_deleted_max_age_ms, 86400000);
    config_free(&c);
}

static const char everything[] =
    "path: {data: /d, hostfs: /h/, volatile: /v}\n"
    "state: volatile\n"
    "state_save_interval: 1h\n"
    "profile: isp\n"
    "isp: {log_prefix: l, metric_prefix: m, date_format: yyyy}\n"
    "namespace: prod\n"
    "metadata: [host, ecs]\n"
    "shutdown_timeout: 1m\n"
    "logging: {level: debug}\n"
    "inputs:\n"
    "- id: one\n"
    "  paths: a\n"
    "  exclude_files: ['*.gz']\n"
    "  olddir: old\n"
    "  dataset: nginx.access\n"
    "  fields: {team: web, site: {name: \"north $${x}\"}, port: 80}\n"
    "  fields.zone: \"\"\n"
    "  tags: [x, y]\n"
    "  start_at: end\n"
    "  ignore_older: 48h\n"
    "  encoding: utf-16be\n"
    "  format: cri\n"
    "  json: \"on\"\n"
    "  partial: {max_bytes: 2KiB, timeout: 1500ms}\n"
    "  max_bytes: 64\n"
    "  line_flush_timeout: 5s\n"
    "  symlinks: true\n"
    "  symlink_roots: [/a, /b]\n"
    "  compression: auto\n"
    "  close: {deleted: {max_bytes: 0, max_age: 1h}}\n"
    "- paths: [b, c]\n"
    "metrics: {enabled: true, period: 1s, sets: [load]}\n"
    "output:\n"
    "  elasticsearch:\n"
    "    hosts: [es1, \"https://ES2:443/x/\"]\n"
    "    username: u\n"
    "    password: p\n"
    "    path: es/\n"
    "    headers: {X-Tenant: t}\n"
    "    proxy_url: socks5://Proxy\n"
    "    compression_level: 9\n"
    "    proxy_username: pu\n"
    "    proxy_password: pp\n"
    "    ssl.certificate_authorities: [/ca.pem]\n"
    "    ssl: {verification_mode: none, certificate: /c.pem,\n"
    "          key: /k.pem, key_passphrase: kp,\n"
    "          supported_protocols: TLSv1.3, ca_trusted_fingerprint:\n"
    "          AA:BB:AA:BB:AA:BB:AA:BB:AA:BB:AA:BB:AA:BB:AA:BB:"
    "AA:BB:AA:BB:AA:BB:AA:BB:AA:BB:AA:BB:AA:BB:AA:BB}\n"
    "    preset: scale\n"
    "    linger: 0\n"
    "    bulk_max_bytes: 64KiB\n"
    "    bulk_max_size: 500\n"
    "    workers: 32\n"
    "    backoff: {init: 5s}\n"
    "    connect_timeout: 3s\n"
    "    timeout: 20m\n"
    "    connection_max_age: 60s\n"
    "    ids: auto\n"
    "    verify_before_resend: true\n"
    "    index: isp-%{+yyyy}\n"
    "    pipeline: pipe\n"
    "  file: {enabled: false, path: /out, filename: docs,\n"
    "         rotate_every_kb: 100, number_of_files: 3}\n"
    "dead_letter: {path: /dl, max_bytes: 1MiB, when_full: drop_oldest}\n"
    "spool: {enabled: true, path: /sp, max_bytes: 2MiB}\n"
    "setup: {number_of_shards: 3, number_of_replicas: 0}\n"
    "setup.lifecycle: {enabled: false, rollover_age: 1d, rollover_size: 5GiB, warm_after: off,\n"
    "                  cold_after: 10d, delete_after: 20d}\n";

static void everything_set(void **state)
{
    (void)state;
    struct config *c = load_good(everything, NULL);
    struct buf out;
    buf_init(&out, 10000);
    assert_int_equal(config_dump(c, &out), 0);
    CHECK_TEXT("dump", buf_cstr(&out),
               "path.data: \"/d\"\n"
               "path.volatile: \"/v\"\n"
               "path.hostfs: \"/h\"\n"
               "state: volatile\n"
               "state_save_interval: 1h\n"
               "profile: isp\n"
               "namespace: \"prod\"\n"
               "metadata: [host, ecs]\n"
               "shutdown_timeout: 1m\n"
               "logging.level: debug\n"
               "isp.log_prefix: \"l\"\n"
               "isp.metric_prefix: \"m\"\n"
               "isp.date_format: \"yyyy\"\n"
               "metrics.enabled: true\n"
               "metrics.period: 1s\n"
               "metrics.sets: [load]\n"
               "metrics.cpu.period: 1s\n"
               "metrics.load.period: 1s\n"
               "metrics.memory.period: 1s\n"
               "metrics.network.period: 1s\n"
               "metrics.pressure.period: 1s\n"
               "metrics.uptime.period: 1m\n"
               "metrics.vmstat.period: 1s\n"
               "metrics.kernel.period: 1s\n"
               "metrics.conntrack.period: 1s\n"
               "metrics.softnet.period: 1s\n"
               "metrics.netstat.period: 1s\n"
               "metrics.neighbours.period: 1s\n"
               "metrics.wireless.period: 1s\n"
               "metrics.time.period: 1s\n"
               "metrics.process_summary.period: 1s\n"
               "metrics.diskio.period: 1s\n"
               "metrics.thermal.period: 1s\n"
               "metrics.cpufreq.period: 1s\n"
               "metrics.interface.period: 1s\n"
               "metrics.socket_summary.period: 1s\n"
               "metrics.self.period: 1s\n"
               "metrics.filesystem.period: 1m\n"
               "metrics.fsstat.period: 1m\n"
               "metrics.core.period: 1s\n"
               "output.elasticsearch.enabled: true\n"
               "output.elasticsearch.hosts: [\"http://es1:9200/es\", \"https://es2:443/x\"]\n"
               "output.elasticsearch.path: \"/es\"\n"
               "output.elasticsearch.username: \"u\"\n"
               "output.elasticsearch.username_file: \"\"\n"
               "output.elasticsearch.password: \"<hidden>\"\n"
               "output.elasticsearch.password_file: \"\"\n"
               "output.elasticsearch.api_key: \"\"\n"
               "output.elasticsearch.api_key_file: \"\"\n"
               "output.elasticsearch.bearer_token: \"\"\n"
               "output.elasticsearch.bearer_token_file: \"\"\n"
               "output.elasticsearch.service_token: \"\"\n"
               "output.elasticsearch.service_token_file: \"\"\n"
               "output.elasticsearch.headers: {\"X-Tenant\": \"<hidden>\"}\n"
               "output.elasticsearch.proxy_url: \"socks5://proxy:1080\"\n"
               "output.elasticsearch.proxy_username: \"pu\"\n"
               "output.elasticsearch.proxy_password: \"<hidden>\"\n"
               "output.elasticsearch.ssl.certificate_authorities: [\"/ca.pem\"]\n"
               "output.elasticsearch.ssl.ca_trusted_fingerprint: "
               "\"aabbaabbaabbaabbaabbaabbaabbaabbaabbaabbaabbaabbaabbaabbaabbaabb\"\n"
               "output.elasticsearch.ssl.certificate: \"/c.pem\"\n"
               "output.elasticsearch.ssl.key: \"/k.pem\"\n"
               "output.elasticsearch.ssl.key_passphrase: \"<hidden>\"\n"
               "output.elasticsearch.ssl.verification_mode: none\n"
               "output.elasticsearch.ssl.supported_protocols: [TLSv1.3]\n"
               "output.elasticsearch.compression: gzip\n"
               "output.elasticsearch.compression_level: 9\n"
               "output.elasticsearch.preset: scale\n"
               "output.elasticsearch.linger: 0\n"
               "output.elasticsearch.bulk_max_bytes: 64KiB\n"
               "output.elasticsearch.bulk_max_size: 500\n"
               "output.elasticsearch.workers: 32\n"
               "output.elasticsearch.backoff.init: 5s\n"
               "output.elasticsearch.backoff.max: 5m\n"
               "output.elasticsearch.connect_timeout: 3s\n"
               "output.elasticsearch.timeout: 20m\n"
               "output.elasticsearch.connection_max_age: 1m\n"
               "output.elasticsearch.ids: auto\n"
               "output.elasticsearch.verify_before_resend: true\n"
               "output.elasticsearch.index: \"isp-%{+yyyy}\"\n"
               "output.elasticsearch.pipeline: \"pipe\"\n"
               "cloud.id: \"\"\n"
               "cloud.auth: \"\"\n"
               "output.file.enabled: false\n"
               "output.file.path: \"/out\"\n"
               "output.file.filename: \"docs\"\n"
               "output.file.rotate_every_kb: 100\n"
               "output.file.number_of_files: 3\n"
               "output.console.enabled: false\n"
               "output.discard.enabled: false\n"
               "dead_letter.path: \"/dl\"\n"
               "dead_letter.max_bytes: 1MiB\n"
               "dead_letter.when_full: drop_oldest\n"
               "spool.enabled: true\n"
               "spool.path: \"/sp\"\n"
               "spool.max_bytes: 2MiB\n"
               "setup.number_of_shards: 3\n"
               "setup.number_of_replicas: 0\n"
               "setup.lifecycle.enabled: false\n"
               "setup.lifecycle.rollover_age: 1d\n"
               "setup.lifecycle.rollover_size: 5GiB\n"
               "setup.lifecycle.warm_after: off\n"
               "setup.lifecycle.cold_after: 10d\n"
               "setup.lifecycle.delete_after: 20d\n"
               "inputs:\n"
               "  - paths: [\"a\"]\n"
               "    id: \"one\"\n"
               "    exclude_files: [\"*.gz\"]\n"
               "    olddir: \"old\"\n"
               "    dataset: \"nginx.access\"\n"
               "    fields: {\"team\": \"web\", \"site.name\": \"north $${x}\", \"port\": \"80\", "
               "\"zone\": \"\"}\n"
               "    tags: [\"x\", \"y\"]\n"
               "    start_at: end\n"
               "    ignore_older: 2d\n"
               "    encoding: utf-16be\n"
               "    format: cri\n"
               "    json: on\n"
               "    partial.max_bytes: 2KiB\n"
               "    partial.timeout: 1s500ms\n"
               "    max_bytes: 64\n"
               "    line_flush_timeout: 5s\n"
               "    symlinks: true\n"
               "    symlink_roots: [\"/a\", \"/b\"]\n"
               "    compression: auto\n"
               "    close.deleted.max_bytes: 0\n"
               "    close.deleted.max_age: 1h\n"
               "  - paths: [\"b\", \"c\"]\n"
               "    id: \"input-2\"\n"
               "    exclude_files: []\n"
               "    olddir: \"\"\n"
               "    dataset: \"generic\"\n"
               "    fields: {}\n"
               "    tags: []\n"
               "    start_at: beginning\n"
               "    ignore_older: off\n"
               "    encoding: utf-8\n"
               "    format: auto\n"
               "    json: auto\n"
               "    partial.max_bytes: 1MiB\n"
               "    partial.timeout: 1m\n"
               "    max_bytes: 1MiB\n"
               "    line_flush_timeout: off\n"
               "    symlinks: false\n"
               "    symlink_roots: [\"/var/log\", \"/var/lib/docker/containers\"]\n"
               "    compression: none\n"
               "    close.deleted.max_bytes: 1GiB\n"
               "    close.deleted.max_age: 1d\n");
    struct config *again = load_good(buf_cstr(&out), NULL);
    struct buf second;
    buf_init(&second, 10000);
    assert_int_equal(config_dump(again, &second), 0);
    assert_true(slice_eq(buf_slice(&out), buf_slice(&second)));
    buf_clear(&out);
    buf_clear(&second);
    config_free(&c);
    config_free(&again);
}

struct mistake {
    const char *name, *text, *errors;
};

/* loads each text and compares what is reported */
static void run_mistakes(const struct mistake *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct loaded *l = load_text(cases[i].text, NULL);
        CHECK_TEXT(cases[i].name, l->text, cases[i].errors);
        CHECK(cases[i].name, l->error == -EINVAL);
    }
}

static void five_mistakes_five_errors(void **state)
{
    (void)state;
    struct loaded *l = load_text("outptu.elasticsearch:\n"
                                 "  hosts: [es1]\n"
                                 "  password: x\n"
                                 "metrics.period: 10\n"
                                 "inputs:\n"
                                 "  - paths: [a]\n"
                                 "    dataset: My-App\n"
                                 "    tags: ${TAG}\n"
                                 "path.data: a\n"
                                 "path:\n"
                                 "    data: b\n",
                                 NULL);
    CHECK_TEXT(
        "five", l->text,
        "w.yml:1:1: unknown option \"outptu.elasticsearch\", did you mean "
        "\"output.elasticsearch\"?\n"
        "w.yml:4:17: metrics.period: \"10\" is not a duration like 500ms, 10s, 1m30s or 24h; "
        "allowed: 1s to 1d\n"
        "w.yml:7:14: inputs[0].dataset: \"My-App\" cannot be part of a data stream's name; "
        "allowed: 1 to 100 bytes, lower case, no blank and none of - \\ / * ? \" < > | , # :\n"
        "w.yml:8:11: inputs[0].tags: variable TAG is not set; set it, or give a default: "
        "${TAG:...}\n"
        "w.yml:11:5: \"path.data\" is given twice, first at w.yml:9:1\n");
    assert_int_equal(l->error, -EINVAL);
}

static void mistakes_of_form(void **state)
{
    (void)state;
    static const struct mistake cases[] = {
        {"not a map", "hello", "w.yml:1:1: a configuration is a map: key: value\n"},
        {"a list", "- a\n- b\n", "w.yml:1:1: a configuration is a map: key: value\n"},
        {"inputs a map", "inputs: {paths: [a]}\n",
         "w.yml:1:9: inputs: inputs are a list; each begins with \"- \"\n"},
        {"inputs dotted", "inputs.paths: [a]\n",
         "w.yml:1:15: inputs.paths: inputs are a list; each begins with \"- \"\n"},
        {"inputs a text", "inputs: a\n",
         "w.yml:1:9: inputs: inputs are a list; each begins with \"- \"\n"},
        {"input a text", "inputs: [a, {paths: b}]\n",
         "w.yml:1:10: inputs[0]: an input is a map: - paths: [\"...\"]\n"},
        {"input empty", "inputs:\n-\n- paths: b\n",
         "w.yml:2:2: inputs[0]: an input is a map: - paths: [\"...\"]\n"},
        {"input a list", "inputs: [[a]]\n",
         "w.yml:1:10: inputs[0]: an input is a map: - paths: [\"...\"]\n"},
        {"section with a value", "output.elasticsearch: es1\n",
         "w.yml:1:23: output.elasticsearch: options are needed here, not a value\n"},
        {"section with a list", "output: [{elasticsearch: 1}]\n",
         "w.yml:1:9: output: options are needed here, not a value\n"},
        {"value with a map", "namespace: {a: b}\n",
         "w.yml:1:12: namespace: a single value is needed here, not a list or map\n"},
        {"value with a list", "namespace: [a]\n",
         "w.yml:1:12: namespace: a single value is needed here, not a list or map\n"},
        {"no value", "namespace:\n",
         "w.yml:1:11: namespace: no value is given; remove the line for the default\n"},
        {"list with a map", "inputs: [{paths: {a: b}}]\n",
         "w.yml:1:18: inputs[0].paths: a list is needed here: [a, b]\n"},
        {"list without value", "inputs: [{paths: }]\n",
         "w.yml:1:18: inputs[0].paths: a list is needed here: [a, b]\n"},
        {"list of lists", "inputs: [{paths: [[a], b, ~, {c: d}]}]\n",
         "w.yml:1:19: inputs[0].paths[0]: the element must be a text\n"
         "w.yml:1:27: inputs[0].paths[2]: the element is empty\n"
         "w.yml:1:30: inputs[0].paths[3]: the element must be a text\n"},
        {"empty list", "inputs: [{paths: []}]\n",
         "w.yml:1:18: inputs[0].paths: 0 elements are too few; allowed: 1 to 1000\n"},
        {"empty text", "inputs: [{paths: \"\"}]\n",
         "w.yml:1:18: inputs[0].paths: the value is empty\n"},
        {"map with a text", "inputs: [{paths: a, fields: x}]\n",
         "w.yml:1:29: inputs[0].fields: a map is needed here: {name: text}\n"},
        {"map without value", "inputs: [{paths: a, fields: }]\n",
         "w.yml:1:29: inputs[0].fields: a map is needed here: {name: text}\n"},
        {"map of lists", "inputs: [{paths: a, fields: {b: [c, d], e: ~}}]\n",
         "w.yml:1:33: inputs[0].fields.b: a text is needed here\n"
         "w.yml:1:44: inputs[0].fields.e: a text is needed here\n"},
        {"fields that hold each other", "inputs: [{paths: a, fields: {b: 1, b.c: 2}}]\n",
         "w.yml:1:41: inputs[0].fields.b.c: \"b.c\" and \"b\" cannot both be fields\n"},
        {"unknown in section", "output.elasticsearch: {hosts: es1, host: es2, ssl.ca: x}\n",
         "w.yml:1:36: unknown option \"output.elasticsearch.host\", did you mean "
         "\"output.elasticsearch.hosts\"?\n"
         "w.yml:1:47: unknown option \"output.elasticsearch.ssl.ca\", did you mean "
         "\"output.elasticsearch.ssl\"?\n"},
        {"syntax after mistakes", "namespace: A\ninputs:\n- dataset: B\n  tags: [a\n",
         "w.yml:1:12: namespace: \"A\" cannot be part of a data stream's name; allowed: 1 to 100 "
         "bytes, lower case, no blank and none of - \\ / * ? \" < > | , # :\n"
         "w.yml:3:12: inputs[0].dataset: \"B\" cannot be part of a data stream's name; allowed: 1 "
         "to 100 bytes, lower case, no blank and none of - \\ / * ? \" < > | , # :\n"
         "w.yml:5:1: syntax error while parsing a flow sequence: did not find expected ',' or "
         "']'\n"},
    };
    run_mistakes(cases, ARRAY_LEN(cases));
}

static void mistakes_over_several_options(void **state)
{
    (void)state;
#define ES "output.elasticsearch: "
    static const struct mistake cases[] = {
        {"nothing to do", "metrics.enabled: false\n",
         "w.yml: nothing to do: no inputs, and metrics.enabled is false\n"},
        {"nothing to do, empty list", "inputs: []\nmetrics.enabled: false\n",
         "w.yml: nothing to do: no inputs, and metrics.enabled is false\n"},
        {"no paths", "inputs:\n- dataset: a\n- {}\n",
         "w.yml:2:3: inputs[0] has no paths; add paths: [\"/var/log/*.log\"]\n"
         "w.yml:3:3: inputs[1] has no paths; add paths: [\"/var/log/*.log\"]\n"},
        {"same id", "inputs:\n- {paths: a, id: x}\n- {paths: b, id: x}\n",
         "w.yml:3:3: inputs[0] and inputs[1] have the same id \"x\"\n"},
        {"same id as a default", "inputs:\n- {paths: a, id: input-2}\n- {paths: b}\n",
         "w.yml:3:3: inputs[0] and inputs[1] have the same id \"input-2\"\n"},
        {"no password", ES "{username: u}\n",
         "w.yml:1:24: output.elasticsearch.username: output.elasticsearch.password is missing\n"},
        {"no username", ES "{password: p}\n",
         "w.yml:1:24: output.elasticsearch.password: output.elasticsearch.username is missing\n"},
        {"two logins", ES "{username: u, password: p, api_key: a:b}\n",
         "w.yml:1:50: output.elasticsearch.api_key: give either this or username and password\n"},
        {"bad username counts", ES "{username: 'u:v', password: p}\n",
         "w.yml:1:34: output.elasticsearch.username: a user name may not hold a colon\n"},
        {"a text and its file", ES "{api_key: 'a:b', api_key_file: f}\n",
         "w.yml:1:40: output.elasticsearch.api_key_file: give either this or "
         "output.elasticsearch.api_key\n"},
        {"a password file only", ES "{password_file: f}\n",
         "w.yml:1:24: output.elasticsearch.password_file: output.elasticsearch.username is "
         "missing\n"},
        {"token and key", ES "{api_key_file: f, service_token: t}\n",
         "w.yml:1:41: output.elasticsearch.service_token: give either this or api_key\n"},
        {"certificate without key", ES "{ssl.certificate: c}\n",
         "w.yml:1:24: output.elasticsearch.ssl.certificate: output.elasticsearch.ssl.key is "
         "missing\n"},
        {"key without certificate", ES "{ssl.key: c}\n",
         "w.yml:1:24: output.elasticsearch.ssl.key: output.elasticsearch.ssl.certificate is "
         "missing\n"},
        {"proxy user without proxy", ES "{proxy_username: u}\n",
         "w.yml:1:24: output.elasticsearch.proxy_username: output.elasticsearch.proxy_url is "
         "missing\n"},
        {"proxy password without user", ES "{proxy_url: p, proxy_password: u}\n",
         "w.yml:1:38: output.elasticsearch.proxy_password: output.elasticsearch.proxy_username is "
         "missing\n"},
        {"no version of TLS", ES "{ssl.supported_protocols: []}\n",
         "w.yml:1:24: output.elasticsearch.ssl.supported_protocols: at least one version is "
         "needed\n"},
        {"a header of the client", ES "{headers: {authorization: x}}\n",
         "w.yml:1:49: output.elasticsearch.headers.authorization: the header authorization cannot "
         "be set here\n"},
        {"two outputs", "output: {console: {}, elasticsearch: {hosts: a}}\n",
         "w.yml: output.elasticsearch and output.console are both there, but only one output can "
         "be active; remove one, or set its `enabled` to false\n"},
        {"two outputs by options", "output: {file: {path: a}, discard: {enabled: true}}\n",
         "w.yml:1:37: output.file and output.discard are both there, but only one output can be "
         "active; remove one, or set its `enabled` to false\n"},
        {"no output", ES "{enabled: false}\n",
         "w.yml: no output is active: every one that is there has `enabled: false`\n"},
        {"file without a directory", "output.file: {filename: a}\n",
         "w.yml: output.file.path is missing\n"},
        {"cloud id and hosts", ES "{hosts: a}\ncloud.id: 'x:aCRl'\n",
         "w.yml:2:1: cloud.id: give either this or output.elasticsearch.hosts\n"},
        {"cloud auth and key", ES "{api_key: 'a:b'}\ncloud.auth: 'u:p'\n",
         "w.yml:1:24: output.elasticsearch.api_key: give either this or username and password\n"},
        {"cloud auth and user", ES "{username: u}\ncloud.auth: 'u:p'\n",
         "w.yml:1:24: output.elasticsearch.username: output.elasticsearch.password is missing\n"
         "w.yml:2:1: cloud.auth: give either this or username and password\n"},
        {"cloud auth of one part", "cloud.auth: u\n", "w.yml:1:1: cloud.auth is user:password\n"},
        {"backoff", ES "{backoff.init: 2m}\n",
         "w.yml:1:24: output.elasticsearch.backoff.init is longer than "
         "output.elasticsearch.backoff.max\n"},
        {"backoff by max", ES "{backoff.max: 500ms}\n",
         "w.yml:1:24: output.elasticsearch.backoff.init is longer than "
         "output.elasticsearch.backoff.max\n"},
        {"ages in disorder",
         "metrics.period: 10s\nsetup.lifecycle: {warm_after: 31d, cold_after: 30d}\n",
         "w.yml:2:36: setup.lifecycle.warm_after is longer than setup.lifecycle.cold_after\n"},
        {"age beyond a default", "setup.lifecycle.cold_after: 100d\n",
         "w.yml:1:1: setup.lifecycle.cold_after is longer than setup.lifecycle.delete_after\n"},
        {"age beyond another that has a phase between",
         "setup.lifecycle: {warm_after: 40d, cold_after: off, delete_after: 20d}\n",
         "w.yml:1:53: setup.lifecycle.warm_after is longer than setup.lifecycle.delete_after\n"},
        {"user in host", ES "{hosts: 'http://u:secret@es1'}\n",
         "w.yml:1:31: output.elasticsearch.hosts: a user name in the address is not allowed; use "
         "the options username and password, or api_key\n"},
    };
#undef ES
    run_mistakes(cases, ARRAY_LEN(cases));
}

/* each document carries them, so there is a limit over all of them */
static void constants_have_a_limit(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, MIB);
    assert_int_equal(buf_add_str(&text, "inputs:\n- paths: a\n  tags: [t]\n  fields:\n"), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(buf_printf(&text, "    f%d: \"%08189d\"\n", i, i), 0);
    struct config *c = load_good(buf_cstr(&text), NULL); /* 4 * 8191 + 1 */
    assert_int_equal(c->inputs[0].fields.n, 4);
    config_free(&c);
    assert_int_equal(buf_add_str(&text, "    g: 123\n"), 0); /* and 4 */
    struct loaded *l = load_text(buf_cstr(&text), NULL);
    CHECK_TEXT("too many", l->text,
               "w.yml:2:3: fields and tags of inputs[0] have 32769 bytes, more than 32768\n");
    buf_clear(&text);
}

static void secrets_are_not_quoted(void **state)
{
    (void)state;
    struct loaded *l = load_text("output.elasticsearch:\n  password: \"hush\\nhush\"\n"
                                 "  api_key: \"hush hush\"\n  username: u\n",
                                 NULL);
    assert_int_equal(l->error, -EINVAL);
    assert_null(strstr(l->text, "hush"));
}

static void an_api_key_is_made_base64(void **state)
{
    (void)state;
    struct config *c = load_good("output.elasticsearch.api_key: 'id:key'", NULL);
    assert_string_equal(c->elasticsearch.api_key, "aWQ6a2V5");
    config_free(&c);
}

static void compression_follows_the_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum config_compression want;
    } cases[] = {
        {"output.elasticsearch: {hosts: [localhost, \"[::1]\"]}", CONFIG_COMPRESSION_NONE},
        {"output.elasticsearch: {hosts: [localhost, es1]}", CONFIG_COMPRESSION_GZIP},
        {"output.elasticsearch: {compression: gzip}", CONFIG_COMPRESSION_GZIP},
        {"output.elasticsearch: {hosts: es1, compression: none}", CONFIG_COMPRESSION_NONE},
        {"output.elasticsearch: {hosts: es1, compression: auto}", CONFIG_COMPRESSION_GZIP},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *c = load_good(cases[i].text, NULL);
        CHECK(cases[i].text, c->elasticsearch.compression == cases[i].want);
        config_free(&c);
    }
}

static const char *const es_env[] = {"ELASTICSEARCH_HOSTS",
                                     "env1, env2:1",
                                     "ELASTICSEARCH_USERNAME",
                                     "envuser",
                                     "ELASTICSEARCH_PASSWORD",
                                     "envpass",
                                     "ELASTICSEARCH_VERIFY_CERTS",
                                     "False",
                                     NULL};

/* what preset text gives: linger, bytes, workers, backoff */
static void presets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t linger_ms;
        uint64_t bytes;
        unsigned workers;
        int64_t init_ms, max_ms;
    } cases[] = {
        {"{preset: balanced}", 200, MIB, 4, 1000, 60000},
        {"{preset: custom}", 200, MIB, 4, 1000, 60000},
        {"{preset: throughput}", 1000, 5 * MIB, 8, 1000, 60000},
        {"{preset: scale}", 5000, MIB, 1, 5000, 300000},
        {"{preset: latency}", 5, 256 * KIB, 4, 1000, 60000},
        {"{preset: throughput, linger: 200ms, workers: 4}", 200, 5 * MIB, 4, 1000, 60000},
        {"{workers: 3, preset: scale, backoff.max: 6s}", 5000, MIB, 3, 5000, 6000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[200];
        snprintf(text, sizeof(text), "output.elasticsearch: %s", cases[i].text);
        struct config *c = load_good(text, NULL);
        const struct config_elasticsearch *es = &c->elasticsearch;
        CHECK(text, es->linger_ms == cases[i].linger_ms);
        CHECK(text, es->bulk_max_bytes == cases[i].bytes);
        CHECK(text, es->workers == cases[i].workers);
        CHECK(text, es->backoff_init_ms == cases[i].init_ms);
        CHECK(text, es->backoff_max_ms == cases[i].max_ms);
        config_free(&c);
    }
}

static void the_active_output(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum config_output want;
    } cases[] = {
        {"", CONFIG_OUTPUT_ELASTICSEARCH},
        {"output.elasticsearch:", CONFIG_OUTPUT_ELASTICSEARCH},
        {"output:", CONFIG_OUTPUT_ELASTICSEARCH},
        {"output.file.path: /x", CONFIG_OUTPUT_FILE},
        {"output: {file: {path: /x, enabled: true}}", CONFIG_OUTPUT_FILE},
        {"output.console: {}", CONFIG_OUTPUT_CONSOLE},
        {"output.console:", CONFIG_OUTPUT_CONSOLE},
        {"output: {discard: {}}", CONFIG_OUTPUT_DISCARD},
        {"output: {discard: {}, elasticsearch: {enabled: false, hosts: a}}", CONFIG_OUTPUT_DISCARD},
        {"output: {discard: {enabled: false}, elasticsearch: {hosts: a}}",
         CONFIG_OUTPUT_ELASTICSEARCH},
    };
    const struct extras env = {.env = es_env};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *c = load_good(cases[i].text, &env);
        CHECK(cases[i].text, c->output == cases[i].want);
        CHECK(cases[i].text, c->elasticsearch.enabled == (cases[i].want == 0));
        CHECK(cases[i].text, c->file.enabled == (cases[i].want == CONFIG_OUTPUT_FILE));
        CHECK(cases[i].text, c->console.enabled == (cases[i].want == CONFIG_OUTPUT_CONSOLE));
        CHECK(cases[i].text, c->discard.enabled == (cases[i].want == CONFIG_OUTPUT_DISCARD));
        config_free(&c);
    }
}

/* ELASTICSEARCH_ENABLED is below the file, and asks for nothing when it is true */
static void the_switch_of_the_environment(void **state)
{
    (void)state;
    static const struct {
        const char *value, *text;
        enum config_output want;
    } cases[] = {
        {"true", "", CONFIG_OUTPUT_ELASTICSEARCH},
        {"True", "output.file.path: /x", CONFIG_OUTPUT_FILE},
        {"1", "output.elasticsearch.hosts: a", CONFIG_OUTPUT_ELASTICSEARCH},
        {"false", "", CONFIG_OUTPUT_NONE},
        {"FALSE", "output.elasticsearch.hosts: a", CONFIG_OUTPUT_NONE},
        {"no", "output.file.path: /x", CONFIG_OUTPUT_FILE},
        {"0", "output.elasticsearch.enabled: true", CONFIG_OUTPUT_ELASTICSEARCH},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const vars[] = {"ELASTICSEARCH_ENABLED", cases[i].value, NULL};
        const struct extras env = {.env = vars};
        struct config *c = load_good(cases[i].text, &env);
        CHECK(cases[i].text, c->output == cases[i].want);
        CHECK(cases[i].text,
              c->elasticsearch.enabled == (cases[i].want == CONFIG_OUTPUT_ELASTICSEARCH));
        config_free(&c);
    }
    static const char *const bad[] = {"ELASTICSEARCH_ENABLED", "off", NULL};
    struct loaded *l = load_text("", &(struct extras){.env = bad});
    CHECK_TEXT("off", l->text, "ELASTICSEARCH_ENABLED: \"off\" is neither true nor false\n");
}

static void the_profile(void **state)
{
    (void)state;
    static const char *const log_prefix[] = {"ELASTICSEARCH_LOG_INDEX_PREFIX", "p-logs", NULL};
    static const char *const metric_prefix[] = {"ELASTICSEARCH_METRIC_INDEX_PREFIX", "p-m", NULL};
    static const char *const others[] = {"ELASTICSEARCH_INDEX_DATE_FORMAT", "YYYY.MM.dd",
                                         "ELASTICSEARCH_SYNC_BATCH_SIZE", "100", NULL};
    static const struct {
        const char *text;
        const char *const *env;
        enum config_profile profile;
        enum config_json json;
        const char *log_prefix, *metric_prefix, *date_format;
        unsigned size;
    } cases[] = {
        {"", NULL, CONFIG_PROFILE_DEFAULT, CONFIG_JSON_OFF, "isp-logs", "isp-metrics", "yyyy.MM.dd",
         0},
        {"profile: isp\n", NULL, CONFIG_PROFILE_ISP, CONFIG_JSON_AUTO, "isp-logs", "isp-metrics",
         "yyyy.MM.dd", 0},
        {"", log_prefix, CONFIG_PROFILE_ISP, CONFIG_JSON_AUTO, "p-logs", "isp-metrics",
         "yyyy.MM.dd", 0},
        {"", metric_prefix, CONFIG_PROFILE_ISP, CONFIG_JSON_AUTO, "isp-logs", "p-m", "yyyy.MM.dd",
         0},
        {"", others, CONFIG_PROFILE_DEFAULT, CONFIG_JSON_OFF, "isp-logs", "isp-metrics",
         "YYYY.MM.dd", 100},
        {"isp.log_prefix: f\n", log_prefix, CONFIG_PROFILE_ISP, CONFIG_JSON_AUTO, "f",
         "isp-metrics", "yyyy.MM.dd", 0},
        {"profile: default\n", log_prefix, CONFIG_PROFILE_DEFAULT, CONFIG_JSON_OFF, "p-logs",
         "isp-metrics", "yyyy.MM.dd", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text), "%sinputs: [{paths: a}, {paths: b, json: \"on\"}]\n",
                       cases[i].text);
        struct config *c = load_good(text, &(struct extras){.env = cases[i].env});
        CHECK(text, c->profile == cases[i].profile);
        CHECK(text, c->inputs[0].json == cases[i].json);
        CHECK(text, c->inputs[1].json == CONFIG_JSON_ON);
        CHECK_TEXT(text, c->isp.log_prefix, cases[i].log_prefix);
        CHECK_TEXT(text, c->isp.metric_prefix, cases[i].metric_prefix);
        CHECK_TEXT(text, c->isp.date_format, cases[i].date_format);
        CHECK(text, c->elasticsearch.bulk_max_size == cases[i].size);
        config_free(&c);
    }
}

static void hosts_and_path(void **state)
{
    (void)state;
    struct config *c = load_good(
        "output.elasticsearch: {path: /es/, hosts: [a, 'https://b:1', 'http://[::1]:2/own']}",
        NULL);
    assert_string_equal(joined(&c->elasticsearch.hosts),
                        "http://a:9200/es|https://b:1/es|http://[::1]:2/own");
    config_free(&c);
}

static void the_cloud(void **state)
{
    (void)state;
    /* host$elasticsearch$kibana */
    struct config *c = load_good("cloud.id: 'name:aG9zdC50ZXN0JGVzJGtpYmFuYQ=='\n"
                                 "cloud.auth: 'u:p:q'\n",
                                 NULL);
    assert_string_equal(joined(&c->elasticsearch.hosts), "https://es.host.test:443");
    assert_string_equal(c->elasticsearch.username, "u");
    assert_string_equal(c->elasticsearch.password, "p:q");
    assert_string_equal(c->cloud.id, "");
    assert_string_equal(c->cloud.auth, "");
    assert_int_equal(c->elasticsearch.compression, CONFIG_COMPRESSION_GZIP);
    config_free(&c);
    const struct extras env = {.env = es_env}; /* stands back */
    c = load_good("cloud.id: 'name:aG9zdC50ZXN0JGVzJGtpYmFuYQ=='\ncloud.auth: 'u:p'\n", &env);
    assert_string_equal(joined(&c->elasticsearch.hosts), "https://es.host.test:443");
    assert_string_equal(c->elasticsearch.username, "u");
    config_free(&c);
}

static void files_of_secrets(void **state)
{
    (void)state;
    static const char *const names[] = {"CREDENTIALS_DIRECTORY", "/run/creds", NULL};
    const struct extras env = {.env = names};
    static const char text[] = "output.elasticsearch: {username: u, password_file: pw, "
                               "ssl.certificate: c.pem, ssl.key: k.pem}";
    struct config *c = load_good(text, &env);
    assert_string_equal(c->elasticsearch.password_file, "/run/creds/pw");
    assert_string_equal(c->elasticsearch.key, "/run/creds/k.pem");
    assert_string_equal(c->elasticsearch.certificate, "c.pem");
    config_free(&c);
    c = load_good("output.elasticsearch: {api_key_file: /etc/key}", &env);
    assert_string_equal(c->elasticsearch.api_key_file, "/etc/key");
    config_free(&c);
    c = load_good(text, NULL);
    assert_string_equal(c->elasticsearch.password_file, "pw");
    config_free(&c);
}

static void who_has_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"", false},
        {"output.elasticsearch: {username: u, password: p}", true},
        {"output.elasticsearch: {api_key_file: f}", true},
        {"output.elasticsearch: {headers: {X-A: b}}", true},
        {"output.elasticsearch: {proxy_url: p, ssl.ca_trusted_fingerprint: ''}", false},
        {"cloud.auth: 'a:b'", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *c = load_good(cases[i].text, NULL);
        CHECK(cases[i].text, config_has_secret(c) == cases[i].want);
        config_free(&c);
    }
}

static void variables_give_way(void **state)
{
    (void)state;
    static const char *const key[] = {"ELASTICSEARCH_API_KEY", "id:key", "ELASTICSEARCH_PASSWORD",
                                      "p", NULL};
    const struct extras env = {.env = es_env}, env_key = {.env = key};
    /* a file in place of the variable's text */
    struct config *c = load_good("output.elasticsearch: {password_file: f}", &env);
    assert_string_equal(c->elasticsearch.username, "envuser");
    assert_string_equal(c->elasticsearch.password, "");
    config_free(&c);
    c = load_good("output.elasticsearch: {service_token_file: f}", &env);
    assert_string_equal(c->elasticsearch.username, "");
    assert_string_equal(c->elasticsearch.password, "");
    config_free(&c);
    c = load_good("output.elasticsearch: {username: u}", &env_key);
    assert_string_equal(c->elasticsearch.api_key, "");
    assert_string_equal(c->elasticsearch.password, "p");
    config_free(&c);
}

static void the_environment(void **state)
{
    (void)state;
    const struct extras env = {.env = es_env};
    struct config *c = load_good("", &env);
    assert_string_equal(joined(&c->elasticsearch.hosts), "http://env1:9200|http://env2:1");
    assert_string_equal(c->elasticsearch.username, "envuser");
    assert_string_equal(c->elasticsearch.password, "envpass");
    assert_int_equal(c->elasticsearch.verification_mode, CONFIG_VERIFICATION_NONE);
    config_free(&c);
    /* the file has precedence, also with an API key over a user name */
    c = load_good("output.elasticsearch: {hosts: f, api_key: 'a:b', ssl.verification_mode: full}",
                  &env);
    assert_string_equal(joined(&c->elasticsearch.hosts), "http://f:9200");
    assert_string_equal(c->elasticsearch.username, "");
    assert_string_equal(c->elasticsearch.password, "");
    assert_string_equal(c->elasticsearch.api_key, "YTpi");
    assert_int_equal(c->elasticsearch.verification_mode, CONFIG_VERIFICATION_FULL);
    config_free(&c);
    /* one half from each */
    c = load_good("output.elasticsearch: {username: fileuser}", &env);
    assert_string_equal(c->elasticsearch.username, "fileuser");
    assert_string_equal(c->elasticsearch.password, "envpass");
    config_free(&c);
}

static void mistakes_in_the_environment(void **state)
{
    (void)state;
    static const char *const bad[] = {"ELASTICSEARCH_HOSTS",
                                      "es1:x",
                                      "ELASTICSEARCH_VERIFY_CERTS",
                                      "maybe",
                                      "ELASTICSEARCH_USERNAME",
                                      "",
                                      NULL};
    const struct extras env = {.env = bad};
    struct loaded *l = load_text("", &env);
    CHECK_TEXT("env", l->text,
               "ELASTICSEARCH_HOSTS: output.elasticsearch.hosts: \"es1:x\" is not an address like "
               "es1, es1:9200, [::1]:9200 or https://es1:9200/path\n"
               "ELASTICSEARCH_VERIFY_CERTS: \"maybe\" is neither true nor false\n");
}

static void all_sets(void **state)
{
    (void)state;
    struct config *c = load_good("metrics.sets: [load, all]\n", &(struct extras){0});
    assert_int_equal(c->metrics.sets, (1U << CONFIG_SETS) - 1);
    config_free(&c);
    c = load_good("metrics.sets: [default, thermal]\n", &(struct extras){0});
    assert_int_equal(c->metrics.sets, CONFIG_DEFAULT_SETS | 1U << CONFIG_SET_THERMAL);
    config_free(&c);
}

static void overrides(void **state)
{
    (void)state;
    static const char *const e[] = {"metrics.period=1m",
                                    "metrics.cpu.period=2s",
                                    "inputs[0].dataset=e",
                                    "inputs[0].paths=[x, \"y,z\"]",
                                    "inputs[0].fields.team=e",
                                    "inputs[0].fields={zone: \"1\"}",
                                    "inputs[1].paths=new",
                                    "inputs[2]={paths: [p], tags: t}",
                                    "output.elasticsearch.hosts=e1,e2",
                                    "output.elasticsearch.username=[u]",
                                    "output.elasticsearch.password_file={p: ${HOME}",
                                    "metadata=host",
                                    "metrics.sets=[]",
                                    "output.elasticsearch={workers: 7, backoff: {init: 3s}}",
                                    "path.data=a=b",
                                    NULL};
    const struct extras extras = {.env = es_env, .overrides = e};
    struct config *c = load_good("metrics.period: 5s\n"
                                 "inputs: [{paths: [a, b], dataset: f, fields: {team: f, b: c}}]\n"
                                 "output.elasticsearch.hosts: [f]\n",
                                 &extras);
    assert_int_equal(c->metrics.period_ms, 60000);
    assert_int_equal(c->metrics.set_period_ms[CONFIG_SET_LOAD], 60000);
    assert_int_equal(c->metrics.set_period_ms[CONFIG_SET_CPU], 2000);
    assert_int_equal(c->metrics.sets, 0);
    assert_int_equal(c->input_count, 3);
    assert_string_equal(c->inputs[0].dataset, "e");
    assert_string_equal(joined(&c->inputs[0].paths), "x|y,z");
    assert_int_equal(c->inputs[0].fields.n, 3);
    assert_string_equal(c->inputs[0].fields.v[0].value, "e");
    assert_string_equal(c->inputs[0].fields.v[2].name, "zone");
    assert_string_equal(joined(&c->inputs[1].paths), "new");
    assert_string_equal(c->inputs[1].dataset, "generic");
    assert_string_equal(joined(&c->inputs[2].tags), "t");
    assert_string_equal(joined(&c->elasticsearch.hosts), "http://e1:9200|http://e2:9200");
    assert_string_equal(c->elasticsearch.username, "[u]");
    assert_string_equal(c->elasticsearch.password_file, "{p: ${HOME}");
    assert_string_equal(c->elasticsearch.password, "");
    assert_int_equal(c->metadata, CONFIG_METADATA_HOST);
    assert_int_equal(c->metrics.sets, 0);
    assert_int_equal(c->elasticsearch.workers, 7);
    assert_int_equal(c->elasticsearch.backoff_init_ms, 3000);
    assert_string_equal(c->path_data, "a=b");
    config_free(&c);
}

static void mistakes_in_overrides(void **state)
{
    (void)state;
    static const char *const e[] = {"metrics.period",    "=x",
                                    "inputs=[]",         "metrics.perid=1s",
                                    "metrics.period=x",  "inputs[5].paths=a",
                                    "inputs[x].paths=a", "inputs[0]=a",
                                    "inputs[0][1]=[a]",  "inputs[0].paths=[a",
                                    "inputs[0]x={a: b}", "inputs[18446744073709551615].id=a",
                                    "inputs[=a",         NULL};
    const struct extras extras = {.overrides = e};
    struct loaded *l = load_text("inputs: [{paths: a}]", &extras);
    CHECK_TEXT(
        "overrides", l->text,
        "-E: write key=value, as in metrics.period=30s or inputs[0].dataset=web\n"
        "-E: write key=value, as in metrics.period=30s or inputs[0].dataset=web\n"
        "-E: write key=value, as in metrics.period=30s or inputs[0].dataset=web\n"
        "-E: unknown option \"metrics.perid\", did you mean \"metrics.period\"?\n"
        "-E: metrics.period: \"x\" is not a duration like 500ms, 10s, 1m30s or 24h; allowed: 1s to "
        "1d\n"
        "-E: inputs[5].paths: there are 1 inputs, counted from 0\n"
        "-E: inputs[x].paths: there are 1 inputs, counted from 0\n"
        "-E: inputs[0]: an input is a map: - paths: [\"...\"]\n"
        "-E: inputs[18446744073709551615].id: there are 1 inputs, counted from 0\n"
        "-E: unknown option \"inputs[\"\n"
        "-E inputs[0][1]:1:1: inputs[0][1]: an input is a map: - paths: [\"...\"]\n"
        "-E inputs[0].paths:2:1: syntax error while parsing a flow sequence: did not find expected "
        "',' or ']'\n"
        "-E inputs[0]x:1:5: inputs[0]x.a: an input is a map: - paths: [\"...\"]\n");
}

static void files(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    tmp_dir_mkdir(&t, "inputs.d");
    tmp_dir_write_str(&t, "w.yml", "inputs: [{paths: main}]\nnamespace: ${NS:ns}\n");
    tmp_dir_write_str(&t, "inputs.d/20.yml", "- paths: [d20a]\n- paths: d20b\n  id: last\n");
    tmp_dir_write_str(&t, "inputs.d/10.yml", "inputs:\n- paths: d10\n");
    tmp_dir_write_str(&t, "inputs.d/15.yml", "# nothing\n");
    tmp_dir_write_str(&t, "inputs.d/.hidden.yml", "][");
    tmp_dir_write_str(&t, "inputs.d/30.yml~", "][");
    tmp_dir_write_str(&t, "inputs.d/30.yaml", "][");
    struct loaded *l = load((struct config_source){.path = tmp_dir_path(&t, "w.yml")}, NULL);
    assert_string_equal(l->text, "");
    assert_int_equal(l->cfg->input_count, 4);
    assert_string_equal(joined(&l->cfg->inputs[0].paths), "main");
    assert_string_equal(joined(&l->cfg->inputs[1].paths), "d10");
    assert_string_equal(joined(&l->cfg->inputs[2].paths), "d20a");
    assert_string_equal(joined(&l->cfg->inputs[3].paths), "d20b");
    assert_string_equal(l->cfg->inputs[2].id, "input-3");
    assert_string_equal(l->cfg->inputs[3].id, "last");
    assert_string_equal(l->cfg->namespace, "ns");
    config_free(&l->cfg);
    tmp_dir_remove(&t);
}

static void mistakes_of_all_files(void **state)
{
    (void)state;
    struct tmp_dir t;
    char want[4096];
    tmp_dir_make(&t);
    tmp_dir_mkdir(&t, "inputs.d");
    tmp_dir_mkdir(&t, "inputs.d/40.yml");
    tmp_dir_write_str(&t, "w.yml", "inputs: [{paths: main}]\nnamespace: A\n");
    tmp_dir_write_str(&t, "inputs.d/10.yml", "metrics.period: 1s\ninputs:\n- paths: d10\n  x: 1\n");
    tmp_dir_write_str(&t, "inputs.d/20.yml", "- paths: [d20a]\n  tags: [a\n");
    tmp_dir_write_str(&t, "inputs.d/30.yml", "hello\n");
    struct loaded *l = load((struct config_source){.path = tmp_dir_path(&t, "w.yml")}, NULL);
    const char *p = t.path;
    snprintf(
        want, sizeof(want),
        "%s/w.yml:2:12: namespace: \"A\" cannot be part of a data stream's name; allowed: 1 to "
        "100 bytes, lower case, no blank and none of - \\ / * ? \" < > | , # :\n"
        "%s/inputs.d/10.yml:1:1: \"metrics.period\" belongs in the main file; here only inputs "
        "are allowed\n"
        "%s/inputs.d/10.yml:4:3: unknown option \"inputs[0].x\"\n"
        "%s/inputs.d/20.yml:3:1: syntax error while parsing a flow sequence: did not find "
        "expected ',' or ']'\n"
        "%s/inputs.d/30.yml:1:1: a configuration is a map: key: value\n"
        "%s/inputs.d/40.yml: cannot be read: Is a directory\n",
        p, p, p, p, p, p);
    CHECK_TEXT("all files", l->text, want);
    tmp_dir_remove(&t);
}

static void unreadable_files(void **state)
{
    (void)state;
    struct tmp_dir t;
    char want[2048];
    tmp_dir_make(&t);
    static const char *const bad[] = {"metrics.period=x", NULL};
    const struct extras extras = {.overrides = bad};
    struct loaded *l = load((struct config_source){.path = tmp_dir_path(&t, "no.yml")}, &extras);
    snprintf(want, sizeof(want),
             "%s/no.yml: cannot be read: No such file or directory; name the configuration with -c "
             "FILE\n-E: metrics.period: \"x\" is not a duration like 500ms, 10s, 1m30s or 24h; "
             "allowed: 1s to 1d\n",
             t.path);
    CHECK_TEXT("missing", l->text, want);
    l = load((struct config_source){.path = t.path}, NULL);
    snprintf(want, sizeof(want), "%s: cannot be read: Is a directory; name a file with -c FILE\n",
             t.path);
    CHECK_TEXT("directory", l->text, want);
    l = load((struct config_source){.path = "/dev/null"}, NULL);
    CHECK_TEXT("device", l->text, "/dev/null: cannot be read: not a regular file\n");
    static char big[CONFIG_FILE_MAX + 1];
    memset(big, '\n', sizeof(big));
    tmp_dir_write(&t, "big.yml", big, sizeof(big) - 1);
    l = load((struct config_source){.path = tmp_dir_path(&t, "big.yml")}, NULL);
    assert_string_equal(l->text, "");
    config_free(&l->cfg);
    tmp_dir_write(&t, "big.yml", big, sizeof(big));
    l = load((struct config_source){.path = tmp_dir_path(&t, "big.yml")}, NULL);
    snprintf(want, sizeof(want), "%s/big.yml: cannot be read: larger than 1048576 bytes\n", t.path);
    CHECK_TEXT("big", l->text, want);
    tmp_dir_write_str(&t, "inputs.d", "");
    tmp_dir_write_str(&t, "w.yml", "");
    l = load((struct config_source){.path = tmp_dir_path(&t, "w.yml")}, NULL);
    snprintf(want, sizeof(want), "%s/inputs.d: cannot be read: Not a directory\n", t.path);
    CHECK_TEXT("inputs.d", l->text, want);
    tmp_dir_remove(&t);
}

static void secrets_that_everyone_can_read(void **state)
{
    (void)state;
    static const char *const env[] = {"PW", "secret", NULL};
    const struct extras extras = {.env = env};
    static const struct {
        const char *name, *text;
        mode_t mode;
        bool good;
    } cases[] = {
        {"closed", "output.elasticsearch: {username: u, password: p}\n", 0640, true},
        {"readable", "output.elasticsearch: {username: u, password: p}\n", 0644, false},
        {"writable", "output.elasticsearch: {username: u, password: p}\n", 0642, false},
        {"variable", "output.elasticsearch: {username: u, password: \"${PW}\"}\n", 0644, true},
        {"empty", "output.elasticsearch: {password: \"\"}\n", 0644, true},
        {"none", "namespace: a\n", 0644, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir t;
        char want[2048];
        tmp_dir_make(&t);
        tmp_dir_write_str(&t, "w.yml", cases[i].text);
        const char *path = tmp_dir_path(&t, "w.yml");
        assert_int_equal(chmod(path, cases[i].mode), 0);
        struct loaded *l = load((struct config_source){.path = path}, &extras);
        snprintf(want, sizeof(want),
                 "%s:1:47: output.elasticsearch.password: everyone can read this file (mode %04o); "
                 "chmod 640 %s, or take the secret from a variable: ${NAME}\n",
                 path, (unsigned)cases[i].mode, path);
        CHECK_TEXT(cases[i].name, l->text, cases[i].good ? "" : want);
        config_free(&l->cfg);
        tmp_dir_remove(&t);
    }
}

static void what_a_reload_cannot_change(void **state)
{
    (void)state;
    static const struct {
        const char *after, *key;
    } cases[] = {
        {"namespace: a", NULL},
        {"namespace: a\nlogging.level: debug\ninputs: [{paths: a}]", NULL},
        {"namespace: a\nmetrics.period: 1s", "metrics.period"},
        {"namespace: b", "namespace"},
        {"namespace: a\npath.data: x", "path.data"},
        {"namespace: a\noutput.elasticsearch: {username: u, password: p}",
         "output.elasticsearch.username"},
        {"namespace: a\noutput.elasticsearch.api_key: x", "output.elasticsearch.api_key"},
        {"namespace: a\noutput.elasticsearch.hosts: [localhost, localhost]",
         "output.elasticsearch.hosts"},
    };
    struct config *before = load_good("namespace: a", NULL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *after = load_good(cases[i].after, NULL);
        const char *key = config_fixed_change(before, after);
        CHECK_TEXT(cases[i].after, key == NULL ? "none" : key,
                   cases[i].key == NULL ? "none" : cases[i].key);
        config_free(&after);
    }
    config_free(&before);
    config_free(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_configuration),
        cmocka_unit_test(defaults),
        cmocka_unit_test(everything_set),
        cmocka_unit_test(five_mistakes_five_errors),
        cmocka_unit_test(mistakes_of_form),
        cmocka_unit_test(mistakes_over_several_options),
        cmocka_unit_test(constants_have_a_limit),
        cmocka_unit_test(secrets_are_not_quoted),
        cmocka_unit_test(an_api_key_is_made_base64),
        cmocka_unit_test(compression_follows_the_hosts),
        cmocka_unit_test(presets),
        cmocka_unit_test(the_active_output),
        cmocka_unit_test(the_switch_of_the_environment),
        cmocka_unit_test(the_profile),
        cmocka_unit_test(hosts_and_path),
        cmocka_unit_test(the_cloud),
        cmocka_unit_test(files_of_secrets),
        cmocka_unit_test(who_has_secrets),
        cmocka_unit_test(variables_give_way),
        cmocka_unit_test(the_environment),
        cmocka_unit_test(mistakes_in_the_environment),
        cmocka_unit_test(all_sets),
        cmocka_unit_test(overrides),
        cmocka_unit_test(mistakes_in_overrides),
        cmocka_unit_test(files),
        cmocka_unit_test(mistakes_of_all_files),
        cmocka_unit_test(unreadable_files),
        cmocka_unit_test(secrets_that_everyone_can_read),
        cmocka_unit_test(what_a_reload_cannot_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
