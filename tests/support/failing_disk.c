/* Preloaded, it lets calls on log files fail as a broken disk does, while a byte of a shared file says so. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile char *fault;

__attribute__((constructor)) static void start(void) {
    int file = open(getenv("FAILING_DISK"), O_RDONLY);
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) abort();
    fault = page;
}

static int fails(int descriptor, const char *faults) {
    char link[64], path[4096];
    if (*fault == '-' || strchr(faults, *fault) == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path);
    if (length < 4 || memcmp(path + length - 4, ".log", 4) != 0) return 0;
    errno = EIO;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* w: no write. t: none, and nothing can be cut. p: a part of it is written, then no more. */
static ssize_t write_all(int descriptor, const struct iovec *parts, int count, off_t at) {
    if (*fault == 'p' && fails(descriptor, "p")) {
        size_t half = parts[0].iov_len / 2 + (count > 1 ? parts[1].iov_len / 2 : 0);
        if (half < 6) return -1;
        struct iovec some[2] = {{parts[0].iov_base, parts[0].iov_len / 2}, {NULL, 0}};
        if (count > 1) {
            some[0].iov_len = parts[0].iov_len;
            some[1] = (struct iovec){parts[1].iov_base, parts[1].iov_len / 2};
        }
        return REAL(pwritev)(descriptor, some, count > 1 ? 2 : 1, at);
    }
    return fails(descriptor, "wt") ? -1 : REAL(pwritev)(descriptor, parts, count, at);
}

/* Python calls the one of these that its libc had when it was built. */
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t at) {
    return write_all(descriptor, parts, count, at);
}
ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t at) {
    return write_all(descriptor, parts, count, at);
}
ssize_t pwritev2(int descriptor, const struct iovec *parts, int count, off_t at, int flags) {
    return flags ? (errno = EOPNOTSUPP, -1) : write_all(descriptor, parts, count, at);
}
ssize_t pwritev64v2(int descriptor, const struct iovec *parts, int count, off64_t at, int flags) {
    return flags ? (errno = EOPNOTSUPP, -1) : write_all(descriptor, parts, count, at);
}
ssize_t pwrite(int descriptor, const void *data, size_t size, off_t at) {
    return fails(descriptor, "wtp") ? -1 : REAL(pwrite)(descriptor, data, size, at);
}
ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t at) {
    return fails(descriptor, "wtp") ? -1 : REAL(pwrite)(descriptor, data, size, at);
}
ssize_t pread(int descriptor, void *data, size_t size, off_t at) {
    return fails(descriptor, "r") ? -1 : REAL(pread)(descriptor, data, size, at);
}
ssize_t pread64(int descriptor, void *data, size_t size, off64_t at) {
    return fails(descriptor, "r") ? -1 : REAL(pread)(descriptor, data, size, at);
}
int ftruncate(int descriptor, off_t size) {
    return fails(descriptor, "t") ? -1 : REAL(ftruncate)(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) {
    return fails(descriptor, "t") ? -1 : REAL(ftruncate)(descriptor, size);
}
int fdatasync(int descriptor) { return fails(descriptor, "s") ? -1 : REAL(fdatasync)(descriptor); }
int fsync(int descriptor) { return fails(descriptor, "s") ? -1 : REAL(fsync)(descriptor); }
