/*
 * config/options_table - the rows
 *
 * Rows stand in the order of the reference page. Bounds are in the unit of the field (bytes, ms,
 * elements). A row with min == max == 0 has no bounds. Invariants (held by the unit test): keys are
 * unique within their scope, every default passes its own row's checks.
 */
#include "config/options.h"

#include "config/check.h"
#include "config/config.h"
#include "config/host.h"

#define SECOND ((uint64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define GIB    ((uint64_t)1024 * MIB)
#define TIB    ((uint64_t)1024 * GIB)

#define AT(field)       offsetof(struct config, field)
#define INPUT_AT(field) offsetof(struct config_input, field)

static const char *const metadata_choices[] = {"dataset", "host",  "agent", "ecs",
                                               "offset",  "input", NULL};
static const char *const level_choices[] = {"error", "warn", "info", "debug", NULL};
static const char *const start_choices[] = {"beginning", "end", NULL};
static const char *const set_choices[] = {"cpu", "load", "memory", "network", NULL};
static const char *const verification_choices[] = {"full", "none", NULL};
static const char *const compression_choices[] = {"auto", "none", "gzip", NULL};
static const char *const when_full_choices[] = {"block", NULL};

const struct option_section options_sections[OPTION_GROUPS] = {
    [OPTION_GENERAL] = {"General", "", ""},
    [OPTION_INPUT] =
        {"Inputs",
         "Each element of the list `inputs` names log files and says how to read them. The first "
         "input that matches a file has it. Files `inputs.d/*.yml` beside the main file add inputs "
         "in name order; each holds a list of inputs, or a map with the key `inputs`.",
         ""},
    [OPTION_METRICS] = {"Metrics", "", ""},
    [OPTION_OUTPUT] = {"Output to Elasticsearch", "", "output.elasticsearch."},
    [OPTION_DEAD_LETTER] = {"Dead letters",
                            "Documents that the server refuses for good are kept in files.", ""},
};

