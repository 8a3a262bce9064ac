/* rooms: base os config */
/*
 * The bytes are a configuration file. Whatever they are: load ends with a configuration or with
 * errors; a configuration's dump loads again and gives the same dump (as long as it is not larger
 * than a file may be: a dump spells out the defaults of every input).
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* two variables, one of them hostile */
static const char *fake_getenv(void *ctx, const char *name)
{
    (void)ctx;
    if (strcmp(name, "A") == 0)
        return "x: [y]\n- &z ${A}";
    return strcmp(name, "ELASTICSEARCH_HOSTS") == 0 ? "es1, es2:9200" : NULL;
}

/* stops the fuzzer when a promise is broken */
static void require(bool held)
{
    if (!held)
        abort();
}

/* loads, and checks what is promised of the result */
static struct config *load(struct slice bytes)
{
    const struct config_source src = {.path = "f", .bytes = bytes, .getenv_fn = fake_getenv};
    struct config_errors errors = {0};
    struct config *cfg = NULL;
    int error = config_load(&src, &cfg, &errors);
    require(error == 0 || error == -EINVAL);
    require((error == 0) == (cfg != NULL) && (error == 0) == (errors.n == 0));
    struct buf out;
    buf_init(&out, 8 * MIB);
    require(config_errors_write(&errors, &out) == 0);
    buf_clear(&out);
    config_errors_clear(&errors);
    return cfg;
}

/* dumps; secrets would not survive the second load, so they go first */
static void dump(struct config *cfg, struct buf *out)
{
    if (cfg->elasticsearch.api_key[0] != '\0')
        cfg->elasticsearch.api_key[0] = '\0';
    buf_init(out, 64 * MIB);
    require(config_dump(cfg, out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > CONFIG_FILE_MAX)
        return 0;
    struct config *cfg = load(slice_of(size == 0 ? "" : (const char *)data, size));
    if (cfg == NULL)
        return 0;
    struct buf first, second;
    dump(cfg, &first);
    bool small = cfg->input_count < 100 && size < 10000;
    config_free(&cfg);
    if (small) {
        cfg = load(buf_slice(&first));
        require(cfg != NULL);
        dump(cfg, &second);
        require(slice_eq(buf_slice(&first), buf_slice(&second)));
        buf_clear(&second);
        config_free(&cfg);
    }
    buf_clear(&first);
    return 0;
}
