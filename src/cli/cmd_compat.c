/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate compat: can a guest move from one host to another, and what makes it possible. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "compat_print.h"
#include "moves.h"

#define MAX_RECORDS 64

struct arguments {
	struct args args;
	const char *policy, *vmm, *fix;
	bool matrix;
};

static void check_words(const struct arguments *arguments, struct argp_state *state)
{
	if (arguments->matrix &&
	    (arguments->args.count < 2 || arguments->args.count > MAX_RECORDS)) {
		argp_error(state, "--matrix wants 2 to %d records", MAX_RECORDS);
	} else if (!arguments->matrix && arguments->args.count != 2) {
		argp_error(state, "which two? FROM and TO");
	} else if (arguments->matrix && arguments->fix != NULL) {
		argp_error(state, "--fix is for one FROM and TO");
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'p':
		arguments->policy = arg;
		return 0;
	case 'v':
		if (!compat_vmm_known(arg)) {
			argp_error(state, "--vmm is qemu-7.2, qemu-10.0 or qemu-11.1, not '%s'",
				   arg);
		}
		arguments->vmm = arg;
		return 0;
	case 'x':
		arguments->fix = arg;
		return 0;
	case 'm':
		arguments->matrix = true;
		return 0;
	case ARGP_KEY_END:
		check_words(arguments, state);
		return 0;
	default:
		return args_parse(key, arg, state, &arguments->args, "which two? FROM and TO");
	}
}

static const struct argp_option options[] = {
	ARGS_FORMAT,
	{"policy", 'p', "FILE", 0, "The source runs under this policy", 0},
	{"vmm", 'v', "NAME", 0, "qemu-7.2, qemu-10.0 (default) or qemu-11.1", 0},
	{"fix", 'x', "FILE", 0, "Write a policy for the source, a new file", 0},
	{"matrix", 'm', NULL, 0, "Every pair of the records", 0},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FROM TO\n--matrix RECORD...",
	.doc = "Can a guest move from one KVM host to another? A record is a file of hvcgate probe --format json, "
	       "or one that is built in: linux-5.10, linux-6.12, linux-7.x (the newest of 7).\v"
	       "Exit status: 0 it needs nothing, 1 it needs something or cannot, 2 usage or a bad record.\n\n"
	       "Example: hvcgate compat linux-7.x linux-6.12",
};

static struct compat_host *open_host(const char *name)
{
	char why[400] = "";
	struct compat_host *host = compat_host_open(name, why, sizeof(why));

	if (host == NULL) {
		out_error("%s", why);
	}
	return host;
}

static int status_of(const struct compat_result *result)
{
	return result->need == COMPAT_NOTHING && result->all_compared ? CLI_OK : CLI_FINDING;
}

/* --- --fix */
static bool write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wx");
	bool fine;

	if (file == NULL) {
		out_error("%s: %s", path, strerror(errno));
		return false;
	}
	fine = fputs(text, file) >= 0;
	if (fclose(file) != 0 || !fine) {
		out_error("%s: cannot write: %s", path, strerror(errno));
		(void)remove(path);
		return false;
	}
	return true;
}

/* Write the policy, load it as `exec` would, and compare once more under it. */
static struct compat_result *fix(const struct arguments *arguments, const struct compat_host *from,
				 const struct compat_host *to)
{
	struct compat_options with = {.vmm = arguments->vmm};
	struct compat_result *result = NULL;
	char *text = compat_fix(from, to);
	struct hvc_policy *policy = NULL;
	int status;

	if (text == NULL) {
		out_error("%s: there is no profile of its kernel to make a policy of", from->name);
	} else if (write_file(arguments->fix, text)) {
		policy = out_load_policy(arguments->fix, true, &status);
	}
	if (policy != NULL) {
		with.settings = hvc_policy_settings(policy);
		with.hidden = policy_hidden(policy, &with.hidden_count);
		result = compat_new(from, to, &with);
		hvc_policy_free(policy);
	}
	free(text);
	return result;
}

static void print_fixed(const char *path, const struct compat_result *fixed)
{
	printf("%s: written; under it ", path);
	if (fixed->obstacle_count == 0) {
		printf("nothing else is in the way\n");
		return;
	}
	printf("still in the way: %s", fixed->obstacles[0].from.name);
	if (fixed->obstacle_count > 1) {
		printf(" and %u more", fixed->obstacle_count - 1);
	}
	printf(" (%s)\n", compat_need_name(fixed->need));
}

