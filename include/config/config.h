#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

/*
 * The configuration: immutable after config_load, owned by its caller, readable from any thread.
 * Every field is checked and has its default; no string is NULL ("" = not given).
 *
 * Precedence, highest first: -E, the files, ELASTICSEARCH_* variables, the defaults.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/log.h"
#include "base/slice.h"
#include "config/errors.h"
#include "config/expand.h"
#include "config/types.h"

#define CONFIG_FILE_MAX        MIB
#define CONFIG_INPUT_FILES_MAX 1024
#define CONFIG_CONSTANTS_MAX   (32 * KIB) /* names and values of one input's fields, and its tags */

/* Constant parts of a document; bits of config.metadata. */
enum config_metadata {
    CONFIG_METADATA_DATASET = 1 << 0,
    CONFIG_METADATA_HOST = 1 << 1,
    CONFIG_METADATA_AGENT = 1 << 2,
    CONFIG_METADATA_ECS = 1 << 3,
    CONFIG_METADATA_OFFSET = 1 << 4,
    CONFIG_METADATA_INPUT = 1 << 5,
};

/* Metric sets, in the order of the choices of metrics.sets; bit N of config_metrics.sets is set N.
 */
enum config_set {
    CONFIG_SET_CPU,
    CONFIG_SET_LOAD,
    CONFIG_SET_MEMORY,
    CONFIG_SET_NETWORK,
    CONFIG_SET_PRESSURE,
    CONFIG_SET_UPTIME,
    CONFIG_SET_VMSTAT,
    CONFIG_SET_KERNEL,
    CONFIG_SET_CONNTRACK,
    CONFIG_SET_SOFTNET,
    CONFIG_SET_NETSTAT,
    CONFIG_SET_NEIGHBOURS,
    CONFIG_SET_WIRELESS,
    CONFIG_SET_TIME,
    CONFIG_SET_PROCESS_SUMMARY,
    CONFIG_SET_DISKIO,
    CONFIG_SET_THERMAL,
    CONFIG_SET_CPUFREQ,
    CONFIG_SET_INTERFACE,
    CONFIG_SET_SOCKET_SUMMARY,
    CONFIG_SET_SELF,
    CONFIG_SET_FILESYSTEM,
    CONFIG_SET_FSSTAT,
    CONFIG_SET_CORE,
    CONFIG_SETS,
    CONFIG_SETS_DEFAULT = CONFIG_SETS, /* the choice of those in CONFIG_DEFAULT_SETS */
    CONFIG_SETS_ALL,                   /* the choice of all of them */
};

/* What is collected when nothing else is said: what Kibana's pages need, and what an operator of a
 * router looks at first. */
#define CONFIG_DEFAULT_SETS                                                                        \
    (1U << CONFIG_SET_CPU | 1U << CONFIG_SET_LOAD | 1U << CONFIG_SET_MEMORY |                      \
     1U << CONFIG_SET_NETWORK | 1U << CONFIG_SET_PRESSURE | 1U << CONFIG_SET_UPTIME |              \
     1U << CONFIG_SET_CONNTRACK | 1U << CONFIG_SET_NETSTAT | 1U << CONFIG_SET_PROCESS_SUMMARY |    \
     1U << CONFIG_SET_DISKIO | 1U << CONFIG_SET_INTERFACE | 1U << CONFIG_SET_FILESYSTEM |          \
     1U << CONFIG_SET_FSSTAT)

/* Character set of an input's files. */
enum config_encoding {
    CONFIG_ENCODING_UTF8,
    CONFIG_ENCODING_UTF16, /* the byte order mark decides */
    CONFIG_ENCODING_UTF16LE,
    CONFIG_ENCODING_UTF16BE,
    CONFIG_ENCODING_LATIN1,
    CONFIG_ENCODING_ISO_8859_1, /* the same */
};

/* Whose field names and indices documents have. */
enum config_profile { CONFIG_PROFILE_DEFAULT, CONFIG_PROFILE_ISP };

/* Whether records that are JSON objects become documents of their members. CONFIG_JSON_PROFILE does
 * not occur in a loaded configuration: it became AUTO with the profile isp, else OFF. */
enum config_json {
    CONFIG_JSON_PROFILE,
    CONFIG_JSON_OFF,
    CONFIG_JSON_AUTO,
    CONFIG_JSON_ON,
};

/* What the lines of an input's files are. */
enum config_format {
    CONFIG_FORMAT_AUTO, /* each file's path and first line decide */
    CONFIG_FORMAT_RAW,
    CONFIG_FORMAT_CRI,
    CONFIG_FORMAT_DOCKER,
};

