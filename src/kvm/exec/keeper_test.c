/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: exec-keeper-test TEST-HANDLER EXAMPLE-HANDLER
 *
 * A keeper, handlers, `ctl`, and a VMM that is a stub: a process that makes requests as the interposer does. Each test is
 * such a process, for the keeper lives as long as it does.
 */
#define _GNU_SOURCE
#include <policy_test.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../ctl/ctl.h"
#include "../host/plan_make.h"
#include "channel.h"
#include "keeper.h"

#define OEM 0xc3000000u
enum { PATIENCE_MS = 20000, THREADS = 4, CALLS = 400, TIMEOUT_MS = 200 };

static char *test_handler, *example_handler;
static char directory[64], socket_path[96], text[512];

#define CHECK(what)                                                                \
	do {                                                                       \
		if (!(what)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
			exit(1);                                                   \
		}                                                                  \
	} while (0)

/* --- The VMM, in a process of its own. */
static struct {
	struct exec_shared *shared;
	struct exec_channel channel;
	struct hvc_kvm_channel way;
	struct plan_view_of plan;
	_Atomic uint64_t sequence;
	int fd;
} vmm;

static void make_plan(struct hvc_policy *policy)
{
	struct hvc_plan_host host;
	const char *what;
	void *bytes;
	size_t size;
	char why[1000];

	CHECK(hvc_plan_host_find(&host, "linux-6.12", why, sizeof(why)));
	CHECK(plan_bytes_make(policy, &host, NULL, &bytes, &size, why, sizeof(why)) == HVC_OK);
	CHECK(plan_bytes_check(bytes, size, &vmm.plan, &what) == HVC_OK);
	json_decref((json_t *)(uintptr_t)host.record);
}

static void begin(void)
{
	static char *argv[] = {"qemu-system-aarch64", "-name", "guest=stub,debug-threads=on", NULL};
	static struct keeper_options options = {.vmm = "stub",
						.argv = argv,
						.trace_fd = -1,
						.summary = RUN_FORMAT_NONE,
						.summary_fd = -1};
	struct hvc_policy *policy = test_policy_warned(text);
	struct keeper_start start = {.policy = policy, .options = &options};
	int ends[2];

	make_plan(policy);
	((struct plan_header *)vmm.plan.header)->revocable[HVC_FN_TRNG_RND / 64] =
		1ull << HVC_FN_TRNG_RND % 64;
	vmm.shared = mmap(NULL, sizeof(*vmm.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(vmm.shared != MAP_FAILED);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	start.shared = vmm.shared;
	start.plan = vmm.plan;
	start.requests = ends[1];
	start.attention = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	CHECK(keeper_fork(&start));
	close(ends[1]);
	close(start.attention);
	hvc_policy_free(policy); /* the keeper has its own */
	free((void *)(uintptr_t)vmm.plan.header);
	vmm.fd = ends[0];
	exec_channel_init(&vmm.channel, vmm.shared, ends[0], &vmm.way);
	atomic_store(&vmm.shared->pid, getpid());
	atomic_store(&vmm.shared->stage, EXEC_APPLIED);
}

/* The reply to a call of the only thread. */
static struct hvc_kvm_reply call_of(const struct hvc_kvm_request *request)
{
	struct hvc_kvm_reply reply = {.outcome = HVC_KVM_FAILED};
	int got = 0;

	if (!vmm.way.send(vmm.way.context, request)) {
		return reply;
	}
	for (int i = 0; got != 1 && i < PATIENCE_MS; i++) {
		got = vmm.way.receive(vmm.way.context, request->vm, &reply, 20);
	}
	CHECK(got == 1);
	CHECK(reply.sequence == request->sequence);
	return reply;
}

static struct hvc_kvm_request request(uint64_t x1)
{
	return (struct hvc_kvm_request){.sequence = atomic_fetch_add(&vmm.sequence, 1) + 1,
					.vcpu = 3,
					.id = OEM,
					.arg_count = 17,
					.frame = {.x = {OEM, x1, x1 + 1, x1 + 2, 9}}};
}

static bool answered(uint64_t x1)
{
	const struct hvc_kvm_request one = request(x1);
	const struct hvc_kvm_reply reply = call_of(&one);

	if (reply.outcome == HVC_KVM_FAILED) {
		return false;
	}
	CHECK(reply.mask == 0xf && reply.frame.x[0] == 0 && reply.frame.x[1] == x1 &&
	      reply.frame.x[3] == x1 + 2);
	return true;
}

static void until_answered(void)
{
	for (int i = 0; !answered(1); i++) {
		CHECK(i < PATIENCE_MS);
		usleep(1000);
	}
}

/* --- Handlers, and ctl. */
static pid_t run_handler(const char *program, const char *mode, const char *n)
{
	int out[2];
	char said[16];
	pid_t pid;

	CHECK(pipe2(out, O_CLOEXEC) == 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], 1);
		execl(program, program, socket_path, mode, n, NULL);
		_exit(127);
	}
	close(out[1]);
	/* "listening"; the example says nothing before it is asked. */
	CHECK(program == example_handler || read(out[0], said, sizeof(said)) > 0);
	if (program != example_handler) {
		close(out[0]);
	}
	return pid;
}