static int print_pair(const struct arguments *arguments, const struct compat_host *from,
		      const struct compat_host *to, const struct compat_result *result)
{
	struct compat_result *fixed = arguments->fix != NULL ? fix(arguments, from, to) : NULL;
	int status = status_of(result);
	json_t *json;

	if (arguments->fix != NULL && fixed == NULL) {
		return CLI_USAGE;
	}
	if (arguments->args.format == OUT_JSON) {
		json = compat_json(from, to, arguments->vmm, result, arguments->policy);
		if (json != NULL && fixed != NULL) {
			json_object_set_new(json, "fixed",
					    compat_json(from, to, arguments->vmm, fixed,
							arguments->fix));
		}
		compat_free(fixed);
		return out_json(json, status);
	}
	compat_print(from, to, arguments->vmm, result, arguments->policy);
	if (fixed != NULL) {
		print_fixed(arguments->fix, fixed);
	}
	compat_free(fixed);
	return out_finish(status);
}

/* --- --matrix */
static void print_cell(const struct compat_result *result)
{
	static const char *const words[] = {"yes", "dest", "source", "no"};
	char text[16];

	snprintf(text, sizeof(text), "%s%s", words[result->need], result->all_compared ? "" : "?");
	printf(" %-8s", text);
}

/* One row: from a host to each; its JSON goes to the list, if there is one. */
static int print_row(const struct arguments *arguments, struct compat_host *const *hosts, int from,
		     const struct compat_options *with, json_t *list)
{
	int status = CLI_OK;

	for (int to = 0; to < arguments->args.count; to++) {
		struct compat_result *result = compat_new(hosts[from], hosts[to], with);

		if (result == NULL) {
			out_error("out of memory");
			return CLI_USAGE;
		}
		status = status_of(result) > status ? status_of(result) : status;
		if (list == NULL) {
			print_cell(result);
		} else {
			json_array_append_new(list,
					      compat_json(hosts[from], hosts[to], arguments->vmm,
							  result, arguments->policy));
		}
		compat_free(result);
	}
	return status;
}

static int matrix_json(const struct arguments *arguments, struct compat_host *const *hosts,
		       const struct compat_options *with)
{
	json_t *list = json_array();
	int status = CLI_OK;

	for (int from = 0; from < arguments->args.count && status != CLI_USAGE; from++) {
		int row = print_row(arguments, hosts, from, with, list);

		status = row > status ? row : status;
	}
	return out_json(list, status);
}

static int print_matrix(const struct arguments *arguments, struct compat_host *const *hosts,
			const struct compat_options *with)
{
	const int count = arguments->args.count;
	int status = CLI_OK;

	printf("%-26s", "from, to:");
	for (int to = 0; to < count; to++) {
		printf(" %-8d", to + 1);
	}
	putchar('\n');
	for (int from = 0; from < count && status != CLI_USAGE; from++) {
		int row;

		printf("%2d %-23s", from + 1, hosts[from]->name);
		row = print_row(arguments, hosts, from, with, NULL);
		status = row > status ? row : status;
		putchar('\n');
	}
	printf("yes: needs nothing; dest: exec at the destination; source: started under exec there; no: impossible;\n"
	       "?: only feature registers compared, for the CPUs differ\n");
	return out_finish(status);
}

static int compare(const struct arguments *arguments, struct compat_host *const *hosts,
		   const struct compat_options *with)
{
	struct compat_result *result;
	int status;

	if (arguments->matrix) {
		return arguments->args.format == OUT_JSON ? matrix_json(arguments, hosts, with)
							  : print_matrix(arguments, hosts, with);
	}
	result = compat_new(hosts[0], hosts[1], with);
	if (result == NULL) {
		out_error("out of memory");
		return CLI_USAGE;
	}
	status = print_pair(arguments, hosts[0], hosts[1], result);
	compat_free(result);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {.args = {.format = OUT_TEXT}, .vmm = "qemu-10.0"};
	struct compat_host *hosts[MAX_RECORDS] = {NULL};
	struct compat_options with = {NULL, NULL, NULL, 0};
	struct hvc_policy *policy = NULL;
	int status = CLI_OK, count;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	with.vmm = arguments.vmm;
	if (arguments.policy != NULL) {
		policy = out_load_policy(arguments.policy, false, &status);
		if (policy == NULL) {
			return CLI_USAGE;
		}
		with.settings = hvc_policy_settings(policy);
		with.hidden = policy_hidden(policy, &with.hidden_count);
	}
	for (count = 0; count < arguments.args.count && status == CLI_OK; count++) {
		hosts[count] = open_host(arguments.args.words[count]);
		status = hosts[count] != NULL ? CLI_OK : CLI_USAGE;
	}
	if (status == CLI_OK) {
		status = compare(&arguments, hosts, &with);
	}
	for (int n = 0; n < count; n++) {
		compat_host_free(hosts[n]);
	}
	hvc_policy_free(policy);
	return status;
}

const struct cli_verb cli_compat = {
	.name = "compat",
	.summary = "Can a guest move from one KVM host to another",
	.run = run,
};