enum config_start { CONFIG_START_BEGINNING, CONFIG_START_END };
enum config_when_full { CONFIG_WHEN_FULL_BLOCK, CONFIG_WHEN_FULL_DROP_OLDEST };

enum config_verification {
    CONFIG_VERIFICATION_FULL,
    CONFIG_VERIFICATION_CERTIFICATE, /* the chain, not the name */
    CONFIG_VERIFICATION_NONE,
};

/* Versions of TLS; bits of config_elasticsearch.supported_protocols. */
enum config_tls { CONFIG_TLS_1_2 = 1 << 0, CONFIG_TLS_1_3 = 1 << 1 };

/* Where a document's id comes from. */
enum config_ids {
    CONFIG_IDS_STRUCTURED, /* from its place in the file */
    CONFIG_IDS_AUTO,       /* the server makes it */
};

/* Values for the options that were not given themselves; applied by config_load. */
enum config_preset {
    CONFIG_PRESET_BALANCED,
    CONFIG_PRESET_THROUGHPUT,
    CONFIG_PRESET_SCALE,
    CONFIG_PRESET_LATENCY,
    CONFIG_PRESET_CUSTOM, /* the defaults */
};

/* The one active output. */
enum config_output {
    CONFIG_OUTPUT_ELASTICSEARCH,
    CONFIG_OUTPUT_FILE,
    CONFIG_OUTPUT_CONSOLE,
    CONFIG_OUTPUT_DISCARD,
    CONFIG_OUTPUT_NONE, /* ELASTICSEARCH_ENABLED is false: nothing is read */
};

/* CONFIG_COMPRESSION_AUTO does not occur in a loaded configuration: it became GZIP, or NONE when
 * every host is on this machine. */
enum config_compression {
    CONFIG_COMPRESSION_AUTO,
    CONFIG_COMPRESSION_NONE,
    CONFIG_COMPRESSION_GZIP,
};

/* Whether compressed files that match are read. */
enum config_input_compression {
    CONFIG_INPUT_COMPRESSION_NONE,
    CONFIG_INPUT_COMPRESSION_AUTO,
};

struct config_input {
    char *id;                         /* unique, never empty: "input-N" (from 1) if not given */
    struct config_list paths;         /* globs, at least one, relative ones to the cwd */
    struct config_list exclude_files; /* globs */
    char *olddir;                     /* "" = rotated files stay beside */
    char *dataset;                    /* fit for the name of a data stream */
    struct config_map fields;         /* names may have dots: "a.b" is b in object a */
    struct config_list tags;
    bool symlinks;
    struct config_list symlink_roots;
    enum config_start start_at;
    int64_t ignore_older_ms; /* 0 = off */
    enum config_encoding encoding;
    enum config_format format;
    enum config_json json;
    uint64_t partial_max_bytes;
    int64_t partial_timeout_ms;
    uint64_t max_bytes;
    int64_t line_flush_timeout_ms; /* 0 = off */
    enum config_input_compression compression;
    uint64_t close_deleted_max_bytes;
    int64_t close_deleted_max_age_ms;
};

struct config_metrics {
    bool enabled;
    int64_t period_ms;
    int64_t set_period_ms[CONFIG_SETS];
    unsigned sets;
};

/* At most one way to log in is given: user and password, API key, bearer or service token; each as
 * a text or as a file. */
struct config_elasticsearch {
    bool enabled;
    struct config_list hosts; /* scheme://host:port[/path], no slash at the end; at least one */
    char *path;               /* "" or "/prefix"; in hosts already */
    char *username;           /* or username_file, or neither and no password */
    char *username_file;
    char *password; /* secret */
    char *password_file;
    char *api_key; /* secret; base64, as the ApiKey header takes it */
    char *api_key_file;
    char *bearer_token; /* secret */
    char *bearer_token_file;
    char *service_token; /* secret */
    char *service_token_file;
    struct config_map headers; /* sent with each request; values are secret */
    char *proxy_url;           /* http://, https:// or socks5://host:port, "" = none */
    char *proxy_username;
    char *proxy_password;                       /* secret */
    struct config_list certificate_authorities; /* paths */
    char *ca_trusted_fingerprint;               /* 64 hex digits in lower case, or "" */
    char *certificate;                          /* path; "" or given together with key */
    char *key;                                  /* path */
    char *key_passphrase;                       /* secret */
    enum config_verification verification_mode;
    unsigned supported_protocols;        /* enum config_tls, not 0 */
    enum config_compression compression; /* NONE or GZIP */
    unsigned compression_level;
    enum config_preset preset;
    int64_t linger_ms;
    uint64_t bulk_max_bytes;
    unsigned bulk_max_size; /* documents; 0 = no limit */
    unsigned workers;
    int64_t backoff_init_ms; /* <= backoff_max_ms */
    int64_t backoff_max_ms;
    int64_t connect_timeout_ms;
    int64_t timeout_ms;            /* of a whole exchange; 0 = none */
    int64_t connection_max_age_ms; /* 0 = no limit */
    enum config_ids ids;
    bool verify_before_resend;
    char *index;    /* "" = data streams by dataset */
    char *pipeline; /* "" = the index's own */
};