static void end_handler(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static json_t *ask(const char *verb, const char *function)
{
	struct ctl_peer peer;
	char why[256] = "";
	json_t *question = ctl_request(verb, function), *reply;

	CHECK(ctl_find(&peer, 1) == 1);
	reply = ctl_ask(&peer, question, PATIENCE_MS, why, sizeof(why));
	CHECK(reply != NULL);
	ctl_close(&peer);
	json_decref(question);
	return reply;
}

static json_int_t count(const char *key)
{
	json_t *reply = ask("show", NULL);
	const json_int_t value = json_integer_value(
		json_object_get(json_array_get(json_object_get(reply, "handlers"), 0), key));

	json_decref(reply);
	return value;
}

static const char *string(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value == NULL ? "" : value;
}

/* --- What the VMMs do. */
static void *many_calls(void *argument)
{
	const uint32_t vm = *(uint32_t *)argument;

	for (unsigned int i = 0; i < CALLS; i++) {
		struct hvc_kvm_request one = request(i);

		one.vm = vm;
		CHECK(call_of(&one).outcome == HVC_KVM_ANSWERED);
	}
	return NULL;
}

/* A thread a VM: each takes its own replies. */
static void echoes(void)
{
	const pid_t handler = run_handler(test_handler, "echo", NULL);
	pthread_t threads[THREADS];
	uint32_t vms[THREADS];

	begin();
	until_answered();
	for (uint32_t i = 0; i < THREADS; i++) {
		vms[i] = i * (EXEC_VMS - 1) / (THREADS - 1);
		CHECK(pthread_create(&threads[i], NULL, many_calls, &vms[i]) == 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	CHECK(count("answered") >= THREADS * CALLS + 1);
	CHECK(count("requests") == count("answered") + count("failed"));
	CHECK(count("garbage") == 0 && count("late") == 0);
	end_handler(handler);
}

static void the_example(void)
{
	const pid_t handler = run_handler(example_handler, NULL, NULL);

	begin();
	until_answered();
	for (unsigned int i = 0; i < 50; i++) {
		CHECK(answered(i));
	}
	end_handler(handler);
}

/* None there, then one, which dies at a request, then another one. */
static void handlers_come_and_go(void)
{
	pid_t handler;

	begin();
	CHECK(!answered(1));
	CHECK(count("failed") == 1);
	handler = run_handler(test_handler, "crash", "6");
	until_answered();
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(answered(i));
	}
	CHECK(!answered(9));
	CHECK(waitpid(handler, NULL, 0) == handler);
	CHECK(!answered(9));
	handler = run_handler(test_handler, "garbage", "3");
	until_answered();
	CHECK(answered(7));
	CHECK(!answered(8));
	CHECK(count("garbage") == 1);
	until_answered(); /* it is asked again */
	end_handler(handler);
}

static void times_out(void)
{
	pid_t handler = run_handler(test_handler, "silent", NULL);

	begin();
	while (count("timed_out") == 0) {
		CHECK(!answered(1));
	}
	CHECK(!answered(1));
	CHECK(count("timed_out") == 2);
	end_handler(handler);
	handler = run_handler(test_handler, "slow", "300"); /* TIMEOUT_MS and more */
	while (count("late") == 0) {
		CHECK(!answered(1));
		usleep(200000);
	}
	CHECK(count("garbage") == 0);
	end_handler(handler);
}

static void refuses_other_policies(void)
{
	const pid_t handler = run_handler(test_handler, "other", NULL);

	begin();
	for (unsigned int i = 0; i < 3; i++) {
		CHECK(!answered(i));
	}
	while (count("garbage") == 0) {
		usleep(1000);
	}
	CHECK(!answered(9));
	end_handler(handler);
}

/* What the VMM's memory or socket may hold: each request that can be answered is, the others do no harm. */
static void believes_nothing(void)
{
	const pid_t handler = run_handler(test_handler, "echo", NULL);
	struct hvc_kvm_request one;
	uint32_t tail;

	begin();
	until_answered();
	one = request(1);
	one.handler = 7;
	CHECK(call_of(&one).outcome == HVC_KVM_FAILED);
	one = request(1);
	one.id = hvc_function_at(HVC_FN_TRNG_VERSION)->id32; /* not this handler's */
	CHECK(call_of(&one).outcome == HVC_KVM_FAILED);
	one = request(1);
	one.conduit = 2;
	CHECK(call_of(&one).outcome == HVC_KVM_FAILED);
	one = request(1);
	one.arg_count = 255;
	CHECK(call_of(&one).outcome == HVC_KVM_FAILED);
	one = request(1);
	one.vm = EXEC_VMS;
	CHECK(send(vmm.fd, &one, sizeof(one), 0) == (ssize_t)sizeof(one));
	one.vm = UINT32_MAX;
	CHECK(send(vmm.fd, &one, sizeof(one), 0) == (ssize_t)sizeof(one));
	CHECK(send(vmm.fd, &one, sizeof(one) - 1, 0) > 0);
	CHECK(send(vmm.fd, "x", 1, 0) == 1);
	one = request(1);
	one.sequence = 0;
	CHECK(send(vmm.fd, &one, sizeof(one), 0) == (ssize_t)sizeof(one));
	CHECK(answered(5));
	/* A tail that runs wild holds replies back, and no more than that. */
	tail = atomic_load(&vmm.shared->replies[0].tail);
	atomic_store(&vmm.shared->replies[0].tail, tail + 1000);
	atomic_store(&vmm.shared->vcpu_count, UINT32_MAX);
	atomic_store(&vmm.shared->stage, 12345);
	one = request(6);
	CHECK(vmm.way.send(vmm.way.context, &one));
	CHECK(count("answered") > 0);
	atomic_store(&vmm.shared->replies[0].tail, tail);
	one = request(6);
	CHECK(vmm.way.send(vmm.way.context, &one));
	for (unsigned int i = 0; i < 2;) {
		struct hvc_kvm_reply reply;

		i += vmm.way.receive(vmm.way.context, 0, &reply, 20) == 1;
	}
	end_handler(handler);
}

/* More at once than the ring has room for. */
static void keeps_replies(void)
{
	enum { MANY = 5 * EXEC_REPLIES };
	const pid_t handler = run_handler(test_handler, "echo", NULL);
	static bool seen[MANY];
	unsigned int got = 0;

	begin();
	until_answered();
	const uint64_t first = atomic_load(&vmm.sequence) + 1;

	for (unsigned int i = 0; i < MANY; i++) {
		const struct hvc_kvm_request one = request(i);

		CHECK(vmm.way.send(vmm.way.context, &one));
	}
	while (got < MANY) {
		struct hvc_kvm_reply reply;

		if (vmm.way.receive(vmm.way.context, 0, &reply, 20) == 1) {
			CHECK(reply.sequence - first < MANY && !seen[reply.sequence - first]);
			seen[reply.sequence - first] = true;
			got++;
		}
	}
	end_handler(handler);
}

static void shows_and_denies(void)
{
	json_t *reply;

	begin();
	vmm.shared->vcpus[0].counters.calls[HVC_FN_TRNG_RND][HVC_ANSWERED] = 40;
	vmm.shared->vcpus[1].counters.calls[HVC_FN_TRNG_RND][HVC_ANSWERED] = 2;
	atomic_store(&vmm.shared->vcpu_count, 2);
	reply = ask("show", NULL);
	CHECK(strcmp(string(reply, "name"), "stub") == 0);
	CHECK(strcmp(string(reply, "state"), "runs") == 0);
	CHECK(strcmp(string(reply, "profile"), "linux-6.12@1") == 0);
	CHECK(strlen(string(reply, "policy_sha256")) == 64);
	CHECK(json_integer_value(json_object_get(reply, "pid")) == getpid());
	CHECK(json_integer_value(json_object_get(reply, "vcpus")) == 2);
	json_decref(reply);
	CHECK(atomic_load(&vmm.shared->revoked[HVC_FN_TRNG_RND / 64]) == 0);
	for (unsigned int i = 0; i < 2; i++) {
		reply = ask("deny", "TRNG_RND");
		CHECK(json_object_get(reply, "error") == NULL);
		CHECK(json_is_true(json_object_get(reply, "already")) == (i == 1));
		json_decref(reply);
		CHECK(atomic_load(&vmm.shared->revoked[HVC_FN_TRNG_RND / 64]) ==
		      1ull << HVC_FN_TRNG_RND % 64);
	}
	reply = ask("deny", "PSCI_CPU_ON");
	CHECK(strstr(string(reply, "error"), "revocable: [PSCI_CPU_ON]") != NULL);
	json_decref(reply);
}

/* The keeper is killed: calls fail from then on, and nothing hangs. */
static void lives_without_keeper(void)
{
	const pid_t handler = run_handler(test_handler, "silent", NULL);
	struct ctl_peer peer;
	struct hvc_kvm_request one;

	begin();
	while (count("timed_out") == 0) {
		CHECK(!answered(1));
	}
	CHECK(ctl_find(&peer, 1) == 1);
	ctl_close(&peer);
	one = request(1);
	CHECK(vmm.way.send(vmm.way.context, &one));
	CHECK(kill(peer.pid, SIGKILL) == 0);
	for (int got = 0; got != 1;) {
		struct hvc_kvm_reply reply;

		got = vmm.way.receive(vmm.way.context, 0, &reply, PATIENCE_MS);
		CHECK(got != 1 ||
		      (reply.outcome == HVC_KVM_FAILED && reply.sequence == one.sequence));
	}
	one = request(1);
	CHECK(!vmm.way.send(vmm.way.context, &one));
	CHECK(ctl_find(&peer, 1) == 0); /* and its socket is gone with this */
	CHECK(access(peer.path, F_OK) != 0);
	end_handler(handler);
}

static void dies_suddenly(void)
{
	begin();
	CHECK(!answered(1));
	kill(getpid(), SIGKILL);
}

/* --- The tests: a VMM each, and that the keeper ends with it. */
static int run_vmm(void (*play)(void))
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		play();
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int i = 0; ctl_find(NULL, 0) != 0; i++) {
		assert_true(i < PATIENCE_MS);
		usleep(1000);
	}
	unlink(socket_path);
	return status;
}

