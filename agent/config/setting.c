/*
 * config/setting - the ordered list of settings
 *
 * Plain storage; texts may be secrets and are wiped before they are freed. The number and size of
 * settings is bounded by who fills the list (config/yaml). Cannot fail.
 */
#include "config/setting.h"

#include <string.h>

#include "base/mem.h"

/* grows by doubling */
struct setting *settings_add(struct settings *s, enum setting_kind kind, struct slice key)
{
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 32 : 2 * s->cap;
        s->v = mem_resize(s->v, s->cap * sizeof(*s->v));
    }
    struct setting *one = &s->v[s->n++];
    *one = (struct setting){.kind = kind, .key = mem_strndup(key.ptr, key.len), .span = 1};
    return one;
}

/* copies the text */
void setting_set_text(struct setting *s, struct slice text)
{
    s->kind = SETTING_TEXT;
    s->text = mem_strndup(text.ptr, text.len);
    s->text_len = text.len;
}

/* the text as a slice */
struct slice setting_text(const struct setting *s)
{
    return slice_of(s->text, s->text_len);
}

/* wipes and frees */
void settings_clear(struct settings *s)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].text != NULL)
            explicit_bzero(s->v[i].text, s->v[i].text_len);
        mem_free(s->v[i].text);
        mem_free(s->v[i].key);
    }
    mem_free(s->v);
    *s = (struct settings){0};
}
