/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate ctl: the VMs of this machine that run under hvcgate, asked and told. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ctl/ctl.h"
#include "args.h"
#include "cli.h"
#include "ctl_print.h"
#include "ctl_top.h"

enum { VMS = 1024, PATIENCE_MS = 3000 };

/* --- Which VM. */
static struct ctl_peer peers[VMS];

static void close_all(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		ctl_close(&peers[i]);
	}
}

static size_t find(void)
{
	const size_t count = ctl_find(peers, VMS);

	return count < VMS ? count : VMS;
}

/* What a VM's process says of itself; NULL: it went away just now, or does not answer, which is said. */
static json_t *show(const struct ctl_peer *peer)
{
	json_t *request = ctl_request("show", NULL), *reply;
	char why[160];

	reply = ctl_ask(peer, request, PATIENCE_MS, why, sizeof(why));
	json_decref(request);
	if (reply == NULL && strcmp(why, "it is gone") != 0) {
		out_error("process %d: %s", (int)peer->pid, why);
	}
	return reply;
}

static bool is_named(const json_t *vm, const char *name)
{
	const char *own = json_string_value(json_object_get(vm, "name"));
	char pid[24];

	snprintf(pid, sizeof(pid), "%lld",
		 (long long)json_integer_value(json_object_get(vm, "pid")));
	return strcmp(pid, name) == 0 || (own != NULL && strcmp(own, name) == 0);
}

static struct ctl_peer *none_such(const char *name, size_t vms)
{
	if (vms == 0) {
		out_error("no VM '%s': hvcgate ctl list finds none at all", name);
	} else {
		out_error("no VM '%s'; hvcgate ctl list says which there are", name);
	}
	return NULL;
}

/* By name or PID; *vm, if not NULL, is what it says of itself. Others are closed. NULL: said. */
static struct ctl_peer *choose(const char *name, json_t **vm)
{
	const size_t count = find();
	struct ctl_peer *chosen = NULL;
	unsigned int named = 0;
	json_t *its = NULL;

	for (size_t i = 0; i < count; i++) {
		json_t *one = show(&peers[i]);

		if (one != NULL && is_named(one, name)) {
			named++;
			json_decref(its);
			its = one;
			chosen = &peers[i];
		} else {
			json_decref(one);
		}
	}
	if (named > 1) {
		out_error("%u VMs are named '%s': say the PID (hvcgate ctl list)", named, name);
		chosen = NULL;
	} else if (named == 0) {
		none_such(name, count);
	}
	for (size_t i = 0; i < count; i++) {
		if (&peers[i] != chosen) {
			ctl_close(&peers[i]);
		}
	}
	if (vm != NULL && chosen != NULL) {
		*vm = json_incref(its);
	}
	json_decref(its);
	return chosen;
}

/* --- list */
static error_t parse_list(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARGS) {
		argp_error(state, "no argument is taken: '%s'", state->argv[state->next]);
	}
	return args_parse(key, arg, state, state->input, NULL);
}

static const struct argp_option format_option[] = {ARGS_FORMAT, {0}};

static const struct argp list_argp = {
	.options = format_option,
	.parser = parse_list,
	.doc = "The VMs that run under hvcgate and that you may ask: sockets of yours and root's in $XDG_RUNTIME_DIR/hvcgate and "
	       "/run/hvcgate; for root, of anybody there.\v"
	       "Exit status: 0, 2 usage.\n\nExample: hvcgate ctl list",
};

static int list(int argc, char **argv)
{
	struct args args = {0};
	json_t *vms = json_array();
	size_t count;

	argp_parse(&list_argp, argc, argv, 0, NULL, &args);
	count = find();
	for (size_t i = 0; i < count; i++) {
		json_t *vm = show(&peers[i]);

		if (vm != NULL) {
			json_array_append_new(vms, vm);
		}
	}
	close_all(count);
	if (args.format == OUT_JSON) {
		return out_json(ctl_json_list(vms), CLI_OK);
	}
	ctl_print_list(vms);
	json_decref(vms);
	return out_finish(CLI_OK);
}

/* --- show */
static error_t parse_vm(int key, char *arg, struct argp_state *state)
{
	const struct args *args = state->input;

	if (key == ARGP_KEY_END && args->count != 1) {
		argp_error(state, args->count == 0 ? "which VM? its name or PID (hvcgate ctl list)"
						   : "one VM is taken");
	}
	return args_parse(key, arg, state, state->input, NULL);
}

static const struct argp show_argp = {
	.options = format_option,
	.parser = parse_vm,
	.args_doc = "VM",
	.doc = "All that is known of a VM: policy, plan, handlers, calls by function, what can be shut off.\v"
	       "VM is a name or a PID. Exit status: 0, 2 usage, no such VM.\n\nExample: hvcgate ctl show web",
};

static int show_one(int argc, char **argv)
{
	struct args args = {0};
	json_t *vm = NULL;
	struct ctl_peer *peer;

	argp_parse(&show_argp, argc, argv, 0, NULL, &args);
	peer = choose(args.words[0], &vm);
	if (peer == NULL) {
		return CLI_USAGE;
	}
	ctl_close(peer);
	if (args.format == OUT_JSON) {
		return out_json(vm, CLI_OK);
	}
	ctl_print_show(vm);
	json_decref(vm);
	return out_finish(CLI_OK);
}

