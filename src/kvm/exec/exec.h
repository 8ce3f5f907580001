/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hvcgate exec`, the launcher: everything that can be known to be wrong is refused before the VMM's program begins, and
 * the kernel refuses VMs to a process that lacks the interposer. A function that returns bool returns false after it has
 * said on stderr what is wrong, or has put it into `why`.
 */
#ifndef HVCGATE_KVM_EXEC_H
#define HVCGATE_KVM_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

#include "../../run/run.h"

/* --- program.c: may this be run under the interposer? */
/* Where execvp() would find it; free() it. */
bool program_find(const char *name, char **path, char *why, size_t size);
/* A dynamically linked program of this machine, or a script of one, that gets no rights when it is started. */
bool program_check(const char *path, char *why, size_t size);
/* libhvcgate-exec.so: beside this command, or where it is installed; free() it. */
bool program_library(char **path, char *why, size_t size);

/* --- seccomp.c: who may make and run VMs. */
enum exec_gate {
	EXEC_GATE_COOKIE, /* KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_RUN: who has the cookie in arguments 4 to 6 */
	EXEC_GATE_NO_RUN /* KVM_RUN: nobody */
};
#define EXEC_GATE_MAX 48
/* The filter's instructions; returns their number. */
unsigned int gate_make(enum exec_gate gate, const uint64_t cookie[3],
		       struct sock_filter filter[EXEC_GATE_MAX]);
/* For this process and all that it starts, for good. */
bool gate_close(enum exec_gate gate, const uint64_t cookie[3], char *why, size_t size);

/* --- launch.c */
struct exec_options {
	const char *policy; /* NULL: the built-in one */
	const char *from;   /* NULL: none */
	char **argv;        /* the VMM's; ends in NULL */
	bool dry_run;
	bool no_run;
	bool trace, trace_json;
	const char *trace_file; /* NULL: stderr */
	enum run_format summary;
	const char *summary_file; /* NULL: stderr */
};
/* Becomes the VMM; or returns an exit status. */
int exec_launch(const struct exec_options *options);

#endif
