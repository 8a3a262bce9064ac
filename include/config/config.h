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

/* Constant parts of a document; bits of config.metadata. */
enum config_metadata {
    CONFIG_METADATA_DATASET = 1 << 0,
    CONFIG_METADATA_HOST = 1 << 1,
    CONFIG_METADATA_AGENT = 1 << 2,
    CONFIG_METADATA_ECS = 1 << 3,
    CONFIG_METADATA_OFFSET = 1 << 4,
    CONFIG_METADATA_INPUT = 1 << 5,
};

/* Metric sets; bits of config_metrics.sets. */
enum config_metric_set {
    CONFIG_METRICS_CPU = 1 << 0,
    CONFIG_METRICS_LOAD = 1 << 1,
    CONFIG_METRICS_MEMORY = 1 << 2,
    CONFIG_METRICS_NETWORK = 1 << 3,
};

enum config_start { CONFIG_START_BEGINNING, CONFIG_START_END };
enum config_verification { CONFIG_VERIFICATION_FULL, CONFIG_VERIFICATION_NONE };
enum config_when_full { CONFIG_WHEN_FULL_BLOCK };

/* CONFIG_COMPRESSION_AUTO does not occur in a loaded configuration: it became GZIP, or NONE when
 * every host is on this machine. */
enum config_compression {
    CONFIG_COMPRESSION_AUTO,
    CONFIG_COMPRESSION_NONE,
    CONFIG_COMPRESSION_GZIP,
};

struct config_input {
    char *id;                         /* unique, never empty: "input-N" (from 1) if not given */
    struct config_list paths;         /* globs, at least one, relative ones to the cwd */
    struct config_list exclude_files; /* globs */
    char *dataset;                    /* fit for the name of a data stream */
    struct config_map fields;         /* names may have dots: "a.b" is b in object a */
    struct config_list tags;
    enum config_start start_at;
    int64_t ignore_older_ms; /* 0 = off */
    uint64_t max_bytes;
    int64_t line_flush_timeout_ms; /* 0 = off */
    uint64_t close_deleted_max_bytes;
    int64_t close_deleted_max_age_ms;
};

struct config_metrics {
    bool enabled;
    int64_t period_ms;
    unsigned sets; /* enum config_metric_set */
};

struct config_elasticsearch {
    struct config_list hosts; /* scheme://host:port[/path], no slash at the end; at least one */
    char *username;           /* "" or given together with password */
    char *password;           /* secret */
    char *api_key;            /* secret; base64, as the ApiKey header takes it; not with username */
    struct config_list certificate_authorities; /* at most one path */
    enum config_verification verification_mode;
    enum config_compression compression; /* NONE or GZIP */
    int64_t linger_ms;
    uint64_t bulk_max_bytes;
    unsigned bulk_max_size; /* documents; 0 = no limit */
    unsigned workers;
    int64_t backoff_init_ms; /* <= backoff_max_ms */
    int64_t backoff_max_ms;
};

struct config_dead_letter {
    char *path; /* never empty */
    uint64_t max_bytes;
    enum config_when_full when_full;
};

struct config {
    char *path_data;
    char *path_hostfs; /* "" = the root directory; else absolute, no slash at the end */
    char *namespace;   /* fit for the name of a data stream */
    unsigned metadata; /* enum config_metadata */
    int64_t shutdown_timeout_ms;
    enum log_level log_level;
    struct config_input *inputs; /* those of the main file, then of inputs.d in name order */
    size_t input_count;
    struct config_metrics metrics;
    struct config_elasticsearch elasticsearch;
    struct config_dead_letter dead_letter;
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
 * A file that everyone can read and that spells out a secret is refused.
 */
int config_load(const struct config_source *src, struct config **ret,
                struct config_errors *errors) MUST_CHECK;

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
