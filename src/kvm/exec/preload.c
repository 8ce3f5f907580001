/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libhvcgate-exec.so: what takes the place of libc's functions in the VMM's process, and what is done before its main().
 * If something is wrong the process ends here, with status 126.
 */
#define _GNU_SOURCE
/* With it <fcntl.h> would call fcntl() fcntl64(), and we define both. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interpose.h"

#define EXPORT __attribute__((visibility("default")))

extern char **environ;

/* Descriptors of the environment, in its order. */
enum { SHARED, PLAN, REQUESTS, ATTENTION, LINES };
static int lines[LINES] = {-1, -1, -1, -1};
static char library[4096]; /* our own path, as in LD_PRELOAD */

/* --- What comes behind us. Before the constructor has run, the kernel. */

static int first_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

static int first_close(int fd)
{
	return (int)syscall(SYS_close, fd);
}

static int first_fcntl(int fd, int command, ...)
{
	va_list list;
	void *argument;

	va_start(list, command);
	argument = va_arg(list, void *);
	va_end(list);
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

static int first_dup3(int from, int to, int flags)
{
	return (int)syscall(SYS_dup3, from, to, flags);
}

static struct {
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*close)(int fd);
	int (*fcntl)(int fd, int command, ...);
	int (*dup3)(int from, int to, int flags);
} behind = {first_ioctl, first_close, first_fcntl, first_dup3};
static _Atomic bool ready;

static int next_ioctl(int fd, unsigned long request, void *argument)
{
	return behind.ioctl(fd, request, argument);
}

static int raw_ioctl(int fd, unsigned long request, void *argument, const uint64_t cookie[3])
{
	const long value = syscall(SYS_ioctl, fd, request, argument, cookie[0], cookie[1],
				   cookie[2]);

	/* It does not stay in registers, where another system call by other means would show it. */
#ifdef __aarch64__
	__asm__ volatile("mov x3, xzr\n\tmov x4, xzr\n\tmov x5, xzr" ::: "x3", "x4", "x5");
#else
	__asm__ volatile("xor %%r10d, %%r10d\n\txor %%r8d, %%r8d\n\txor %%r9d, %%r9d" ::
				 : "r8", "r9", "r10", "cc");
#endif
	return (int)value;
}

static int next_close(int fd)
{
	return behind.close(fd);
}

/* --- In libc's place. */

EXPORT int ioctl(int fd, unsigned long request, ...);
EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	return atomic_load_explicit(&ready, memory_order_acquire)
		       ? interpose_ioctl(fd, request, argument)
		       : behind.ioctl(fd, request, argument);
}

EXPORT int close(int fd)
{
	/* A VMM that closes all that it does not know does not mean these. */
	if (fd >= 0 && (fd == lines[REQUESTS] || fd == lines[ATTENTION])) {
		return 0;
	}
	interpose_closing(fd);
	return behind.close(fd);
}

/* A duplicate, or -1. */
static int duplicated(int from, int to)
{
	if (to >= 0) {
		interpose_duplicated(from, to);
	}
	return to;
}

EXPORT int dup(int fd)
{
	return duplicated(fd, behind.fcntl(fd, F_DUPFD, (void *)0));
}

EXPORT int dup2(int from, int to)
{
	if (from == to) {
		return behind.fcntl(from, F_GETFD, (void *)0) < 0 ? -1 : to;
	}
	return duplicated(from, behind.dup3(from, to, 0));
}

EXPORT int dup3(int from, int to, int flags)
{
	return duplicated(from, behind.dup3(from, to, flags));
}

static int any_fcntl(int fd, int command, void *argument)
{
	const int value = behind.fcntl(fd, command, argument);

	return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? duplicated(fd, value) : value;
}

EXPORT int fcntl(int fd, int command, ...)
{
	va_list list;
	void *argument;

	va_start(list, command);
	argument = va_arg(list, void *);
	va_end(list);
	return any_fcntl(fd, command, argument);
}

/* What fcntl() is called where files have 64-bit offsets. */
EXPORT int fcntl64(int fd, int command, ...);
EXPORT int fcntl64(int fd, int command, ...)
{
	va_list list;
	void *argument;

	va_start(list, command);
	argument = va_arg(list, void *);
	va_end(list);
	return any_fcntl(fd, command, argument);
}

/* --- The environment. */

static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format, ...)
{
	va_list list;

	dprintf(STDERR_FILENO, "hvcgate: " EXEC_LIBRARY ": ");
	va_start(list, format);
	vdprintf(STDERR_FILENO, format, list);
	va_end(list);
	dprintf(STDERR_FILENO, "\n");
	_exit(126);
}

