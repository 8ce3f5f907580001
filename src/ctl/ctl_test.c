/* SPDX-License-Identifier: BSD-2-Clause */
/* `ctl` from end to end in a directory of its own: who answers what, who is found, what the dead leave behind. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka_all.h>

#include "ctl.h"

enum { PATIENCE_MS = 20000 };

static char directory[64];

/* A VM that is made up: TRNG_RND and PSCI_CPU_ON can be shut off, the latter only in words. */
static struct {
	uint64_t revocable[HVC_FN_WORDS], revoked[HVC_FN_WORDS];
	const uint8_t sha256[32];
	unsigned int denials;
} vm = {.sha256 = {0xab, 0xcd}};

static void about(void *context, struct ctl_about *told)
{
	(void)context;
	*told = (struct ctl_about){.name = "web\xff",
				   .host = "kvm",
				   .policy = "/etc/p.yaml",
				   .profile = "linux-6.12@1",
				   .state = "runs",
				   .policy_sha256 = vm.sha256,
				   .pid = 77,
				   .vcpus = 2,
				   .revocable = vm.revocable};
}

static enum ctl_seen counters(void *context, unsigned int slot, uint64_t count[HVC_COUNTS])
{
	(void)context;
	switch (slot) {
	case HVC_FN_TRNG_RND:
		count[HVC_ANSWERED] = 7;
		count[HVC_DENIED] = UINT64_MAX;
		return CTL_SEEN;
	case HVC_FN_PSCI_CPU_ON:
		return CTL_SEEN_PART;
	case HVC_FN_PSCI_VERSION:
		return CTL_UNSEEN;
	default:
		return CTL_SEEN;
	}
}

static bool handler(void *context, unsigned int n, struct ctl_handler_state *state)
{
	(void)context;
	*state = (struct ctl_handler_state){
		.name = "ffa", .socket = "/run/x", .state = "attached", .requests = 3};
	return n == 0;
}

static bool revoked(void *context, unsigned int slot)
{
	(void)context;
	return (vm.revoked[slot / 64] >> slot % 64 & 1) != 0;
}

static enum hvc_err deny(void *context, unsigned int slot, bool *pending, char *why, size_t size)
{
	(void)context;
	vm.denials++;
	if (slot == HVC_FN_PSCI_CPU_ON) {
		snprintf(why, size, "not this one");
		return HVC_EPERM;
	}
	*pending = true;
	vm.revoked[slot / 64] |= 1ull << slot % 64;
	return HVC_OK;
}

static const struct ctl_subject subject = {.size = sizeof(subject),
					   .about = about,
					   .counters = counters,
					   .handler = handler,
					   .revoked = revoked,
					   .deny = deny};

static void set(uint64_t *words, unsigned int slot)
{
	words[slot / 64] |= 1ull << slot % 64;
}

static int fresh(void **state)
{
	(void)state;
	memset(vm.revocable, 0, sizeof(vm.revocable));
	memset(vm.revoked, 0, sizeof(vm.revoked));
	vm.denials = 0;
	set(vm.revocable, HVC_FN_TRNG_RND);
	set(vm.revocable, HVC_FN_PSCI_CPU_ON);
	return 0;
}

static struct ctl_server *serve(void)
{
	char why[256] = "";
	struct ctl_server *server = ctl_server_new(&subject, why, sizeof(why));

	assert_string_equal(why, "");
	assert_non_null(server);
	return server;
}

/* One request of a client in this thread: the server works when it is asked to. */
static json_t *ask(struct ctl_server *server, const char *request)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	static char bytes[CTL_REPLY_MAX];
	struct pollfd ready = {.fd = ctl_server_fd(server), .events = POLLIN};
	ssize_t n;
	json_t *json;

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", ctl_server_path(server));
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	ctl_server_work(server);
	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) < 0) {
		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
		ctl_server_work(server);
	}
	close(fd);
	ctl_server_work(server);
	if (n == 0) {
		return NULL; /* hung up */
	}
	json = json_loadb(bytes, (size_t)n, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "ctl")), CTL_VERSION);
	return json;
}

static const char *string(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text == NULL ? "(none)" : text;
}

