/*
 * config/config_files - reads the main file and inputs.d
 *
 * A file is opened once; its mode comes from that descriptor, so what is checked is what is read.
 * Symbolic links are followed (a mounted ConfigMap is one). A file that cannot be read is an error
 * with what to do about it; the other files are read all the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config_internal.h"
#include "config/yaml.h"
#include "os/fs.h"

/* reads the open file whole */
static int read_fd(int fd, struct buf *out, mode_t *ret_mode)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    int error = buf_reserve(out, CONFIG_FILE_MAX + 1);
    if (error != 0)
        return error;
    ssize_t n = fs_read_at(fs_system(), fd, out->ptr, CONFIG_FILE_MAX + 1, 0);
    if (n < 0)
        return (int)n;
    out->len = (size_t)n;
    if (out->len > CONFIG_FILE_MAX)
        return -EFBIG;
    *ret_mode = st.st_mode;
    return 0;
}

/* opens and reads the file at path */
static int read_file(const char *path, struct buf *out, mode_t *ret_mode)
{
    struct fs_identity id;
    int fd = fs_open_regular(AT_FDCWD, path, true, &id);
    if (fd < 0)
        return fd;
    int error = read_fd(fd, out, ret_mode);
    close(fd);
    return error;
}

/* reports why a file or directory cannot be read, and what helps */
static void report_unreadable(struct config_loader *l, const char *path, int error, bool is_main)
{
    const struct config_place at = {.file = path};
    const char *help = "";
    if (error == -ENOENT && is_main)
        help = "; name the configuration with -c FILE";
    else if (error == -EACCES)
        help = "; run as its owner, or let the group of wherry read it (chmod 640)";
    else if (error == -EISDIR && is_main)
        help = "; name a file with -c FILE";
    l->incomplete = true;
    if (error == -EFBIG)
        config_errors_add(l->errors, &at, "cannot be read: larger than %zu bytes", CONFIG_FILE_MAX);
    else if (error == -ENXIO)
        config_errors_add(l->errors, &at, "cannot be read: not a regular file");
    else
        config_errors_add(l->errors, &at, "cannot be read: %s%s", strerror(-error), help);
}

/* applies the settings of one text */
static void apply_bytes(struct config_loader *l, struct slice bytes, const char *name,
                        bool only_inputs)
{
    struct settings list = {0};
    const struct yaml_opts opts = {
        .file = config_keep_name(l, "", name),
        .root = "",
        .list_root = only_inputs ? "inputs" : NULL,
        .getenv_fn = l->src->getenv_fn,
        .ctx = l->src->ctx,
    };
    if (yaml_read(bytes, &opts, &list, l->errors) != 0)
        l->incomplete = true;
    l->origin = CONFIG_ORIGIN_FILE;
    l->input_base = l->cfg->input_count;
    l->only_inputs = only_inputs;
    config_apply_settings(l, &list);
    settings_clear(&list);
}

/* reads and applies one file; its text may hold secrets and is wiped */
static void apply_file(struct config_loader *l, const char *path, bool only_inputs)
{
    struct buf text;
    buf_init(&text, CONFIG_FILE_MAX + 1);
    int error = read_file(path, &text, &l->mode);
    if (error == 0)
        apply_bytes(l, buf_slice(&text), path, only_inputs);
    else
        report_unreadable(l, path, error, !only_inputs);
    if (text.ptr != NULL)
        explicit_bzero(text.ptr, text.len);
    buf_clear(&text);
}

/* for qsort: byte order */
static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* whether a directory's entry is a file of inputs */
static bool is_input_file(const char *name)
{
    return name[0] != '.' && slice_ends(slice_str(name), SLICE_LIT(".yml"));
}

/* the names of input files in an open directory, sorted; returns their number */
static size_t list_names(DIR *dir, char ***ret_names)
{
    char **names = mem_zalloc_array(CONFIG_INPUT_FILES_MAX + 1, sizeof(*names));
    size_t n = 0;
    for (const struct dirent *e; n <= CONFIG_INPUT_FILES_MAX && (e = readdir(dir)) != NULL;) {
        if (is_input_file(e->d_name))
            names[n++] = mem_strdup(e->d_name);
    }
    qsort(names, n, sizeof(*names), compare_names);
    *ret_names = names;
    return n;
}

/* reads the files of inputs.d; that there is none is fine */
static void apply_directory(struct config_loader *l, const char *path)
{
    const struct config_place at = {.file = path};
    DIR *dir = opendir(path);
    if (dir == NULL) {
        int error = errno;
        if (error != ENOENT)
            report_unreadable(l, path, -error, false);
        return;
    }
    char **names = NULL;
    size_t n = list_names(dir, &names);
    closedir(dir);
    if (n > CONFIG_INPUT_FILES_MAX)
        config_errors_add(l->errors, &at, "more than %d files", CONFIG_INPUT_FILES_MAX);
    for (size_t i = 0; i < n; i++) {
        struct buf file;
        buf_init(&file, 2 * 4096);
        if (n <= CONFIG_INPUT_FILES_MAX && buf_printf(&file, "%s/%s", path, names[i]) == 0)
            apply_file(l, buf_cstr(&file), true);
        buf_clear(&file);
        mem_free(names[i]);
    }
    mem_free(names);
}

/* the main file first, so that its inputs come first */
void config_read_files(struct config_loader *l)
{
    const struct config_source *src = l->src;
    if (src->bytes.ptr != NULL) {
        apply_bytes(l, src->bytes, src->path, false);
        return;
    }
    apply_file(l, src->path, false);
    struct slice path = slice_str(src->path);
    size_t slash = slice_rfind(path, '/');
    struct buf dir;
    buf_init(&dir, 4096);
    if (slash < path.len && buf_add(&dir, path.ptr, slash + 1) != 0)
        buf_reset(&dir);
    if (buf_add_str(&dir, "inputs.d") == 0)
        apply_directory(l, buf_cstr(&dir));
    buf_clear(&dir);
}
