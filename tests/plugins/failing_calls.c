/* Preloaded into a process: fails the call of the number FAIL_CALL, counted over all calls that a save makes, with EIO, and tells its
 * name in FAIL_LOG. Calls count once FAIL_CALL is set in the environment of the process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long count;
static long chosen = -1;
static char last[32];

/* Called by the test: -1 lets all calls through. Returns how many there were since the last time. */
long failing_calls_choose(long number)
{
    long before = count;
    count = 0;
    chosen = number;
    last[0] = 0;
    return before;
}

/* The name of the call that failed; empty if none did. */
const char *failing_calls_last(void)
{
    return last;
}

static int hit(const char *name)
{
    if (chosen < -1)
        return 0;
    if (count++ != chosen)
        return 0;
    snprintf(last, sizeof last, "%s", name);
    errno = EIO;
    return 1;
}

#define REAL(type, name, ...)                                  \
    static type (*real)(__VA_ARGS__);                          \
    if (real == NULL)                                          \
        *(void **)&real = dlsym(RTLD_NEXT, name);

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset)
{
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)
    return hit("pwrite") ? -1 : real(file, bytes, length, offset);
}

int fsync(int file)
{
    REAL(int, "fsync", int)
    return hit("fsync") ? -1 : real(file);
}

int rename(const char *from, const char *to)
{
    REAL(int, "rename", const char *, const char *)
    return hit("rename") ? -1 : real(from, to);
}

int ftruncate64(int file, off64_t length)
{
    REAL(int, "ftruncate64", int, off64_t)
    return hit("ftruncate") ? -1 : real(file, length);
}

int fchmod(int file, mode_t mode)
{
    REAL(int, "fchmod", int, mode_t)
    return hit("fchmod") ? -1 : real(file, mode);
}

int fchown(int file, uid_t user, gid_t group)
{
    REAL(int, "fchown", int, uid_t, gid_t)
    return hit("fchown") ? -1 : real(file, user, group);
}

int open64(const char *path, int flags, ...)
{
    REAL(int, "open64", const char *, int, ...)
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return hit("open") ? -1 : real(path, flags, mode);
}
