/*
 * config/options_table - the rows
 *
 * Rows stand in the order of the reference page. Bounds are in the unit of the field (bytes, ms,
 * elements). A row with min == max == 0 has no bounds. Invariants (held by the unit test): keys are
 * unique within their scope, every default passes its own row's checks.
 */
#include "config/options.h"

#include "config/check.h"
#include "config/cloud.h"
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
static const char *const input_compression_choices[] = {"none", "auto", NULL};
static const char *const start_choices[] = {"beginning", "end", NULL};
static const char *const set_choices[] = {
    "cpu",     "load",       "memory",   "network",   "pressure",
    "uptime",  "vmstat",     "kernel",   "conntrack", "softnet",
    "netstat", "neighbours", "wireless", "time",      "process_summary",
    "diskio",  "thermal",    "cpufreq",  "interface", "socket_summary",
    "self",    "filesystem", "fsstat",   "core",      "default",
    "all",     NULL};
static const char *const profile_choices[] = {"default", "isp", NULL};
static const char *const json_choices[] = {"profile", "off", "auto", "on", NULL};
static const char *const format_choices[] = {"auto", "raw", "cri", "docker", NULL};
static const char *const encoding_choices[] = {"utf-8",  "utf-16",     "utf-16le", "utf-16be",
                                               "latin1", "iso-8859-1", NULL};
static const char *const verification_choices[] = {"full", "certificate", "none", NULL};
static const char *const tls_choices[] = {"TLSv1.2", "TLSv1.3", NULL};
static const char *const preset_choices[] = {"balanced", "throughput", "scale",
                                             "latency",  "custom",     NULL};
static const char *const ids_choices[] = {"structured", "auto", NULL};
static const char *const compression_choices[] = {"auto", "none", "gzip", NULL};
static const char *const state_choices[] = {"durable", "volatile", NULL};
static const char *const when_full_choices[] = {"block", "drop_oldest", NULL};

const struct option_section options_sections[OPTION_GROUPS] = {
    [OPTION_GENERAL] = {"General", "", ""},
    [OPTION_ISP] =
        {"ISP platform",
         "With `profile: isp` documents have the platform's field names and go to its daily "
         "indices; [isp.md](isp.md) tells more.",
         ""},
    [OPTION_INPUT] =
        {"Inputs",
         "Each element of the list `inputs` names log files and says how to read them. The first "
         "input that matches a file has it. Files `inputs.d/*.yml` beside the main file add inputs "
         "in name order; each holds a list of inputs, or a map with the key `inputs`.",
         ""},
    [OPTION_METRICS] = {"Metrics", "", ""},
    [OPTION_OUTPUT] = {"Output to Elasticsearch", "", "output.elasticsearch."},
    [OPTION_CLOUD] = {"Elastic Cloud", "", ""},
    [OPTION_SMALL_OUTPUTS] =
        {"Other outputs",
         "Exactly one output is active. An output is active when one of its options is given and "
         "its `enabled` is not false; when none is given, it is Elasticsearch.",
         ""},
    [OPTION_DEAD_LETTER] = {"Dead letters",
                            "Documents that the server refuses for good are kept in files.", ""},
    [OPTION_SPOOL] = {"Spool", "Metrics that wait for the output can be kept in files.", ""},
};

/* the period of one metric set; shown: where the default comes from */
#define SET_PERIOD(set, which, text, shown)                                                        \
    {                                                                                              \
        .key = "metrics." set ".period", .group = OPTION_METRICS, .type = OPTION_DURATION,         \
        .standard = text, .min = SECOND, .max = DAY, .standard_note = shown,                       \
        .offset = AT(metrics.set_period_ms[which]),                                                \
        .help = "Time between two readings of set " set ".",                                       \
    }