const struct option options_table[] = {
    {
        .key = "path.data",
        .group = OPTION_GENERAL,
        .type = OPTION_STRING,
        .standard = "/var/lib/wherry",
        .min = 1,
        .max = OPTION_PATH_MAX,
        .offset = AT(path_data),
        .help = "Directory of everything wherry keeps: offsets, dead letters. One running wherry "
                "per directory.",
    },
    {
        .key = "path.hostfs",
        .group = OPTION_GENERAL,
        .type = OPTION_STRING,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .check = check_absolute,
        .offset = AT(path_hostfs),
        .help = "Where the host's root directory is mounted, for metrics from inside a container: "
                "\"/hostfs\". Empty: this is the host.",
    },
    {
        .key = "namespace",
        .group = OPTION_GENERAL,
        .type = OPTION_STRING,
        .standard = "default",
        .check = check_stream_part,
        .offset = AT(namespace),
        .help = "Last part of the data streams' names, such as production or test.",
    },
    {
        .key = "metadata",
        .group = OPTION_GENERAL,
        .type = OPTION_SET,
        .flags = OPTION_COMMAS,
        .standard = "dataset,host,agent,ecs,offset,input",
        .choices = metadata_choices,
        .offset = AT(metadata),
        .help = "What each log document carries beside @timestamp, log.file.path and message. "
                "[] is nothing.",
    },
    {
        .key = "shutdown_timeout",
        .group = OPTION_GENERAL,
        .type = OPTION_DURATION,
        .flags = OPTION_RELOADABLE,
        .standard = "5s",
        .max = HOUR,
        .offset = AT(shutdown_timeout_ms),
        .help = "How long a stop waits for answers to what was sent. What is not answered by then "
                "is sent again after the next start.",
    },
    {
        .key = "logging.level",
        .group = OPTION_GENERAL,
        .type = OPTION_CHOICE,
        .flags = OPTION_RELOADABLE,
        .standard = "info",
        .choices = level_choices,
        .offset = AT(log_level),
        .help = "How much wherry says about itself on stderr.",
    },
    {
        .key = "paths",
        .group = OPTION_INPUT,
        .type = OPTION_LIST,
        .flags = OPTION_RELOADABLE,
        .standard = "",
        .min = 1,
        .max = 1000,
        .check = check_filled,
        .standard_note = "none, required",
        .active = "[\"/var/log/*.log\"]",
        .offset = INPUT_AT(paths),
        .help = "Files to read: globs with *, ?, [...] and ** for any number of directories.",
    },
    {
        .key = "id",
        .group = OPTION_INPUT,
        .type = OPTION_STRING,
        .flags = OPTION_RELOADABLE,
        .standard = "",
        .max = 100,
        .standard_note = "input-N",
        .offset = INPUT_AT(id),
        .help = "Name of this input in messages and counters; unique. Empty: input-N, N counted "
                "from 1.",
    },
    {
        .key = "exclude_files",
        .group = OPTION_INPUT,
        .type = OPTION_LIST,
        .flags = OPTION_RELOADABLE,
        .standard = "",
        .max = 1000,
        .check = check_filled,
        .offset = INPUT_AT(exclude_files),
        .help = "Files that paths match and that are not to be read: globs.",
    },
    {
        .key = "dataset",
        .group = OPTION_INPUT,
        .type = OPTION_STRING,
        .flags = OPTION_RELOADABLE,
        .standard = "generic",
        .check = check_stream_part,
        .offset = INPUT_AT(dataset),
        .help = "Middle part of the data stream's name: logs-<dataset>-<namespace>.",
    },
    {
        .key = "fields",
        .group = OPTION_INPUT,
        .type = OPTION_MAP,
        .flags = OPTION_RELOADABLE,
        .standard = "",
        .offset = INPUT_AT(fields),
        .help = "Constant fields of each document: {team: web, site.name: north}. Values are sent "
                "as strings.",
    },
    {
        .key = "tags",
        .group = OPTION_INPUT,
        .type = OPTION_LIST,
        .flags = OPTION_RELOADABLE,
        .standard = "",
        .max = 1000,
        .check = check_filled,
        .offset = INPUT_AT(tags),
        .help = "Constant tags of each document.",
    },
    {
        .key = "start_at",
        .group = OPTION_INPUT,
        .type = OPTION_CHOICE,
        .flags = OPTION_RELOADABLE,
        .standard = "beginning",
        .choices = start_choices,
        .offset = INPUT_AT(start_at),
        .help = "Where reading begins in a file that was never seen before. A file with a saved "
                "offset goes on from there.",
    },
    {
        .key = "ignore_older",
        .group = OPTION_INPUT,
        .type = OPTION_DURATION,
        .flags = OPTION_RELOADABLE | OPTION_OFF,
        .standard = "off",
        .max = 3650 * DAY,
        .offset = INPUT_AT(ignore_older_ms),
        .help = "Files not written for this long and never seen before are skipped, and what is "
                "skipped is counted.",
    },
    {
        .key = "max_bytes",
        .group = OPTION_INPUT,
        .type = OPTION_BYTES,
        .flags = OPTION_RELOADABLE,
        .standard = "1MiB",
        .min = 64,
        .max = 64 * MIB,
        .offset = INPUT_AT(max_bytes),
        .help = "Longest line. What is longer is cut, marked by log.flags: truncated, and the rest "
                "of the line counted.",
    },
    {
        .key = "line_flush_timeout",
        .group = OPTION_INPUT,
        .type = OPTION_DURATION,
        .flags = OPTION_RELOADABLE | OPTION_OFF,
        .standard = "off",
        .max = DAY,
        .offset = INPUT_AT(line_flush_timeout_ms),
        .help = "A last line without a newline is sent after this time without growth. off: it "
                "waits for its newline.",
    },
    {
        .key = "close.deleted.max_bytes",
        .group = OPTION_INPUT,
        .type = OPTION_BYTES,
        .flags = OPTION_RELOADABLE,
        .standard = "1GiB",
        .max = 64 * TIB,
        .offset = INPUT_AT(close_deleted_max_bytes),
        .help = "Deleted files that are not fully sent are kept open up to this size in sum per "
                "file system.",
    },
    {
        .key = "close.deleted.max_age",
        .group = OPTION_INPUT,
        .type = OPTION_DURATION,
        .flags = OPTION_RELOADABLE,
        .standard = "24h",
        .max = 3650 * DAY,
        .offset = INPUT_AT(close_deleted_max_age_ms),
        .help = "Deleted files that are not fully sent are kept open this long.",
    },
    {
        .key = "metrics.enabled",
        .group = OPTION_METRICS,
        .type = OPTION_BOOL,
        .flags = OPTION_RELOADABLE,
        .standard = "true",
        .offset = AT(metrics.enabled),
        .help = "Whether metrics of this host are collected.",
    },
    {
        .key = "metrics.period",
        .group = OPTION_METRICS,
        .type = OPTION_DURATION,
        .flags = OPTION_RELOADABLE,
        .standard = "10s",
        .min = SECOND,
        .max = DAY,
        .offset = AT(metrics.period_ms),
        .help = "Time between two readings.",
    },
    {
        .key = "metrics.sets",
        .group = OPTION_METRICS,
        .type = OPTION_SET,
        .flags = OPTION_RELOADABLE | OPTION_COMMAS,
        .standard = "cpu,load,memory,network",
        .choices = set_choices,
        .offset = AT(metrics.sets),
        .help = "What is collected; each set goes to metrics-system.<set>-<namespace>.",
    },
    {
        .key = "output.elasticsearch.hosts",
        .group = OPTION_OUTPUT,
        .type = OPTION_LIST,
        .flags = OPTION_COMMAS,
        .standard = "http://localhost:9200",
        .min = 1,
        .max = 64,
        .check = host_normalise,
        .env = "ELASTICSEARCH_HOSTS",
        .offset = AT(elasticsearch.hosts),
        .help = "Servers: es1, es1:9200, [::1]:9200 or https://es1:9200/path. Without a scheme "
                "http, without a port 9200 (also for https).",
    },
    {
        .key = "output.elasticsearch.username",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = 1024,
        .check = check_username,
        .env = "ELASTICSEARCH_USERNAME",
        .offset = AT(elasticsearch.username),
        .help = "User name for basic authentication, together with password.",
    },
    {
        .key = "output.elasticsearch.password",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 4096,
        .env = "ELASTICSEARCH_PASSWORD",
        .offset = AT(elasticsearch.password),
        .help = "Its password. A file that holds it must not be readable by everyone.",
    },
    {
        .key = "output.elasticsearch.api_key",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 4096,
        .check = check_api_key,
        .offset = AT(elasticsearch.api_key),
        .help = "API key in place of user name and password: id:key, or the base64 text of it.",
    },
    {
        .key = "output.elasticsearch.ssl.certificate_authorities",
        .group = OPTION_OUTPUT,
        .type = OPTION_LIST,
        .standard = "",
        .max = 1,
        .check = check_filled,
        .standard_note = "the system's",
        .offset = AT(elasticsearch.certificate_authorities),
        .help = "File of the certificates (PEM) to trust in place of the system's.",
    },
    {
        .key = "output.elasticsearch.ssl.verification_mode",
        .group = OPTION_OUTPUT,
        .type = OPTION_CHOICE,
        .standard = "full",
        .choices = verification_choices,
        .env = "ELASTICSEARCH_VERIFY_CERTS",
        .offset = AT(elasticsearch.verification_mode),
        .help = "full: the server's certificate must be valid and bear the host's name. none: "
                "anybody may pose as the server. The variable takes true or false.",
    },
    {
        .key = "output.elasticsearch.compression",
        .group = OPTION_OUTPUT,
        .type = OPTION_CHOICE,
        .standard = "auto",
        .choices = compression_choices,
        .offset = AT(elasticsearch.compression),
        .help = "Compression of requests. auto: gzip, or none when all hosts are on this machine.",
    },
    {
        .key = "output.elasticsearch.linger",
        .group = OPTION_OUTPUT,
        .type = OPTION_DURATION,
        .standard = "200ms",
        .max = MINUTE,
        .offset = AT(elasticsearch.linger_ms),
        .help = "How long the first document of a request may wait for more.",
    },
    {
        .key = "output.elasticsearch.bulk_max_bytes",
        .group = OPTION_OUTPUT,
        .type = OPTION_BYTES,
        .standard = "1MiB",
        .min = 64 * KIB,
        .max = 64 * MIB,
        .offset = AT(elasticsearch.bulk_max_bytes),
        .help = "Size at which a request is sent, before compression.",
    },
    {
        .key = "output.elasticsearch.bulk_max_size",
        .group = OPTION_OUTPUT,
        .type = OPTION_INTEGER,
        .standard = "0",
        .max = 1000000,
        .offset = AT(elasticsearch.bulk_max_size),
        .help = "Number of documents at which a request is sent. 0: no limit.",
    },
    {
        .key = "output.elasticsearch.workers",
        .group = OPTION_OUTPUT,
        .type = OPTION_INTEGER,
        .standard = "4",
        .min = 1,
        .max = 32,
        .offset = AT(elasticsearch.workers),
        .help = "Most requests under way at once; the server's answers make it fewer.",
    },
    {
        .key = "output.elasticsearch.backoff.init",
        .group = OPTION_OUTPUT,
        .type = OPTION_DURATION,
        .standard = "1s",
        .min = 1,
        .max = HOUR,
        .offset = AT(elasticsearch.backoff_init_ms),
        .help = "Longest wait before the first retry; doubled for each further one. The wait "
                "itself is random.",
    },
    {
        .key = "output.elasticsearch.backoff.max",
        .group = OPTION_OUTPUT,
        .type = OPTION_DURATION,
        .standard = "60s",
        .min = 1,
        .max = DAY,
        .offset = AT(elasticsearch.backoff_max_ms),
        .help = "Limit of that wait.",
    },
    {
        .key = "dead_letter.path",
        .group = OPTION_DEAD_LETTER,
        .type = OPTION_STRING,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .standard_note = "<path.data>/deadletter",
        .offset = AT(dead_letter.path),
        .help = "Directory of the files. Empty: deadletter within path.data.",
    },
    {
        .key = "dead_letter.max_bytes",
        .group = OPTION_DEAD_LETTER,
        .type = OPTION_BYTES,
        .standard = "64MiB",
        .min = MIB,
        .max = TIB,
        .offset = AT(dead_letter.max_bytes),
        .help = "Size of all files together.",
    },
    {
        .key = "dead_letter.when_full",
        .group = OPTION_DEAD_LETTER,
        .type = OPTION_CHOICE,
        .standard = "block",
        .choices = when_full_choices,
        .offset = AT(dead_letter.when_full),
        .help = "block: documents of that data stream wait until there is room.",
    },
};

const size_t options_count = ARRAY_LEN(options_table);
