#ifndef ASSETS_PUT_H
#define ASSETS_PUT_H

/* Members of JSON objects, as bodies are written. */
#include <stdbool.h>
#include <stdint.h>

#include "base/json_write.h"

/* All of the object that is open; failures stick in the writer. */
static inline void put_object(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_object(w);
}

static inline void put_array(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_array(w);
}

static inline void put_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_cstring(w, text);
}

static inline void put_long(struct json_writer *w, const char *key, uint64_t v)
{
    json_key(w, key);
    json_u64(w, v);
}

static inline void put_bool(struct json_writer *w, const char *key, bool v)
{
    json_key(w, key);
    json_bool(w, v);
}

#endif
