/* SPDX-License-Identifier: BSD-2-Clause */
/* The launcher's parts that need no KVM: which programs it takes, the gate against real system calls. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"

#ifdef __aarch64__
#define MACHINE EM_AARCH64
#define LOADER  "/lib/ld-linux-aarch64.so.1"
#else
#define MACHINE EM_X86_64
#define LOADER  "/lib64/ld-linux-x86-64.so.2"
#endif

static char dir[] = "/tmp/hvcgate-exec-test.XXXXXX";
static char why[1024];

/* --- Programs. */

struct made {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	char loader[64];
};

static struct made good(void)
{
	struct made made = {.header = {.e_machine = MACHINE,
				       .e_type = ET_DYN,
				       .e_phentsize = sizeof(Elf64_Phdr),
				       .e_phnum = 1,
				       .e_phoff = offsetof(struct made, segment)},
			    .segment = {.p_type = PT_INTERP,
					.p_offset = offsetof(struct made, loader),
					.p_filesz = sizeof(LOADER)},
			    .loader = LOADER};

	memcpy(made.header.e_ident, ELFMAG, SELFMAG);
	made.header.e_ident[EI_CLASS] = ELFCLASS64;
	made.header.e_ident[EI_DATA] = ELFDATA2LSB;
	return made;
}

static const char *put_file(const char *name, const void *data, size_t size, mode_t mode)
{
	static char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static bool takes(const struct made *made, mode_t mode)
{
	why[0] = '\0';
	return program_check(put_file("vmm", made, sizeof(*made), mode), why, sizeof(why));
}

#define assert_refused(made, mode, text)                     \
	do {                                                 \
		assert_false(takes(made, mode));             \
		if (strstr(why, text) == NULL) {             \
			fail_msg("'%s' in '%s'", text, why); \
		}                                            \
	} while (0)

static void test_elf(void **state)
{
	struct made made = good();

	(void)state;
	assert_true(takes(&made, 0755));
	assert_refused(&made, 04755, "set-user-ID");
	assert_refused(&made, 02755, "set-group-ID");
	made.segment.p_type = PT_LOAD;
	assert_refused(&made, 0755, "statically linked");
	made = good();
	made.header.e_machine = EM_S390;
	assert_refused(&made, 0755, "another machine");
	made = good();
	made.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_refused(&made, 0755, "32 bits");
	made = good();
	made.header.e_type = ET_REL;
	assert_refused(&made, 0755, "no program");
	made = good();
	snprintf(made.loader, sizeof(made.loader), "/lib/ld-musl-x.so.1");
	assert_refused(&made, 0755, "glibc");
}

static void test_damaged_elf(void **state)
{
	struct made made = good();
	char path[256];

	(void)state;
	made.header.e_phoff = UINT64_MAX - 8;
	assert_refused(&made, 0755, "damaged");
	made = good();
	made.header.e_phoff = sizeof(made);
	assert_refused(&made, 0755, "damaged");
	made = good();
	made.header.e_phnum = 0xffff;
	assert_refused(&made, 0755, "damaged");
	made = good();
	made.header.e_phentsize = 1;
	assert_refused(&made, 0755, "damaged");
	made = good();
	made.segment.p_filesz = UINT64_MAX;
	assert_refused(&made, 0755, "damaged");
	made = good();
	made.segment.p_offset = UINT64_MAX - 3;
	assert_refused(&made, 0755, "damaged");
	made = good();
	made.segment.p_filesz = 0;
	assert_refused(&made, 0755, "damaged");
	/* Cut off anywhere: no more is read than there is. */
	made = good();
	for (size_t n = 0; n < offsetof(struct made, loader); n += 3) {
		snprintf(path, sizeof(path), "%s", put_file("cut", &made, n, 0755));
		assert_false(program_check(path, why, sizeof(why)));
	}
}

static void test_scripts(void **state)
{
	static const struct {
		const char *text;
		const char *refused; /* NULL: it is not */
	} cases[] = {{"#!/bin/sh\nexec vmm\n", NULL}, {"#! /usr/bin/env sh\n", NULL},
		     {"#!\n", "no interpreter"},      {"#!/nonexistent\n", "/nonexistent"},
		     {"echo\n", "neither"},           {"", "neither"}};
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = put_file("script", cases[i].text, strlen(cases[i].text), 0755);
		const char *refused = cases[i].refused;
		const bool fine = program_check(path, why, sizeof(why));

		assert_int_equal(fine, refused == NULL);
		assert_true(refused == NULL || strstr(why, refused) != NULL);
	}
	/* Its own interpreter. */
	snprintf(text, sizeof(text), "#!%s/script\n", dir);
	assert_false(program_check(put_file("script", text, strlen(text), 0755), why, sizeof(why)));
	assert_non_null(strstr(why, "without end"));
}

static void test_find(void **state)
{
	char path[400];
	char *found;

	(void)state;
	put_file("my-vmm", "#!/bin/sh\n", 10, 0755);
	put_file("no-vmm", "#!/bin/sh\n", 10, 0644);
	snprintf(path, sizeof(path), "/nonexistent:%s", dir);
	setenv("PATH", path, 1);
	assert_true(program_find("my-vmm", &found, why, sizeof(why)));
	snprintf(path, sizeof(path), "%s/my-vmm", dir);
	assert_string_equal(found, path);
	free(found);
	assert_false(program_find("no-vmm", &found, why, sizeof(why)));
	assert_false(program_find("", &found, why, sizeof(why)));
	assert_false(program_find("/nonexistent/vmm", &found, why, sizeof(why)));
	assert_true(program_find(path, &found, why, sizeof(why)));
	free(found);
}

