/* A disk that fails, for programs that are started with this library in LD_PRELOAD.
 *
 * Reads or writes (FAULT_ON) of files below FAULT_FOLDER fail with FAULT_ERRNO once FAULT_AFTER bytes of them have
 * passed. Where that is EROFS, from then on nothing there can be made or changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *folder;
static int fault, on_write, failed;
static long long left;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
    folder = getenv("FAULT_FOLDER");
    fault = atoi(getenv("FAULT_ERRNO"));
    left = atoll(getenv("FAULT_AFTER"));
    on_write = !strcmp(getenv("FAULT_ON"), "write");
}

static int below(const char *path) {
    char absolute[2 * PATH_MAX];
    if (!folder || !path) return 0;
    if (*path != '/' && getcwd(absolute, PATH_MAX)) {
        snprintf(absolute + strlen(absolute), PATH_MAX, "/%s", path);
        path = absolute;
    }
    return !strncmp(path, folder, strlen(folder));
}

static int concerns(int descriptor) {
    char link[64], path[PATH_MAX];
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return below(path);
}

/* How many of so many bytes may pass; -1 with errno set where none may. */
static ssize_t allowed(int descriptor, size_t n, int is_write) {
    if (!n || is_write != on_write || !concerns(descriptor)) return (ssize_t)n;
    if (left <= 0) {
        failed = 1;
        errno = fault;
        return -1;
    }
    if ((long long)n > left) n = (size_t)left;
    left -= (long long)n;
    return (ssize_t)n;
}

ssize_t write(int d, const void *data, size_t n) {
    ssize_t may = allowed(d, n, 1);
    return may < 0 ? -1 : REAL(write)(d, data, (size_t)may);
}

ssize_t pwrite64(int d, const void *data, size_t n, off64_t at) {
    ssize_t may = allowed(d, n, 1);
    return may < 0 ? -1 : REAL(pwrite64)(d, data, (size_t)may, at);
}

ssize_t writev(int d, const struct iovec *pieces, int count) {
    return count && concerns(d) ? write(d, pieces->iov_base, pieces->iov_len) : REAL(writev)(d, pieces, count);
}

ssize_t read(int d, void *data, size_t n) {
    ssize_t may = allowed(d, n, 0);
    return may < 0 ? -1 : REAL(read)(d, data, (size_t)may);
}

ssize_t pread64(int d, void *data, size_t n, off64_t at) {
    ssize_t may = allowed(d, n, 0);
    return may < 0 ? -1 : REAL(pread64)(d, data, (size_t)may, at);
}

static int is_read_only(const char *path) {
    if (!failed || fault != EROFS || !below(path)) return 0;
    errno = EROFS;
    return 1;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;                                                      \
        va_end(more);                                                                                                  \
        return flags & (O_CREAT | O_WRONLY | O_RDWR) && is_read_only(path) ? -1 : REAL(name)(path, flags, mode);       \
    }
OPEN(open)
OPEN(open64)

int mkdir(const char *path, mode_t mode) { return is_read_only(path) ? -1 : REAL(mkdir)(path, mode); }
int unlink(const char *path) { return is_read_only(path) ? -1 : REAL(unlink)(path); }
int rmdir(const char *path) { return is_read_only(path) ? -1 : REAL(rmdir)(path); }
int rename(const char *from, const char *to) { return is_read_only(to) ? -1 : REAL(rename)(from, to); }