/* --- top */
struct top_args {
	struct args args; /* first */
	unsigned long count;
};

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	struct top_args *top = state->input;
	char *end;

	if (key != 'n') {
		return parse_vm(key, arg, state);
	}
	top->count = strtoul(arg, &end, 10);
	if (*end != '\0' || arg[0] < '0' || arg[0] > '9' || top->count == 0 ||
	    top->count > 1000000) {
		argp_error(state, "--count is a number from 1 to 1000000, not '%s'", arg);
	}
	return 0;
}

static const struct argp_option top_options[] = {
	ARGS_FORMAT,
	{"count", 'n', "N", 0, "End after so many tables, a second apart", 0},
	{0},
};

static const struct argp top_argp = {
	.options = top_options,
	.parser = parse_top,
	.args_doc = "VM",
	.doc = "Calls of a VM by function and second, until q or Ctrl-C; where the output is no terminal, a table each "
	       "second.\v"
	       "VM is a name or a PID. Exit status: 0 (also when the VM ends), 2 usage, no such VM.\n\n"
	       "Example: hvcgate ctl top web\n"
	       "         hvcgate ctl top web --count 60 --format json > calls.json",
};

static int top(int argc, char **argv)
{
	struct top_args args = {0};
	struct ctl_peer *peer;
	int status;

	argp_parse(&top_argp, argc, argv, 0, NULL, &args);
	peer = choose(args.args.words[0], NULL);
	if (peer == NULL) {
		return CLI_USAGE;
	}
	status = ctl_top(peer, args.count, args.args.format);
	ctl_close(peer);
	return status;
}

/* --- deny */
static error_t parse_deny(int key, char *arg, struct argp_state *state)
{
	const struct args *args = state->input;

	if (key == ARGP_KEY_END && args->count != 2) {
		argp_error(state, "a VM and a function are taken: hvcgate ctl deny VM TRNG_RND");
	}
	return args_parse(key, arg, state, state->input, NULL);
}

static const struct argp deny_argp = {
	.options = format_option,
	.parser = parse_deny,
	.args_doc = "VM FUNCTION",
	.doc = "Shut a function off while the guest runs: from then on it reads NOT_SUPPORTED, for good. Only functions that "
	       "the VM's policy names in 'revocable'; others are refused.\v"
	       "VM is a name or a PID. Doing it again is fine. Exit status: 0 it is off, 1 refused, 2 usage, no such VM.\n\n"
	       "Example: hvcgate ctl deny web TRNG_RND",
};

static json_t *ask_deny(const struct ctl_peer *peer, const char *function)
{
	json_t *request = ctl_request("deny", function), *reply;
	char why[160];

	reply = ctl_ask(peer, request, PATIENCE_MS, why, sizeof(why));
	json_decref(request);
	if (reply == NULL) {
		out_error("process %d: %s", (int)peer->pid, why);
	}
	return reply;
}

static int deny(int argc, char **argv)
{
	struct args args = {0};
	struct ctl_peer *peer;
	json_t *reply;
	int status;

	argp_parse(&deny_argp, argc, argv, 0, NULL, &args);
	peer = choose(args.words[0], NULL);
	if (peer == NULL) {
		return CLI_USAGE;
	}
	reply = ask_deny(peer, args.words[1]);
	ctl_close(peer);
	if (reply == NULL) {
		return CLI_USAGE;
	}
	status = json_object_get(reply, "error") == NULL ? CLI_OK : CLI_FINDING;
	if (args.format == OUT_JSON) {
		return out_json(reply, status);
	}
	ctl_print_deny(reply);
	json_decref(reply);
	return out_finish(status);
}

/* --- The verb. */
static const struct cli_verb cli_ctl_list = {"list", "The VMs that run under hvcgate", list};
static const struct cli_verb cli_ctl_show = {"show", "All that is known of a VM", show_one};
static const struct cli_verb cli_ctl_top = {"top", "Its calls by function, each second", top};
static const struct cli_verb cli_ctl_deny = {"deny", "Shut a function off while it runs", deny};
static const struct cli_verb *const verbs[] = {&cli_ctl_list, &cli_ctl_show, &cli_ctl_top,
					       &cli_ctl_deny, NULL};

static int run(int argc, char **argv)
{
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		printf("usage: hvcgate ctl VERB [OPTION...] ...\n\n"
		       "VMs that run under hvcgate, on this machine.\n\n");
		cli_list_verbs(verbs);
		printf("\nExample: hvcgate ctl deny web TRNG_RND\n");
		return out_finish(CLI_OK);
	}
	if (argc < 2) {
		out_error("ctl does what? list, show, top or deny; see hvcgate ctl --help");
		return CLI_USAGE;
	}
	return cli_dispatch("hvcgate ctl", verbs, argc, argv);
}

const struct cli_verb cli_ctl = {
	.name = "ctl",
	.summary = "See running VMs and shut calls of theirs off",
	.run = run,
};
