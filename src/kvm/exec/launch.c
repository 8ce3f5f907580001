/* SPDX-License-Identifier: BSD-2-Clause */
/* `hvcgate exec`: look, measure, plan, prepare, become the VMM. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exec.h"
#include "keeper.h"
#include "launch.h"

enum { FINE = 0, REFUSED = 1, USAGE = 2, CANNOT_RUN = 126 };

extern char **environ;

/* --- What can be known beforehand. */

static bool kvm_is_there(char *why, size_t size)
{
	int fd;

#ifndef __aarch64__
	snprintf(
		why, size,
		"this is not arm64 Linux; 'hvcgate run' runs guests on any machine, and scripts/lab has arm64 KVM under "
		"emulation");
	return false;
#endif
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (errno == EACCES || errno == EPERM) {
		snprintf(
			why, size,
			"/dev/kvm: %s: this user (%u) may not use KVM; on Debian the group kvm may",
			strerror(errno), (unsigned int)geteuid());
	} else {
		snprintf(
			why, size,
			"/dev/kvm: %s: the kernel has no KVM here: no virtualisation extension that Linux may use (was "
			"it started at EL1?), or KVM is not built in or loaded",
			strerror(errno));
	}
	return false;
}

/* A line each. */
static void say_lines(const char *lines)
{
	while (*lines != '\0') {
		const size_t length = strcspn(lines, "\n");

		run_say("%.*s", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

static bool load_policy(struct launch *launch)
{
	struct hvc_diags *diags = hvc_diags_new();
	const enum hvc_err err = diags == NULL ? HVC_ENOMEM
					       : hvc_policy_load(launch->options->policy,
								 &launch->policy, diags);

	for (size_t i = 0; hvc_diags_at(diags, i) != NULL; i++) {
		const struct hvc_diag *diag = hvc_diags_at(diags, i);

		if (diag->severity == HVC_ERROR) {
			run_say("%s:%u:%u: %s", diag->file, diag->line, diag->column,
				diag->message);
		}
	}
	if (err == HVC_ENOMEM) {
		run_say("out of memory");
	}
	hvc_diags_free(diags);
	launch->status = err == HVC_OK ? FINE : err == HVC_EINVAL ? REFUSED : USAGE;
	return err == HVC_OK;
}

static bool make_plan(struct launch *launch)
{
	char why[2048] = "";
	const char *what = "";
	const enum hvc_err err = hvc_kvm_plan_bytes(launch->options->policy, launch->options->from,
						    &launch->bytes, &launch->size, why,
						    sizeof(why));

	say_lines(why);
	if (err != HVC_OK) {
		launch->status = err == HVC_EINVAL || err == HVC_EPERM ? REFUSED : USAGE;
		return why[0] != '\0' ? false : run_fail("no plan: %s", hvc_err_name(err));
	}
	launch->status = USAGE;
	if (plan_bytes_check(launch->bytes, launch->size, &launch->plan, &what) != HVC_OK) {
		return run_fail("the plan is damaged: %s", what);
	}
	if (memcmp(launch->plan.header->policy_sha256, hvc_policy_sha256(launch->policy), 32) !=
	    0) {
		return run_fail("%s: changed while it was read; try again",
				hvc_policy_path(launch->policy));
	}
	launch->status = FINE;
	return true;
}

static bool look(struct launch *launch)
{
	char why[1024];
	const bool fine = program_find(launch->options->argv[0], &launch->program, why,
				       sizeof(why)) &&
			  program_check(launch->program, why, sizeof(why)) &&
			  (launch->options->no_run ||
			   (kvm_is_there(why, sizeof(why)) &&
			    program_library(&launch->library, why, sizeof(why))));

	launch->status = USAGE;
	if (!fine) {
		return run_fail("%s", why);
	}
	launch->status = FINE;
	return launch->options->no_run || (load_policy(launch) && make_plan(launch));
}

/* --- What the three processes share. */

/* Where no program looks for a descriptor of its own, if there is room. */
static int move_up(int fd)
{
	static const int places[] = {900, 200, 60, 3};
	int moved = -1;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && fd >= 0 && moved < 0; i++) {
		moved = fcntl(fd, F_DUPFD, places[i]);
	}
	if (fd >= 0) {
		close(fd);
	}
	return moved;
}

static bool make_shared(struct launch *launch)
{
	const int fd = move_up(memfd_create("hvcgate-exec", 0));
	struct exec_shared *shared = MAP_FAILED;

	launch->fds.shared = fd;
	if (fd >= 0 && ftruncate(fd, sizeof(*shared)) == 0) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (shared == MAP_FAILED) {
		return run_fail("no memory to share: %s", strerror(errno));
	}
	shared->magic = EXEC_MAGIC;
	shared->version = EXEC_VERSION;
	shared->size = sizeof(*shared);
	shared->functions = HVC_FN_COUNT;
	shared->started = exec_clock();
	atomic_store(&shared->tracing, launch->options->trace);
	if (getrandom(shared->cookie, sizeof(shared->cookie), 0) !=
	    (ssize_t)sizeof(shared->cookie)) {
		return run_fail("no random numbers: %s", strerror(errno));
	}
	launch->shared = shared;
	return true;
}

static bool share_plan(struct launch *launch)
{
	struct run_blob blob;

	if (!run_blob_make("hvcgate-plan", launch->bytes, launch->size, &blob)) {
		return false;
	}
	launch->fds.plan = move_up(blob.fd);
	return launch->fds.plan >= 0 || run_fail("no descriptor: %s", strerror(errno));
}

static bool make_lines(struct launch *launch)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0) {
		return run_fail("no sockets: %s", strerror(errno));
	}
	launch->fds.requests = move_up(pair[0]);
	launch->keeper_requests = move_up(pair[1]);
	launch->fds.attention = move_up(eventfd(0, EFD_NONBLOCK));
	if (launch->fds.requests < 0 || launch->keeper_requests < 0 || launch->fds.attention < 0) {
		return run_fail("no descriptors: %s", strerror(errno));
	}
	return true;
}

