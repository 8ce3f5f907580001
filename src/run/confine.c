/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU confined by Landlock (Linux Documentation/userspace-api/landlock.rst): it reads and executes programs and
 * libraries of the system, opens again the descriptors it inherits, and that is all. No file can be made or written,
 * no file of the user's read, no network be reached, no process outside be signalled. By system call, as C libraries
 * have no function for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

/* The same number on every architecture. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* Linux include/uapi/linux/landlock.h; our own names, as the header may be older than the kernel. */
#define ABI_QUERY      1u
#define RULE_BENEATH   1
#define FS_EXECUTE     (1ull << 0)
#define FS_WRITE_FILE  (1ull << 1)
#define FS_READ_FILE   (1ull << 2)
#define FS_READ_DIR    (1ull << 3)
#define FS_ALL_1       ((1ull << 13) - 1)
#define FS_REFER_2     (1ull << 13)
#define FS_TRUNCATE_3  (1ull << 14)
#define NET_ALL_4      3ull /* bind and connect, TCP */
#define FS_IOCTL_DEV_5 (1ull << 15)
#define SCOPE_ALL_6    3ull /* abstract sockets, signals */

struct ruleset {
	uint64_t fs, net, scoped;
};

struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static const struct {
	const char *path;
	uint64_t allowed;
} system_paths[] = {
	{"/usr", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/bin", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/lib", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/lib32", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/lib64", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/opt", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/nix/store", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/gnu/store", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/etc/ld.so.cache", FS_READ_FILE},
	{"/etc/ld.so.preload", FS_READ_FILE},
	{"/etc/localtime", FS_READ_FILE},
	{"/etc/alternatives", FS_EXECUTE | FS_READ_FILE | FS_READ_DIR},
	{"/etc/crypto-policies", FS_READ_FILE | FS_READ_DIR},
	{"/etc/gnutls", FS_READ_FILE | FS_READ_DIR},
	{"/etc/ssl/openssl.cnf", FS_READ_FILE},
	{"/sys/devices/system", FS_READ_FILE | FS_READ_DIR},
	{"/sys/kernel/mm", FS_READ_FILE | FS_READ_DIR},
	{"/dev/null", FS_READ_FILE | FS_WRITE_FILE},
	{"/dev/zero", FS_READ_FILE},
	{"/dev/random", FS_READ_FILE},
	{"/dev/urandom", FS_READ_FILE},
};

/* What is not there needs no rule. A rule for a file must not speak of directories. */
static void allow(int ruleset, const char *path, uint64_t allowed)
{
	struct beneath rule = {.allowed = allowed, .fd = open(path, O_PATH | O_CLOEXEC)};
	struct stat info;

	if (rule.fd < 0) {
		return;
	}
	if (fstat(rule.fd, &info) == 0) {
		if (!S_ISDIR(info.st_mode)) {
			rule.allowed &= ~FS_READ_DIR;
		}
		syscall(SYS_landlock_add_rule, ruleset, RULE_BENEATH, &rule, 0);
	}
	close(rule.fd);
}

/* `program` as execvp() finds it; free() it. */
static char *find_program(const char *program)
{
	const char *at = getenv("PATH");

	if (strchr(program, '/') != NULL) {
		return run_format("%s", program);
	}
	while (at != NULL && *at != '\0') {
		const size_t length = strcspn(at, ":");
		char *path = length == 0 ? run_format("./%s", program)
					 : run_format("%.*s/%s", (int)length, at, program);

		if (access(path, X_OK) == 0) {
			return path;
		}
		free(path);
		at += length + (at[length] == ':');
	}
	return NULL;
}

/* QEMU need not be the system's: itself, and what stands around a program in a tree of its own. */
static void allow_program(int ruleset, const char *program)
{
	static const char *const around[] = {"lib", "lib64", "libexec", "share"};
	char *found = find_program(program);
	char *real = found == NULL ? NULL : realpath(found, NULL);
	char *slash = real == NULL ? NULL : strrchr(real, '/');

	if (slash != NULL && slash != real) {
		*slash = '\0';
		allow(ruleset, real, FS_EXECUTE | FS_READ_FILE | FS_READ_DIR);
		for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
			char *path = run_format("%s/../%s", real, around[i]);

			allow(ruleset, path, FS_EXECUTE | FS_READ_FILE | FS_READ_DIR);
			free(path);
		}
	}
	free(real);
	free(found);
}

int run_confine_open(const char *program)
{
	const char *given = getenv("HVCGATE_CONFINE");
	struct ruleset handled = {.fs = FS_ALL_1};
	long abi;
	int ruleset;

	if (given != NULL && strcmp(given, "off") == 0) {
		return -1;
	}
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ABI_QUERY);
	if (abi < 1) {
		return -1;
	}
	handled.fs |= (abi >= 2 ? FS_REFER_2 : 0) | (abi >= 3 ? FS_TRUNCATE_3 : 0) |
		      (abi >= 5 ? FS_IOCTL_DEV_5 : 0);
	handled.net = abi >= 4 ? NET_ALL_4 : 0;
	handled.scoped = abi >= 6 ? SCOPE_ALL_6 : 0;
	/* A kernel that knows less than this structure wants the rest to be 0, and it is. */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (ruleset < 0) {
		return -1;
	}
	for (size_t i = 0; i < sizeof(system_paths) / sizeof(system_paths[0]); i++) {
		allow(ruleset, system_paths[i].path, system_paths[i].allowed);
	}
	allow_program(ruleset, program);
	return ruleset;
}

bool run_confine_enter(int ruleset)
{
	return ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}