static char *variable(const char *name)
{
	const size_t length = strlen(name);

	for (char **at = environ; at != NULL && *at != NULL; at++) {
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=') {
			return *at + length + 1;
		}
	}
	return NULL;
}

/* In place: another thread may be reading, and nothing may move under it. */
static void forget_preload(char *list)
{
	const size_t length = strlen(library);

	while (list != NULL && *list != '\0') {
		const size_t word = strcspn(list, " :");

		if (word == length && length > 0 && strncmp(list, library, word) == 0) {
			const char *rest = list + word + (list[word] != '\0');

			memmove(list, rest, strlen(rest) + 1);
		} else {
			list += word + (list[word] != '\0');
		}
	}
}

/* This process is the VMM. What it starts from now on is not. */
static void settled(void)
{
	char *ours = variable(EXEC_ENVIRONMENT);

	if (ours != NULL) {
		*ours = '\0';
	}
	forget_preload(variable("LD_PRELOAD"));
	behind.close(lines[SHARED]);
	behind.close(lines[PLAN]);
	behind.fcntl(lines[REQUESTS], F_SETFD, (void *)FD_CLOEXEC);
	behind.fcntl(lines[ATTENTION], F_SETFD, (void *)FD_CLOEXEC);
	lines[SHARED] = lines[PLAN] = -1;
}

static void read_lines(void)
{
	const char *at = getenv(EXEC_ENVIRONMENT);
	char *end = NULL;

	if (at == NULL) {
		give_up("is for hvcgate exec, which sets " EXEC_ENVIRONMENT
			"; take it out of LD_PRELOAD");
	}
	for (unsigned int i = 0; i < LINES; i++) {
		const long fd = strtol(at, &end, 10);

		if (end == at || fd < 0 || fd > INT32_MAX || *end != (i + 1 < LINES ? ',' : '\0')) {
			give_up("%s=%s is damaged", EXEC_ENVIRONMENT, getenv(EXEC_ENVIRONMENT));
		}
		lines[i] = (int)fd;
		at = end + 1;
	}
}

static void *map(unsigned int line, int protection, int flags, size_t *size)
{
	struct stat status;
	void *memory = MAP_FAILED;

	if (fstat(lines[line], &status) == 0 && status.st_size > 0) {
		*size = (size_t)status.st_size;
		memory = mmap(NULL, *size, protection, flags, lines[line], 0);
	}
	if (memory == MAP_FAILED) {
		give_up("descriptor %d is not what hvcgate exec opened (%s): a wrapper has closed it",
			lines[line], strerror(errno));
	}
	return memory;
}

static struct exec_shared *map_shared(void)
{
	size_t size;
	struct exec_shared *shared = map(SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, &size);

	if (size != sizeof(*shared) || shared->magic != EXEC_MAGIC ||
	    shared->version != EXEC_VERSION || shared->size != size ||
	    shared->functions != HVC_FN_COUNT) {
		give_up("is of another build than hvcgate exec: install both of one version");
	}
	return shared;
}

static void find_behind(void)
{
	Dl_info self;

	if (dladdr((const void *)&lines, &self) != 0 && self.dli_fname != NULL) {
		snprintf(library, sizeof(library), "%s", self.dli_fname);
	}
	*(void **)&behind.ioctl = dlsym(RTLD_NEXT, "ioctl");
	*(void **)&behind.close = dlsym(RTLD_NEXT, "close");
	*(void **)&behind.fcntl = dlsym(RTLD_NEXT, "fcntl64");
	*(void **)&behind.dup3 = dlsym(RTLD_NEXT, "dup3");
	if (behind.ioctl == NULL || behind.close == NULL || behind.fcntl == NULL ||
	    behind.dup3 == NULL) {
		give_up("this is not the libc that it was built for");
	}
}

static void __attribute__((constructor)) load(void)
{
	static const struct interpose_system system = {
		.next = next_ioctl, .raw = raw_ioctl, .close = next_close, .settled = settled};
	const int error = errno;
	struct exec_shared *shared;
	char why[512] = "";
	size_t size = 0;
	void *plan;

	find_behind();
	read_lines();
	shared = map_shared();
	plan = map(PLAN, PROT_READ, MAP_PRIVATE, &size);
	if (!interpose_start(&system, shared, plan, size, lines[REQUESTS], lines[ATTENTION], why,
			     sizeof(why))) {
		give_up("%s", why);
	}
	atomic_store_explicit(&ready, true, memory_order_release);
	errno = error;
}

static void __attribute__((destructor)) unload(void)
{
	if (atomic_load_explicit(&ready, memory_order_acquire)) {
		interpose_end();
	}
}