#define VMM(play)                                   \
	static void test_##play(void **state)       \
	{                                           \
		(void)state;                        \
		assert_int_equal(run_vmm(play), 0); \
	}
VMM(echoes)
VMM(the_example)
VMM(handlers_come_and_go)
VMM(times_out)
VMM(refuses_other_policies)
VMM(believes_nothing)
VMM(keeps_replies)
VMM(shows_and_denies)
VMM(lives_without_keeper)

static void test_dies_suddenly(void **state)
{
	(void)state;
	assert_true(WIFSIGNALED(run_vmm(dies_suddenly)));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echoes),
		cmocka_unit_test(test_the_example),
		cmocka_unit_test(test_handlers_come_and_go),
		cmocka_unit_test(test_times_out),
		cmocka_unit_test(test_refuses_other_policies),
		cmocka_unit_test(test_believes_nothing),
		cmocka_unit_test(test_keeps_replies),
		cmocka_unit_test(test_shows_and_denies),
		cmocka_unit_test(test_lives_without_keeper),
		cmocka_unit_test(test_dies_suddenly),
	};
	char run[80];
	int failed;

	if (argc != 3) {
		fputs("usage: exec-keeper-test TEST-HANDLER EXAMPLE-HANDLER\n", stderr);
		return 2;
	}
	test_handler = realpath(argv[1], NULL);
	example_handler = realpath(argv[2], NULL);
	snprintf(directory, sizeof(directory), "/tmp/hvcgate-keeper-%d", (int)getpid());
	if (test_handler == NULL || example_handler == NULL || mkdir(directory, 0700) != 0 ||
	    chdir(directory) != 0) {
		perror(directory);
		return 2;
	}
	snprintf(run, sizeof(run), "%s/run", directory);
	setenv("HVCGATE_RUNTIME_DIR", run, 1);
	snprintf(socket_path, sizeof(socket_path), "%s/h.sock", directory);
	snprintf(text, sizeof(text),
		 "hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\ndiscovery: raw\n"
		 "rules:\n  - forward: {range: 0xc3000000-0xc30000ff}\n    to: echo\n"
		 "handlers: {echo: {socket: %s, timeout: %dms}}\n",
		 socket_path, TIMEOUT_MS);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(run);
	unlink("p.yaml"); /* test_policy_warned() wrote it here */
	if (chdir("/") != 0 || rmdir(directory) != 0) {
		perror(directory);
		return 1;
	}
	free(test_handler);
	free(example_handler);
	return failed;
}