/* NDJSON into files that are rotated by size. */
struct config_file_output {
    bool enabled;
    char *path;     /* directory; not empty when this output is active */
    char *filename; /* never empty, no slash */
    unsigned rotate_every_kb;
    unsigned number_of_files;
};

struct config_console_output {
    bool enabled;
};

struct config_discard_output {
    bool enabled;
};

/* The indices of the profile isp: a prefix, a dash and the day. */
struct config_isp {
    char *log_prefix;
    char *metric_prefix;
    char *date_format; /* of a day: letters of Java, or %Y of strftime */
};

struct config_cloud { /* both are "" in a loaded configuration: they became hosts and login */
    char *id;
    char *auth; /* secret */
};

struct config_dead_letter {
    char *path; /* never empty */
    uint64_t max_bytes;
    enum config_when_full when_full;
};

struct config_spool { /* of metrics */
    bool enabled;
    char *path; /* never empty */
    uint64_t max_bytes;
};

/* What `wherry setup` makes. Ages 0 = never, in order: warm <= cold <= delete. */
struct config_setup {
    unsigned shards, replicas;
    bool lifecycle;
    int64_t rollover_age_ms;
    uint64_t rollover_bytes; /* 0 = of any size */
    int64_t warm_after_ms;
    int64_t cold_after_ms;
    int64_t delete_after_ms;
};

/* Where the registry lies while the agent runs: in path.data, or in memory with a copy there. */
enum config_state { CONFIG_STATE_DURABLE, CONFIG_STATE_VOLATILE };

struct config {
    char *path_data;
    enum config_state state;
    char *path_volatile;
    int64_t state_save_interval_ms;
    char *path_hostfs; /* "" = the root directory; else absolute, no slash at the end */
    enum config_profile profile;
    struct config_isp isp;
    char *namespace;   /* fit for the name of a data stream */
    unsigned metadata; /* enum config_metadata */
    int64_t shutdown_timeout_ms;
    enum log_level log_level;
    struct config_input *inputs; /* those of the main file, then of inputs.d in name order */
    size_t input_count;
    struct config_metrics metrics;
    enum config_output output; /* the one whose `enabled` is true; or NONE */
    struct config_elasticsearch elasticsearch;
    struct config_file_output file;
    struct config_console_output console;
    struct config_discard_output discard;
    struct config_cloud cloud;
    struct config_dead_letter dead_letter;
    struct config_spool spool;
    struct config_setup setup;
};

struct config_source {
    const char *path;   /* main file; `inputs.d` in its directory is read too */
    struct slice bytes; /* ptr not NULL: parsed in place of the file, path is only its name, and
                           there is no inputs.d */
    expand_getenv_fn getenv_fn;   /* NULL: no environment */
    void *ctx;                    /* for getenv_fn */
    const char *const *overrides; /* "key=value", from -E */
    size_t override_count;
};

/*
 * Reads, checks and completes a configuration. 0, or -EINVAL with everything that is wrong, over
 * all sources, appended to *errors in the order of the files' lines. *ret is set only on success;
 * free it with config_free.
 *
 * -E: "inputs[0].dataset=x" reaches into a list, counted over all files; the next free index adds
 * an input. Lists take "[a, b]", maps "{a: b}". Variables are not expanded in them.
 * A file that everyone can read and that spells out a secret is refused, and so is a secret in -E.
 */
int config_load(const struct config_source *src, struct config **ret,
                struct config_errors *errors) MUST_CHECK;

/* Whether any option holds a secret or names a file with one. */
bool config_has_secret(const struct config *c);

/* Wipes the secrets. NULL is allowed; sets *c to NULL. */
void config_free(struct config **c);

/* Key of the first option that differs and that a reload cannot take over, static; NULL = none. */
const char *config_fixed_change(const struct config *before, const struct config *after);

/* Appends the whole configuration, defaults too, as YAML in the form of a main file. Secrets are
 * shown as "<hidden>". */
int config_dump(const struct config *c, struct buf *out) MUST_CHECK;

/* Append etc/wherry.yml and docs/options.md, made from the option table. */
int config_write_sample(struct buf *out) MUST_CHECK;
int config_write_reference(struct buf *out) MUST_CHECK;

#endif