/* --- The gate. */

static const uint64_t cookie[3] = {0x0123456789abcdef, 0xfedcba9876543210, 0x8000000000000001};

/* The errno of a request: EPERM is the gate's, for there is no such descriptor. */
static int request(unsigned long number, const uint64_t with[3])
{
	return syscall(SYS_ioctl, -1, number, 0, with[0], with[1], with[2]) < 0 ? errno : 0;
}

/* 0, or the line that is wrong. In a child, which stays behind the gate. */
static int try_gate(enum exec_gate gate)
{
	static const unsigned long guarded[] = {KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_RUN};
	const bool with_cookie = gate == EXEC_GATE_COOKIE;

	if (!gate_close(gate, cookie, why, sizeof(why))) {
		return __LINE__;
	}
	for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++) {
		const bool run = guarded[i] == KVM_RUN;
		uint64_t wrong[3];

		/* libc's; before a request with the cookie, which stays in registers behind it. */
		if (ioctl(-1, guarded[i]) == 0 || errno != (with_cookie || run ? EPERM : EBADF)) {
			return __LINE__;
		}
		/* The kernel looks at 32 bits of the request, and so has the gate to. */
		memset(wrong, 0, sizeof(wrong));
		if (request(guarded[i] | 1ul << 32, wrong) !=
		    (with_cookie || run ? EPERM : EBADF)) {
			return __LINE__;
		}
		if (request(guarded[i], cookie) != (with_cookie || !run ? EBADF : EPERM)) {
			return __LINE__;
		}
		/* Each bit of the cookie. */
		for (unsigned int bit = 0; bit < 192 && with_cookie; bit++) {
			memcpy(wrong, cookie, sizeof(wrong));
			wrong[bit / 64] ^= (uint64_t)1 << bit % 64;
			if (request(guarded[i], wrong) != EPERM) {
				return __LINE__;
			}
		}
	}
	if (request(KVM_CHECK_EXTENSION, cookie) != EBADF || ioctl(-1, TIOCGWINSZ) == 0 ||
	    errno != EBADF || getppid() <= 0) {
		return __LINE__;
	}
	return 0;
}

static void run_gate(enum exec_gate gate)
{
	int status = 0, line = 0, report[2];
	pid_t pid;

	assert_int_equal(pipe(report), 0);
	pid = fork();
	if (pid == 0) {
		line = try_gate(gate);
		_exit(write(report[1], &line, sizeof(line)) == (ssize_t)sizeof(line) ? 0 : 1);
	}
	close(report[1]);
	assert_int_equal(read(report[0], &line, sizeof(line)), sizeof(line));
	close(report[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if (line != 0) {
		fail_msg("line %d: %s", line, why);
	}
}

static void test_gate(void **state)
{
	(void)state;
	run_gate(EXEC_GATE_COOKIE);
	run_gate(EXEC_GATE_NO_RUN);
}

/* What programs of 32 bits call; as the kernel would see it. */
static uint32_t judge(const struct sock_filter *filter, unsigned int count,
		      const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned int at = 0; at < count; at++) {
		const struct sock_filter *now = &filter[at];

		switch (now->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(now->k + 4 <= sizeof(*data) && now->k % 4 == 0);
			memcpy(&a, (const uint8_t *)data + now->k, sizeof(a));
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == now->k ? now->jt : now->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			at += (a & now->k) != 0 ? now->jt : now->jf;
			break;
		case BPF_RET | BPF_K:
			return now->k;
		default:
			fail_msg("instruction %u", at);
		}
	}
	fail_msg("the end of the filter");
	return 0;
}

static void test_other_programs(void **state)
{
	struct sock_filter filter[EXEC_GATE_MAX];
	const unsigned int count = gate_make(EXEC_GATE_COOKIE, cookie, filter);
	struct seccomp_data data = {.nr = 54,
				    .arch = AUDIT_ARCH_ARM,
				    .args = {3, KVM_RUN, 0, cookie[0], cookie[1], cookie[2]}};

	(void)state;
	assert_true(count <= EXEC_GATE_MAX);
	assert_int_equal(judge(filter, count, &data), SECCOMP_RET_ERRNO | EPERM);
	data.args[1] = KVM_CREATE_VM;
	assert_int_equal(judge(filter, count, &data), SECCOMP_RET_ERRNO | EPERM);
	data.args[1] = TIOCGWINSZ;
	assert_int_equal(judge(filter, count, &data), SECCOMP_RET_ALLOW);
	data = (struct seccomp_data){.nr = 3, .arch = AUDIT_ARCH_I386, .args = {3, KVM_RUN}};
	assert_int_equal(judge(filter, count, &data), SECCOMP_RET_ALLOW);
#ifdef __x86_64__
	data = (struct seccomp_data){
		.nr = 0x40000000 + 514, .arch = AUDIT_ARCH_X86_64, .args = {3, KVM_RUN}};
	assert_int_equal(judge(filter, count, &data), SECCOMP_RET_ERRNO | EPERM);
#endif
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"vmm", "cut", "script", "my-vmm", "no-vmm"};
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),     cmocka_unit_test(test_damaged_elf),
		cmocka_unit_test(test_scripts), cmocka_unit_test(test_find),
		cmocka_unit_test(test_gate),    cmocka_unit_test(test_other_programs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