static const json_t *function(const json_t *json, const char *name)
{
	const json_t *list = json_object_get(json, "functions"), *one;
	size_t i;

	json_array_foreach((json_t *)list, i, one)
	{
		if (strcmp(string(one, "function"), name) == 0) {
			return one;
		}
	}
	return NULL;
}

static void shows(void **state)
{
	struct ctl_server *server = serve();
	json_t *json = ask(server, "{\"ctl\": 1, \"do\": \"show\"}");
	const json_t *one;

	(void)state;
	assert_string_equal(string(json, "name"), "web?");
	assert_string_equal(string(json, "host"), "kvm");
	assert_int_equal(strncmp(string(json, "policy_sha256"), "abcd0000", 8), 0);
	assert_int_equal(json_integer_value(json_object_get(json, "vcpus")), 2);
	assert_int_equal(json_integer_value(json_object_get(json, "pid")), 77);
	assert_true(json_is_null(json_object_get(json, "kernel")));
	one = function(json, "TRNG_RND");
	assert_int_equal(json_integer_value(json_object_get(one, "answered")), 7);
	assert_true(json_integer_value(json_object_get(one, "denied")) == INT64_MAX);
	/* What cannot be counted has no number, above all not 0. */
	one = function(json, "PSCI_VERSION");
	assert_string_equal(string(one, "observed"), "no");
	assert_null(json_object_get(one, "answered"));
	assert_string_equal(string(function(json, "PSCI_CPU_ON"), "observed"), "in part");
	assert_null(function(json, "TRNG_VERSION")); /* seen, and not called */
	assert_int_equal(json_array_size(json_object_get(json, "revocable")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "revoked")), 0);
	one = json_array_get(json_object_get(json, "handlers"), 0);
	assert_string_equal(string(one, "name"), "ffa");
	assert_int_equal(json_integer_value(json_object_get(one, "requests")), 3);
	json_decref(json);
	ctl_server_free(server);
}

static void denies(void **state)
{
	static const char request[] = "{\"ctl\":1,\"do\":\"deny\",\"function\":\"TRNG_RND\"}";
	struct ctl_server *server = serve();
	json_t *json = ask(server, request);

	(void)state;
	assert_string_equal(string(json, "function"), "TRNG_RND");
	assert_true(json_is_false(json_object_get(json, "already")));
	assert_true(json_is_true(json_object_get(json, "pending")));
	json_decref(json);
	json = ask(server, request);
	assert_string_equal(string(json, "error"), "(none)");
	assert_true(json_is_true(json_object_get(json, "already")));
	json_decref(json);
	json = ask(server, "{\"ctl\": 1, \"do\": \"show\"}");
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "revoked"), 0)),
			    "TRNG_RND");
	json_decref(json);
	assert_int_equal(vm.denials, 2);
	ctl_server_free(server);
}

static void refuses(void **state)
{
	static const struct {
		const char *request, *says;
	} cases[] = {
		{"{\"ctl\":1,\"do\":\"deny\",\"function\":\"PSCI_VERSION\"}",
		 "revocable: [PSCI_VERSION]"},
		{"{\"ctl\":1,\"do\":\"deny\",\"function\":\"PSCI_VERSION\"}",
		 "it can lose PSCI_CPU_ON, TRNG_RND"},
		{"{\"ctl\":1,\"do\":\"deny\",\"function\":\"PSCI_CPU_ON\"}", "not this one"},
		{"{\"ctl\":1,\"do\":\"deny\",\"function\":\"NOBODY\"}", "no function"},
		{"{\"ctl\":1,\"do\":\"deny\",\"function\":7}", "no function"},
		{"{\"ctl\":1,\"do\":\"deny\"}", "no function"},
		{"{\"ctl\":1,\"do\":\"fly\"}", "show and deny"},
		{"{\"ctl\":1}", "show and deny"},
		{"{\"ctl\":2,\"do\":\"show\"}", "version 1"},
		{"{\"do\":\"show\"}", "no request"},
		{"[]", "no request"},
		{"rubbish", "no request"},
		{"\xff\xfe", "no request"},
	};
	struct ctl_server *server = serve();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		json_t *json = ask(server, cases[i].request);

		assert_non_null(strstr(string(json, "error"), cases[i].says));
		json_decref(json);
	}
	assert_int_equal(vm.denials, 1);
	memset(vm.revocable, 0, sizeof(vm.revocable));
	json_t *json = ask(server, "{\"ctl\":1,\"do\":\"deny\",\"function\":\"TRNG_RND\"}");

	assert_null(strstr(string(json, "error"), "it can lose"));
	json_decref(json);
	assert_int_equal(vm.denials, 1);
	ctl_server_free(server);
}

