// A disk that fails on demand, laid over the C library with LD_PRELOAD: while `no-space` exists in the folder named
// by FAILING_DISK_TRIGGERS, writes below FAILING_DISK_FOLDER find the disk full; while `no-sync` exists, syncs fail.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int triggered(const char *name) {
    const char *folder = getenv("FAILING_DISK_TRIGGERS");
    char path[PATH_MAX];
    if (!folder) return 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static int below(int file) {
    const char *folder = getenv("FAILING_DISK_FOLDER");
    char link[64], path[PATH_MAX];
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int fails(int file, const char *name, int error) {
    int before = errno;
    if (triggered(name) && below(file)) {
        errno = error;
        return 1;
    }
    errno = before;
    return 0;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int file, const void *bytes, size_t count) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return fails(file, "no-space", ENOSPC) ? -1 : real(file, bytes, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return fails(file, "no-space", ENOSPC) ? -1 : real(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return fails(file, "no-space", ENOSPC) ? -1 : real(file, bytes, count, at);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return fails(file, "no-space", ENOSPC) ? -1 : real(file, parts, count);
}

int ftruncate(int file, off_t length) {
    REAL(int, "ftruncate", int, off_t);
    return fails(file, "no-space", ENOSPC) ? -1 : real(file, length);
}

int ftruncate64(int file, off64_t length) {
    REAL(int, "ftruncate64", int, off64_t);
    return fails(file, "no-space", ENOSPC) ? -1 : real(file, length);
}

int fsync(int file) {
    REAL(int, "fsync", int);
    return fails(file, "no-sync", EIO) ? -1 : real(file);
}

int fdatasync(int file) {
    REAL(int, "fdatasync", int);
    return fails(file, "no-sync", EIO) ? -1 : real(file);
}