#define SET_PERIOD_OF_ALL(set, which) SET_PERIOD(set, which, "10s", "metrics.period")

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
        .key = "path.volatile",
        .group = OPTION_GENERAL,
        .type = OPTION_STRING,
        .standard = "/run/wherry",
        .min = 1,
        .max = OPTION_PATH_MAX,
        .check = check_absolute,
        .offset = AT(path_volatile),
        .help =
            "With state: volatile, a directory in memory (tmpfs) for the offsets of the running "
            "wherry.",
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
        .key = "state",
        .group = OPTION_GENERAL,
        .type = OPTION_CHOICE,
        .standard = "durable",
        .choices = state_choices,
        .offset = AT(state),
        .help =
            "durable: offsets are saved in path.data once a second while they move. volatile, "
            "for routers, whose flash wears out: they are saved in path.volatile, and copied to "
            "path.data at a stop and every state_save_interval; after a power loss, what was "
            "read since the last copy may be sent again. Change it only after a stop.",
    },
    {
        .key = "state_save_interval",
        .group = OPTION_GENERAL,
        .type = OPTION_DURATION,
        .standard = "15m",
        .min = SECOND,
        .max = DAY,
        .offset = AT(state_save_interval_ms),
        .help = "With state: volatile, how often offsets that have moved are copied to path.data.",
    },
    {
        .key = "profile",
        .group = OPTION_GENERAL,
        .type = OPTION_CHOICE,
        .standard = "default",
        .choices = profile_choices,
        .standard_note = "default; isp when isp.log_prefix or isp.metric_prefix is given",
        .offset = AT(profile),
        .help = "Whose field names documents have, and where they go. default: those of ECS and "
                "Metricbeat, to data streams. isp: those of the ISP platform (log_level, "
                "service_name, metric_type, value), to its daily indices.",
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
        .key = "isp.log_prefix",
        .group = OPTION_ISP,
        .type = OPTION_STRING,
        .standard = "isp-logs",
        .min = 1,
        .max = 200,
        .env = "ELASTICSEARCH_LOG_INDEX_PREFIX",
        .offset = AT(isp.log_prefix),
        .help = "What names of indices for log lines begin with; a dash and the day follow. "
                "output.elasticsearch.index goes before it.",
    },
    {
        .key = "isp.metric_prefix",
        .group = OPTION_ISP,
        .type = OPTION_STRING,
        .standard = "isp-metrics",
        .min = 1,
        .max = 200,
        .env = "ELASTICSEARCH_METRIC_INDEX_PREFIX",
        .offset = AT(isp.metric_prefix),
        .help = "The same for metrics.",
    },
    {
        .key = "isp.date_format",
        .group = OPTION_ISP,
        .type = OPTION_STRING,
        .standard = "yyyy.MM.dd",
        .min = 1,
        .max = 50,
        .env = "ELASTICSEARCH_INDEX_DATE_FORMAT",
        .offset = AT(isp.date_format),
        .help = "The day in these names: letters of Java (yyyy.MM.dd or YYYY.MM.dd) or of "
                "strftime (%Y.%m.%d). It must give digits.",
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
        .key = "olddir",
        .group = OPTION_INPUT,
        .type = OPTION_STRING,
        .flags = OPTION_RELOADABLE,
        .standard = "",
        .max = 1024,
        .offset = INPUT_AT(olddir),
        .help = "Directory to which rotation moves files (logrotate's olddir), where what was not "
                "read of them is looked for; relative to the file's directory.",
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
        .key = "encoding",
        .group = OPTION_INPUT,
        .type = OPTION_CHOICE,
        .flags = OPTION_RELOADABLE,
        .standard = "utf-8",
        .choices = encoding_choices,
        .offset = INPUT_AT(encoding),
        .help = "Character set of the files. utf-16: the byte order mark at the start of a file "
                "decides, without one it is utf-16le. What is no character becomes U+FFFD.",
    },
    {
        .key = "format",
        .group = OPTION_INPUT,
        .type = OPTION_CHOICE,
        .flags = OPTION_RELOADABLE,
        .standard = "auto",
        .choices = format_choices,
        .offset = INPUT_AT(format),
        .help = "What a line is. raw: text. cri, docker: text with its time and stream, as "
                "containerd, CRI-O and docker's json-file write it. auto: the path and the first "
                "line of each file decide. A line that is none of the format is sent as it is, "
                "with error.message.",
    },
    {
        .key = "json",
        .group = OPTION_INPUT,
        .type = OPTION_CHOICE,
        .flags = OPTION_RELOADABLE,
        .standard = "profile",
        .choices = json_choices,
        .standard_note = "off; auto with profile: isp",
        .offset = INPUT_AT(json),
        .help = "Whether lines that are JSON objects become documents of their members. on: all "
                "lines should be; auto: those that begin with a brace; off: lines are text. Names "
                "of the ISP platform and of ECS go to the fields of the profile; what clashes with "
                "a field goes into the object json. A line that is none is sent as it is, with "
                "error.message.",
    },
    {
        .key = "partial.max_bytes",
        .group = OPTION_INPUT,
        .type = OPTION_BYTES,
        .flags = OPTION_RELOADABLE,
        .standard = "1MiB",
        .min = 64,
        .max = 64 * MIB,
        .offset = INPUT_AT(partial_max_bytes),
        .help = "Longest text that is put together from several lines of a container log. What is "
                "longer is sent in pieces, marked by log.flags: partial.",
    },
    {
        .key = "partial.timeout",
        .group = OPTION_INPUT,
        .type = OPTION_DURATION,
        .flags = OPTION_RELOADABLE,
        .standard = "60s",
        .min = 100,
        .max = DAY,
        .offset = INPUT_AT(partial_timeout_ms),
        .help = "A text whose last piece does not come is sent after this time, marked by "
                "log.flags: partial.",
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
        .key = "symlinks",
        .group = OPTION_INPUT,
        .type = OPTION_BOOL,
        .flags = OPTION_RELOADABLE,
        .standard = "false",
        .offset = INPUT_AT(symlinks),
        .help = "Whether files are also read through symbolic links that the paths match; they are "
                "known by the path of the link. When a link is switched, the old file is read to "
                "its end first.",
    },
    {
        .key = "symlink_roots",
        .group = OPTION_INPUT,
        .type = OPTION_LIST,
        .flags = OPTION_RELOADABLE,
        .standard = "/var/log,/var/lib/docker/containers",
        .offset = INPUT_AT(symlink_roots),
        .help = "Directories; links that lead out of them are not followed.",
    },
    {
        .key = "compression",
        .group = OPTION_INPUT,
        .type = OPTION_CHOICE,
        .flags = OPTION_RELOADABLE,
        .standard = "none",
        .choices = input_compression_choices,
        .offset = INPUT_AT(compression),
        .help = "Compressed files (.gz, .zst) that match: none leaves them out, auto reads them. "
                "What rotation has compressed before it was read whole is read in either case.",
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
        .standard = "true",
        .offset = AT(metrics.enabled),
        .help = "Whether metrics of this host are collected.",
    },
    {
        .key = "metrics.period",
        .group = OPTION_METRICS,
        .type = OPTION_DURATION,
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
        .flags = OPTION_COMMAS,
        .standard = "default",
        .choices = set_choices,
        .offset = AT(metrics.sets),
        .help =
            "What is collected; each set goes to metrics-system.<set>-<namespace>. docs/metrics.md "
            "tells which are in default.",
    },
    SET_PERIOD_OF_ALL("cpu", CONFIG_SET_CPU),
    SET_PERIOD_OF_ALL("load", CONFIG_SET_LOAD),
    SET_PERIOD_OF_ALL("memory", CONFIG_SET_MEMORY),
    SET_PERIOD_OF_ALL("network", CONFIG_SET_NETWORK),
    SET_PERIOD_OF_ALL("pressure", CONFIG_SET_PRESSURE),
    SET_PERIOD("uptime", CONFIG_SET_UPTIME, "1m", NULL),
    SET_PERIOD_OF_ALL("vmstat", CONFIG_SET_VMSTAT),
    SET_PERIOD_OF_ALL("kernel", CONFIG_SET_KERNEL),
    SET_PERIOD_OF_ALL("conntrack", CONFIG_SET_CONNTRACK),
    SET_PERIOD_OF_ALL("softnet", CONFIG_SET_SOFTNET),
    SET_PERIOD_OF_ALL("netstat", CONFIG_SET_NETSTAT),
    SET_PERIOD_OF_ALL("neighbours", CONFIG_SET_NEIGHBOURS),
    SET_PERIOD_OF_ALL("wireless", CONFIG_SET_WIRELESS),
    SET_PERIOD_OF_ALL("time", CONFIG_SET_TIME),
    SET_PERIOD_OF_ALL("process_summary", CONFIG_SET_PROCESS_SUMMARY),
    SET_PERIOD_OF_ALL("diskio", CONFIG_SET_DISKIO),
    SET_PERIOD_OF_ALL("thermal", CONFIG_SET_THERMAL),
    SET_PERIOD_OF_ALL("cpufreq", CONFIG_SET_CPUFREQ),
    SET_PERIOD_OF_ALL("interface", CONFIG_SET_INTERFACE),
    SET_PERIOD_OF_ALL("socket_summary", CONFIG_SET_SOCKET_SUMMARY),
    SET_PERIOD_OF_ALL("self", CONFIG_SET_SELF),
    SET_PERIOD("filesystem", CONFIG_SET_FILESYSTEM, "1m", NULL),
    SET_PERIOD("fsstat", CONFIG_SET_FSSTAT, "1m", NULL),
    SET_PERIOD_OF_ALL("core", CONFIG_SET_CORE),
    {
        .key = "output.elasticsearch.enabled",
        .group = OPTION_OUTPUT,
        .type = OPTION_BOOL,
        .standard = "true",
        .env = "ELASTICSEARCH_ENABLED",
        .offset = AT(elasticsearch.enabled),
        .help = "Whether this output is used. When the variable says false and no other output is "
                "there, wherry runs and reads nothing.",
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
        .key = "output.elasticsearch.path",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = 1024,
        .check = check_url_path,
        .offset = AT(elasticsearch.path),
        .help = "Prefix of the path of each request, for hosts that are given without a path of "
                "their own.",
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
        .key = "output.elasticsearch.username_file",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_CREDENTIAL,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .offset = AT(elasticsearch.username_file),
        .help = "File that holds the user name. Credential files are read again when they change "
                "and after an answer 401; a relative name is looked up in $CREDENTIALS_DIRECTORY "
                "when that is set.",
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
        .key = "output.elasticsearch.password_file",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_CREDENTIAL,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .offset = AT(elasticsearch.password_file),
        .help = "File that holds the password.",
    },
    {
        .key = "output.elasticsearch.api_key",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 4096,
        .check = check_api_key,
        .env = "ELASTICSEARCH_API_KEY",
        .offset = AT(elasticsearch.api_key),
        .help = "API key in place of user name and password: id:key, or the base64 text of it.",
    },
    {
        .key = "output.elasticsearch.api_key_file",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_CREDENTIAL,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .offset = AT(elasticsearch.api_key_file),
        .help = "File that holds the API key, in either form.",
    },
    {
        .key = "output.elasticsearch.bearer_token",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 16384,
        .check = check_token,
        .offset = AT(elasticsearch.bearer_token),
        .help = "Token for the header Authorization: Bearer, such as a JWT.",
    },
    {
        .key = "output.elasticsearch.bearer_token_file",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_CREDENTIAL,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .offset = AT(elasticsearch.bearer_token_file),
        .help = "File that holds the bearer token.",
    },
    {
        .key = "output.elasticsearch.service_token",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 16384,
        .check = check_token,
        .offset = AT(elasticsearch.service_token),
        .help = "Token of a service account of Elasticsearch.",
    },
    {
        .key = "output.elasticsearch.service_token_file",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_CREDENTIAL,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .offset = AT(elasticsearch.service_token_file),
        .help = "File that holds the service token.",
    },
    {
        .key = "output.elasticsearch.headers",
        .group = OPTION_OUTPUT,
        .type = OPTION_MAP,
        .flags = OPTION_SECRET,
        .standard = "",
        .check = check_header,
        .offset = AT(elasticsearch.headers),
        .help = "Further headers of each request: {X-Tenant: a}.",
    },
    {
        .key = "output.elasticsearch.proxy_url",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = 1024,
        .check = host_normalise_proxy,
        .offset = AT(elasticsearch.proxy_url),
        .help = "Proxy: http://host:port, https://host:port or socks5://host:port. Without it none "
                "is used, whatever the environment says. The certificate of an https proxy is "
                "verified by the options ssl.*, as the server's is.",
    },
    {
        .key = "output.elasticsearch.proxy_username",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = 1024,
        .check = check_username,
        .offset = AT(elasticsearch.proxy_username),
        .help = "User name for the proxy.",
    },
    {
        .key = "output.elasticsearch.proxy_password",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 4096,
        .offset = AT(elasticsearch.proxy_password),
        .help = "Its password.",
    },
    {
        .key = "output.elasticsearch.ssl.certificate_authorities",
        .group = OPTION_OUTPUT,
        .type = OPTION_LIST,
        .standard = "",
        .max = 16,
        .check = check_filled,
        .standard_note = "the system's",
        .offset = AT(elasticsearch.certificate_authorities),
        .help = "Files of the certificates (PEM) to trust in place of the system's. They are read "
                "again "
                "when they change.",
    },
    {
        .key = "output.elasticsearch.ssl.ca_trusted_fingerprint",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = 128,
        .check = check_fingerprint,
        .offset = AT(elasticsearch.ca_trusted_fingerprint),
        .help = "SHA-256 of a CA certificate that the server sends with its own, in hex: chains "
                "that it signed are trusted, and without certificate_authorities no others.",
    },
    {
        .key = "output.elasticsearch.ssl.certificate",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .offset = AT(elasticsearch.certificate),
        .help = "File of the client's certificate with its chain (PEM), for servers that ask for "
                "one. Read again when it changes.",
    },
    {
        .key = "output.elasticsearch.ssl.key",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_CREDENTIAL,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .offset = AT(elasticsearch.key),
        .help = "File of its private key (PEM).",
    },
    {
        .key = "output.elasticsearch.ssl.key_passphrase",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 1024,
        .offset = AT(elasticsearch.key_passphrase),
        .help = "Passphrase of that key.",
    },
    {
        .key = "output.elasticsearch.ssl.verification_mode",
        .group = OPTION_OUTPUT,
        .type = OPTION_CHOICE,
        .standard = "full",
        .choices = verification_choices,
        .env = "ELASTICSEARCH_VERIFY_CERTS",
        .offset = AT(elasticsearch.verification_mode),
        .help = "full: the server's certificate must be valid and bear the host's name. "
                "certificate: it "
                "must be valid. none: anybody may pose as the server. The variable takes true or "
                "false.",
    },
    {
        .key = "output.elasticsearch.ssl.supported_protocols",
        .group = OPTION_OUTPUT,
        .type = OPTION_SET,
        .flags = OPTION_COMMAS,
        .standard = "TLSv1.2,TLSv1.3",
        .choices = tls_choices,
        .offset = AT(elasticsearch.supported_protocols),
        .help = "Versions of TLS that may be used.",
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
        .key = "output.elasticsearch.compression_level",
        .group = OPTION_OUTPUT,
        .type = OPTION_INTEGER,
        .standard = "1",
        .min = 1,
        .max = 9,
        .offset = AT(elasticsearch.compression_level),
        .help = "Level of gzip. 1: fastest, 9: smallest.",
    },
    {
        .key = "output.elasticsearch.preset",
        .group = OPTION_OUTPUT,
        .type = OPTION_CHOICE,
        .standard = "balanced",
        .choices = preset_choices,
        .offset = AT(elasticsearch.preset),
        .help = "Values for linger, bulk_max_bytes, workers and backoff where they are not given. "
                "throughput: 1s, 5MiB, 8. scale (many agents for one server): 5s, 1MiB, 1, backoff "
                "5s to 300s. latency: 5ms, 256KiB, 4. balanced and custom: the defaults below.",
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
        .env = "ELASTICSEARCH_SYNC_BATCH_SIZE",
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
        .key = "output.elasticsearch.connect_timeout",
        .group = OPTION_OUTPUT,
        .type = OPTION_DURATION,
        .standard = "10s",
        .min = 10,
        .max = 10 * MINUTE,
        .offset = AT(elasticsearch.connect_timeout_ms),
        .help = "Limit of a name look-up, connection and TLS handshake together.",
    },
    {
        .key = "output.elasticsearch.timeout",
        .group = OPTION_OUTPUT,
        .type = OPTION_DURATION,
        .flags = OPTION_OFF,
        .standard = "off",
        .min = 0,
        .max = DAY,
        .offset = AT(elasticsearch.timeout_ms),
        .help = "Limit of one request with its answer. off: a busy server answers late, but it "
                "answers, "
                "and a dead one is noticed by TCP.",
    },
    {
        .key = "output.elasticsearch.connection_max_age",
        .group = OPTION_OUTPUT,
        .type = OPTION_DURATION,
        .flags = OPTION_OFF,
        .standard = "5m",
        .max = DAY,
        .offset = AT(elasticsearch.connection_max_age_ms),
        .help = "Age at which a connection gives way to a new one, so that changed addresses of a "
                "name come into use. Whole seconds.",
    },
    {
        .key = "output.elasticsearch.ids",
        .group = OPTION_OUTPUT,
        .type = OPTION_CHOICE,
        .standard = "structured",
        .choices = ids_choices,
        .offset = AT(elasticsearch.ids),
        .help = "structured: ids made from the place in the file, so that nothing is stored twice. "
                "auto: the server makes them, and what is sent again after a lost answer is stored "
                "twice.",
    },
    {
        .key = "output.elasticsearch.verify_before_resend",
        .group = OPTION_OUTPUT,
        .type = OPTION_BOOL,
        .standard = "false",
        .offset = AT(elasticsearch.verify_before_resend),
        .help = "Asks the server for the ids before documents are sent again after a lost answer: "
                "a data stream that rolled over in between would take them twice.",
    },
    {
        .key = "output.elasticsearch.index",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = 255,
        .standard_note = "data streams by dataset",
        .offset = AT(elasticsearch.index),
        .help = "Index for log lines in place of data streams. It may hold the day on which a "
                "line was read, in UTC: isp-logs-%{+yyyy.MM.dd} or isp-logs-%Y.%m.%d, and behind "
                "text of its own a field that is the same for all lines of an input: "
                "isp-%{[fields.site]:other}. Metrics are not concerned.",
    },
    {
        .key = "output.elasticsearch.pipeline",
        .group = OPTION_OUTPUT,
        .type = OPTION_STRING,
        .standard = "",
        .max = 255,
        .standard_note = "the index's",
        .offset = AT(elasticsearch.pipeline),
        .help = "Ingest pipeline for log lines.",
    },
    {
        .key = "cloud.id",
        .group = OPTION_CLOUD,
        .type = OPTION_STRING,
        .standard = "",
        .max = 4096,
        .check = cloud_id_normalise,
        .offset = AT(cloud.id),
        .help = "Id of a deployment, as its page shows it. It takes the place of "
                "output.elasticsearch.hosts.",
    },
    {
        .key = "cloud.auth",
        .group = OPTION_CLOUD,
        .type = OPTION_STRING,
        .flags = OPTION_SECRET,
        .standard = "",
        .max = 4096,
        .offset = AT(cloud.auth),
        .help = "user:password, in place of username and password.",
    },
    {
        .key = "output.file.enabled",
        .group = OPTION_SMALL_OUTPUTS,
        .type = OPTION_BOOL,
        .standard = "false",
        .standard_note = "true if given",
        .offset = AT(file.enabled),
        .help = "Whether documents are written to files, one JSON text a line.",
    },
    {
        .key = "output.file.path",
        .group = OPTION_SMALL_OUTPUTS,
        .type = OPTION_STRING,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .standard_note = "none, required",
        .offset = AT(file.path),
        .help = "Directory of the files.",
    },
    {
        .key = "output.file.filename",
        .group = OPTION_SMALL_OUTPUTS,
        .type = OPTION_STRING,
        .standard = "wherry",
        .max = 200,
        .check = check_file_name,
        .offset = AT(file.filename),
        .help = "Name of the file; older ones carry a number.",
    },
    {
        .key = "output.file.rotate_every_kb",
        .group = OPTION_SMALL_OUTPUTS,
        .type = OPTION_INTEGER,
        .standard = "10240",
        .min = 1,
        .max = 1 << 30,
        .offset = AT(file.rotate_every_kb),
        .help = "Size in KiB at which a new file is begun.",
    },
    {
        .key = "output.file.number_of_files",
        .group = OPTION_SMALL_OUTPUTS,
        .type = OPTION_INTEGER,
        .standard = "7",
        .min = 2,
        .max = 1024,
        .offset = AT(file.number_of_files),
        .help = "Files that are kept; the oldest is removed.",
    },
    {
        .key = "output.console.enabled",
        .group = OPTION_SMALL_OUTPUTS,
        .type = OPTION_BOOL,
        .standard = "false",
        .standard_note = "true if given",
        .offset = AT(console.enabled),
        .help = "Whether documents are written to standard output, one JSON text a line.",
    },
    {
        .key = "output.discard.enabled",
        .group = OPTION_SMALL_OUTPUTS,
        .type = OPTION_BOOL,
        .standard = "false",
        .standard_note = "true if given",
        .offset = AT(discard.enabled),
        .help = "Whether documents are dropped, for measurements.",
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
        .help = "block: documents of that data stream wait until there is room, such as "
                "wherry deadletter makes. drop_oldest: the oldest letters are removed for it, and "
                "counted.",
    },
    {
        .key = "spool.enabled",
        .group = OPTION_SPOOL,
        .type = OPTION_BOOL,
        .standard = "false",
        .offset = AT(spool.enabled),
        .help = "Whether metrics that the output does not take within a second wait on disk, also "
                "over a restart. Else they wait in 2 MiB of memory.",
    },
    {
        .key = "spool.path",
        .group = OPTION_SPOOL,
        .type = OPTION_STRING,
        .standard = "",
        .max = OPTION_PATH_MAX,
        .standard_note = "<path.data>/spool",
        .offset = AT(spool.path),
        .help = "Directory of the files. Empty: spool within path.data.",
    },
    {
        .key = "spool.max_bytes",
        .group = OPTION_SPOOL,
        .type = OPTION_BYTES,
        .standard = "16MiB",
        .min = 64 * KIB,
        .max = 1024 * MIB,
        .offset = AT(spool.max_bytes),
        .help = "Size of all files together. When it is reached, the oldest metrics are dropped, "
                "and counted.",
    },
};

const size_t options_count = ARRAY_LEN(options_table);