static void hangs_up_on_too_much(void **state)
{
	struct ctl_server *server = serve();
	char *long_one = malloc(CTL_REQUEST_MAX + 2);
	json_t *json;

	(void)state;
	memset(long_one, ' ', CTL_REQUEST_MAX + 1);
	long_one[CTL_REQUEST_MAX + 1] = '\0';
	assert_null(ask(server, long_one));
	long_one[CTL_REQUEST_MAX] = '\0';
	json = ask(server, long_one);
	assert_non_null(json);
	json_decref(json);
	free(long_one);
	ctl_server_free(server);
}

/* More peers than places, all at once: each is answered in the end. */
static void serves_many(void **state)
{
	enum { MANY = 20 };
	struct ctl_server *server = serve();
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct pollfd ready = {.fd = ctl_server_fd(server), .events = POLLIN};
	int fds[MANY] = {0}, answered = 0;

	(void)state;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", ctl_server_path(server));
	for (int i = 0; i < MANY; i++) {
		fds[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
		while (connect(fds[i], (struct sockaddr *)&name, sizeof(name)) != 0) {
			/* The queue is full and so are the places: one has to go. */
			assert_int_equal(errno, EAGAIN);
			assert_true(answered < i);
			close(fds[answered++]);
			ctl_server_work(server);
			ctl_server_work(server);
		}
		ctl_server_work(server);
	}
	assert_true(answered > 0);
	for (int i = answered; i < MANY; i++) {
		char bytes[64];

		assert_true(send(fds[i], "{\"ctl\":1}", 9, 0) == 9);
		while (recv(fds[i], bytes, sizeof(bytes), MSG_DONTWAIT) < 0) {
			assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
			ctl_server_work(server);
		}
		close(fds[i]);
	}
	ctl_server_work(server);
	assert_int_equal(poll(&ready, 1, 0), 0); /* nothing keeps it awake */
	ctl_server_free(server);
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static void finds_the_living(void **state)
{
	struct ctl_server *server = serve();
	struct ctl_peer peers[4];
	struct stat status;
	char dead[128] = "", other[128], file[128], why[128];
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	json_t *request = ctl_request("show", NULL);

	(void)state;
	assert_int_equal(stat(ctl_server_path(server), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(stat(directory, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	/* A socket that nobody listens on, and a file that is none of ours. */
	snprintf(dead, sizeof(dead), "%s/2000000000", directory);
	memcpy(name.sun_path, dead, sizeof(name.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	close(fd);
	snprintf(other, sizeof(other), "%s/readme", directory);
	close(open(other, O_CREAT | O_WRONLY, 0600));
	snprintf(file, sizeof(file), "%s/1999999999", directory);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(ctl_find(peers, COUNT_OF(peers)), 1);
	assert_int_equal(peers[0].pid, getpid());
	assert_false(exists(dead));
	assert_true(exists(other) && exists(file));
	unlink(other);
	unlink(file);
	/* Nobody works: it does not answer. Gone: it is gone. */
	assert_null(ctl_ask(&peers[0], request, 0, why, sizeof(why)));
	assert_string_equal(why, "it does not answer");
	assert_int_equal(ctl_find(peers + 1, 0), 1);
	snprintf(dead, sizeof(dead), "%s", ctl_server_path(server));
	ctl_server_free(server);
	assert_false(exists(dead));
	assert_null(ctl_ask(&peers[0], request, PATIENCE_MS, why, sizeof(why)));
	assert_string_equal(why, "it is gone");
	ctl_close(&peers[0]);
	assert_int_equal(ctl_find(peers, COUNT_OF(peers)), 0);
	json_decref(request);
}

/* Two processes, and a fork's child that must not remove its parent's socket. */
static void answers_another_process(void **state)
{
	struct ctl_server *server = serve();
	pid_t child = fork();
	struct pollfd ready = {.fd = ctl_server_fd(server), .events = POLLIN};
	int status;

	(void)state;
	if (child == 0) {
		struct ctl_peer peers[2];
		json_t *request = ctl_request("deny", "TRNG_RND"), *reply;
		char why[128];
		bool good;

		good = ctl_find(peers, 2) == 1;
		reply = good ? ctl_ask(&peers[0], request, PATIENCE_MS, why, sizeof(why)) : NULL;
		good = reply != NULL && strcmp(string(reply, "name"), "web?") == 0;
		ctl_server_free(server);
		_exit(good ? 0 : 1);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		(void)poll(&ready, 1, 10);
		ctl_server_work(server);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(exists(ctl_server_path(server)));
	assert_int_equal(vm.denials, 1);
	ctl_server_free(server);
}

static void wants_a_safe_directory(void **state)
{
	char why[256] = "";

	(void)state;
	assert_int_equal(chmod(directory, 0777), 0);
	assert_null(ctl_server_new(&subject, why, sizeof(why)));
	assert_non_null(strstr(why, "0700"));
	/* As the package makes /run/hvcgate: nobody removes what is another's. */
	assert_int_equal(chmod(directory, 01777), 0);
	ctl_server_free(serve());
	assert_int_equal(chmod(directory, 0700), 0);
	setenv("HVCGATE_RUNTIME_DIR", "/dev/null", 1);
	assert_null(ctl_server_new(&subject, why, sizeof(why)));
	assert_non_null(strstr(why, "no directory"));
	setenv("HVCGATE_RUNTIME_DIR", "/nowhere/at/all", 1);
	assert_null(ctl_server_new(&subject, why, sizeof(why)));
	assert_non_null(strstr(why, "cannot make"));
	setenv("HVCGATE_RUNTIME_DIR", directory, 1);
}

static void names(void **state)
{
	static const struct {
		const char *argv[5], *name;
	} cases[] = {
		{{"qemu", "-name", "web", NULL}, "web"},
		{{"qemu", "--name", "guest=web,debug-threads=on", NULL}, "web"},
		{{"qemu", "-name", "debug-threads=on,guest=a,,b", NULL}, "a,b"},
		{{"qemu", "-name", "a,,b,process=x", NULL}, "a,b"},
		{{"qemu", "-uuid", "1-2-3", NULL}, "1-2-3"},
		{{"qemu", "-uuid", "1-2-3", "-name", NULL}, "1-2-3"},
		{{"qemu", "-name", "debug-threads=on", NULL}, "42"},
		{{"qemu", "-name", "", NULL}, "42"},
		{{"qemu", "-name", ",", NULL}, "42"},
		{{"qemu", NULL}, "42"},
		{{NULL}, "42"},
	};
	char name[CTL_NAME_MAX], huge[400];
	char *argv[] = {"qemu", "-name", huge, NULL};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		ctl_name((char *const *)cases[i].argv, 42, name);
		assert_string_equal(name, cases[i].name);
	}
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	ctl_name(argv, 42, name);
	assert_int_equal(strlen(name), CTL_NAME_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(shows, fresh),
		cmocka_unit_test_setup(denies, fresh),
		cmocka_unit_test_setup(refuses, fresh),
		cmocka_unit_test_setup(hangs_up_on_too_much, fresh),
		cmocka_unit_test_setup(serves_many, fresh),
		cmocka_unit_test_setup(finds_the_living, fresh),
		cmocka_unit_test_setup(answers_another_process, fresh),
		cmocka_unit_test_setup(wants_a_safe_directory, fresh),
		cmocka_unit_test(names),
	};
	int failed;

	snprintf(directory, sizeof(directory), "/tmp/hvcgate-ctl-%d", (int)getpid());
	setenv("HVCGATE_RUNTIME_DIR", directory, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