/* --- Outputs of the keeper. */

static bool open_output(const char *path, int *fd)
{
	*fd = -1;
	if (path == NULL) {
		return true;
	}
	*fd = move_up(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, 0666));
	return *fd >= 0 || run_fail("%s: %s", path, strerror(errno));
}

static bool start_keeper(struct launch *launch)
{
	const struct exec_options *options = launch->options;
	struct keeper_options keeper = {.vmm = options->argv[0],
					.argv = options->argv,
					.trace = options->trace,
					.trace_json = options->trace_json,
					.summary = options->summary};
	const struct keeper_start start = {.shared = launch->shared,
					   .plan = launch->plan,
					   .policy = launch->policy,
					   .options = &keeper,
					   .requests = launch->keeper_requests,
					   .attention = launch->fds.attention};
	bool fine;

	if (!open_output(options->trace_file, &keeper.trace_fd) ||
	    !open_output(options->summary_file, &keeper.summary_fd)) {
		return false;
	}
	fine = keeper_fork(&start);
	close(launch->keeper_requests);
	if (keeper.trace_fd >= 0) {
		close(keeper.trace_fd);
	}
	if (keeper.summary_fd >= 0) {
		close(keeper.summary_fd);
	}
	return fine;
}

/* --- Becoming the VMM. */

static void set_environment(const struct launch *launch)
{
	const char *before = getenv("LD_PRELOAD");
	char *preload = before != NULL && before[0] != '\0'
				? run_format("%s:%s", launch->library, before)
				: run_format("%s", launch->library);
	char *ours = run_format("%d,%d,%d,%d", launch->fds.shared, launch->fds.plan,
				launch->fds.requests, launch->fds.attention);

	setenv("LD_PRELOAD", preload, 1);
	setenv(EXEC_ENVIRONMENT, ours, 1);
	free(preload);
	free(ours);
}

/* Only returns when it fails. */
static int become(struct launch *launch)
{
	static const uint64_t none[3];
	const bool no_run = launch->options->no_run;
	char why[512];

	fflush(NULL);
	if (!gate_close(no_run ? EXEC_GATE_NO_RUN : EXEC_GATE_COOKIE,
			no_run ? none : launch->shared->cookie, why, sizeof(why))) {
		run_say("%s", why);
	} else {
		execve(launch->program, launch->options->argv, environ);
		run_say("%s: %s", launch->program, strerror(errno));
	}
	if (launch->shared != NULL) {
		atomic_store(&launch->shared->stage, EXEC_NOT_RUN);
	}
	return CANNOT_RUN;
}

static int go(struct launch *launch)
{
	if (launch->options->no_run) {
		return become(launch);
	}
	if (!make_shared(launch) || !share_plan(launch) || !make_lines(launch) ||
	    !start_keeper(launch)) {
		return USAGE;
	}
	set_environment(launch);
	return become(launch);
}

int exec_launch(const struct exec_options *options)
{
	struct launch launch = {.options = options, .fds = {-1, -1, -1, -1}};
	int status;

	if (!look(&launch)) {
		status = launch.status;
	} else if (options->dry_run) {
		launch_print(&launch);
		status = FINE;
	} else {
		status = go(&launch);
	}
	hvc_policy_free(launch.policy);
	free(launch.bytes);
	free(launch.program);
	free(launch.library);
	return status;
}
