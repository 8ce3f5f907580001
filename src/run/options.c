/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `hvcgate run`. */
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ctl/ctl.h"
#include "run.h"

enum key {
	KEY_HOST = 0x100,
	KEY_POLICY,
	KEY_NAME,
	KEY_GUEST,
	KEY_KERNEL,
	KEY_INITRD,
	KEY_APPEND,
	KEY_SMP,
	KEY_MEM,
	KEY_CPU,
	KEY_GIC,
	KEY_CONDUIT,
	KEY_TRACE,
	KEY_TRACE_FORMAT,
	KEY_SUMMARY,
	KEY_ON_RESET,
	KEY_TIMEOUT,
	KEY_DETERMINISTIC,
	KEY_QEMU,
	KEY_DISK,
	KEY_NET,
	KEY_DEVICE,
};

static const struct argp_option option_table[] = {
	{"host", KEY_HOST, "el2|kvm", 0,
	 "Who runs it: our monitor at EL2, in QEMU on any machine, or this arm64 machine's KVM, with QEMU under hvcgate exec (default: el2)",
	 0},
	{"policy", KEY_POLICY, "FILE", 0,
	 "Policy that answers the guest's calls (default: profile hvcgate-1, unchanged)", 0},
	{"name", KEY_NAME, "NAME", 0,
	 "What 'hvcgate ctl' calls this guest (default: the number of this process)", 0},
	{"guest", KEY_GUEST, "NAME", 0,
	 "debian (Debian 12), debian-11 or debian-13, as scripts/fetch-guest got it (default: debian)",
	 1},
	{"kernel", KEY_KERNEL, "IMAGE", 0,
	 "Your own: an arm64 Image (raw, gzip, EFI zboot), or a flat binary, which is loaded and entered at RAM + 0x80000 (RAM is at 0x40000000)",
	 1},
	{"initrd", KEY_INITRD, "FILE", 0,
	 "Initrd; with --guest, a second archive over the guest's own", 1},
	{"append", KEY_APPEND, "TEXT", 0, "More for the kernel's command line", 1},
	{"smp", KEY_SMP, "N", 0, "CPUs, 1 to 8 (default: 2)", 2},
	{"mem", KEY_MEM, "SIZE", 0, "Guest memory, such as 512M or 6G (default: 512M)", 2},
	{"cpu", KEY_CPU, "MODEL", 0,
	 "cortex-a53, -a57, -a72, -a76, neoverse-n1, a64fx, max... with QEMU's properties behind a comma (default: cortex-a72; on kvm host, and nothing else)",
	 2},
	{"gic", KEY_GIC, "2|3", 0, "Version of the interrupt controller (default: 3)", 2},
	{"conduit", KEY_CONDUIT, "hvc|smc", 0,
	 "What the device tree tells the guest to call with (default: hvc); both are answered", 2},
	{"trace", KEY_TRACE, "FILE", OPTION_ARG_OPTIONAL, "A line a call, on stderr or into FILE",
	 3},
	{"trace-format", KEY_TRACE_FORMAT, "text|json", 0, "JSON: an object a line (default: text)",
	 3},
	{"summary", KEY_SUMMARY, "FORMAT[:FILE]", 0,
	 "table, json or none, at the end, on stderr or into FILE (default: table)", 3},
	{"on-reset", KEY_ON_RESET, "continue|exit", 0,
	 "When the guest resets: boot it again, or end with status 1 (default: exit)", 4},
	{"timeout", KEY_TIMEOUT, "SECONDS", 0, "End with status 1 after this time", 4},
	{"deterministic", KEY_DETERMINISTIC, NULL, 0,
	 "Two runs are alike to the instruction; the guest's random numbers are then known to everybody",
	 4},
	{"qemu", KEY_QEMU, "PATH", 0, "QEMU to use (default: qemu-system-aarch64)", 4},
	{"drive", KEY_DISK, "X", OPTION_HIDDEN, NULL, 9},
	{"disk", KEY_DISK, "X", OPTION_ALIAS | OPTION_HIDDEN, NULL, 9},
	{"hda", KEY_DISK, "X", OPTION_ALIAS | OPTION_HIDDEN, NULL, 9},
	{"blockdev", KEY_DISK, "X", OPTION_ALIAS | OPTION_HIDDEN, NULL, 9},
	{"net", KEY_NET, "X", OPTION_HIDDEN, NULL, 9},
	{"netdev", KEY_NET, "X", OPTION_ALIAS | OPTION_HIDDEN, NULL, 9},
	{"nic", KEY_NET, "X", OPTION_ALIAS | OPTION_HIDDEN, NULL, 9},
	{"device", KEY_DEVICE, "X", OPTION_HIDDEN, NULL, 9},
	{0},
};

static const char doc[] =
	"Run an unmodified arm64 guest under a policy: every HVC and SMC it makes is answered by hvcgate's "
	"engine at EL2, in QEMU, on any machine.\v"
	"On a terminal Ctrl-C or Ctrl-A x ends the run; Ctrl-A c sends Ctrl-C to the guest, Ctrl-A Ctrl-A a "
	"Ctrl-A. Console on stdin and stdout; trace and summary on stderr.\n"
	"\n"
	"Exit status: 0 the guest powered off; 1 it reset (--on-reset exit) or switched off its last CPU, "
	"the time was over, the run was ended from the keyboard, or the monitor failed; 2 it could not run.\n"
	"\n"
	"Examples:\n"
	"  hvcgate run --policy no-trng.yaml --trace --append hvcgate.poweroff\n"
	"  hvcgate run --kernel Image --initrd my.cpio --smp 4 --mem 1G\n"
	"  hvcgate run --trace=calls.json --trace-format json --summary none";

/* --- Values. argp_error() says what is wrong and ends the process with status 2. */

/* A number would be taken for a process's. */
static void parse_name(const char *text, struct argp_state *state, struct run_options *options)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (*text == '\0' || strlen(text) >= CTL_NAME_MAX || strspn(text, good) != strlen(text) ||
	    strspn(text, "0123456789") == strlen(text)) {
		argp_error(
			state,
			"--name %s: up to %d letters, digits, '.', '_' and '-' are wanted, and not digits only",
			text, CTL_NAME_MAX - 1);
	}
	options->name = text;
}

static void parse_smp(const char *text, struct argp_state *state, struct run_options *options)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < 1 || value > EL2_MAX_CPUS) {
		argp_error(state, "--smp %s: a number of CPUs from 1 to %d is wanted", text,
			   EL2_MAX_CPUS);
	}
	options->smp = (unsigned int)value;
}

static void parse_mem(const char *text, struct argp_state *state, struct run_options *options)
{
	char *end;
	unsigned long long value;
	uint64_t unit = RUN_MIB;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end == 'G' || *end == 'g') {
		unit = 1024 * RUN_MIB;
		end++;
	} else if (*end == 'M' || *end == 'm') {
		end++;
	}
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0) {
		argp_error(state, "--mem %s: a size such as 512M or 6G is wanted (no letter: M)",
			   text);
	}
	if (value > RUN_MEM_MAX / unit || value * unit < RUN_MEM_MIN) {
		argp_error(state, "--mem %s: must be from %lluM to %lluG", text,
			   (unsigned long long)(RUN_MEM_MIN / RUN_MIB),
			   (unsigned long long)(RUN_MEM_MAX / RUN_MIB / 1024));
	}
	if (value * unit % (2 * RUN_MIB) != 0) {
		argp_error(state, "--mem %s: must be a multiple of 2M; %lluM is one", text,
			   value + 1);
	}
	options->mem = value * unit;
}

static bool listed(const char *name, size_t length, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strlen(*list) == length && strncmp(*list, name, length) == 0) {
			return true;
		}
	}
	return false;
}

/* Is it a CPU that el2 has? */
static void check_model(const char *text, struct argp_state *state)
{
	static const char *const good[] = {"cortex-a35",  "cortex-a53",  "cortex-a55",
					   "cortex-a57",  "cortex-a72",  "cortex-a76",
					   "cortex-a710", "neoverse-n1", "neoverse-n2",
					   "neoverse-v1", "a64fx",       "max",
					   NULL};
	static const char *const only32[] = {"cortex-a7", "cortex-a8", "cortex-a9", "cortex-a15",
					     "arm926",    "arm1176",   NULL};
	static const char *const other[] = {"host", "kvm64", NULL};
	const size_t length = strcspn(text, ",");

	if (listed(text, length, only32)) {
		argp_error(state, "--cpu %s: is a 32-bit CPU; guests here are AArch64", text);
	}
	if (listed(text, length, other)) {
		argp_error(
			state,
			"--cpu %s: there is no such CPU under emulation; 'max' has every feature",
			text);
	}
	if (!listed(text, length, good)) {
		argp_error(
			state,
			"--cpu %s: unknown model; known are cortex-a35, cortex-a53, cortex-a55, "
			"cortex-a57, cortex-a72, cortex-a76, cortex-a710, neoverse-n1, neoverse-n2, "
			"neoverse-v1, a64fx and max, as far as QEMU has them",
			text);
	}
}

/* KVM has the machine's own CPU. */
static void check_host_model(const char *text, struct argp_state *state)
{
	static const char *const good[] = {"host", NULL};

	if (!listed(text, strcspn(text, ","), good)) {
		argp_error(state,
			   "--cpu %s: on kvm there is one, host, with properties behind a comma",
			   text);
	}
}

static void parse_cpu(const char *text, struct argp_state *state, struct run_options *options)
{
	if (options->host == RUN_HOST_KVM) {
		check_host_model(text, state);
	} else {
		check_model(text, state);
	}
	if (snprintf(options->cpu, sizeof(options->cpu), "%s", text) >= (int)sizeof(options->cpu)) {
		argp_error(state, "--cpu %s...: has more than %zu characters", options->cpu,
			   sizeof(options->cpu) - 1);
	}
	if (strstr(options->cpu, ",,") != NULL ||
	    options->cpu[strspn(options->cpu, "abcdefghijklmnopqrstuvwxyz0123456789-_.,=")] !=
		    '\0') {
		argp_error(state, "--cpu %s: properties are name=value, comma separated",
			   options->cpu);
	}
	if (strstr(options->cpu, "aarch64=off") != NULL) {
		argp_error(state, "--cpu %s: guests here are AArch64", options->cpu);
	}
}

void run_parse_summary(const char *text, struct argp_state *state, enum run_format *format,
		       const char **file)
{
	const size_t length = strcspn(text, ":");

	if (strncmp(text, "table", length) == 0 && length == 5) {
		*format = RUN_FORMAT_TEXT;
	} else if (strncmp(text, "json", length) == 0 && length == 4) {
		*format = RUN_FORMAT_JSON;
	} else if (strcmp(text, "none") == 0) {
		*format = RUN_FORMAT_NONE;
	} else {
		argp_error(state,
			   "--summary %s: table, json or none is wanted; the first two with :FILE",
			   text);
	}
	*file = text[length] == ':' ? text + length + 1 : NULL;
}

static void parse_timeout(const char *text, struct argp_state *state, struct run_options *options)
{
	char *end;

	options->timeout = strtod(text, &end);
	if (end == text || *end != '\0' || !(options->timeout > 0.0) || options->timeout > 1e9) {
		argp_error(state, "--timeout %s: a number of seconds above 0 is wanted", text);
	}
}

/* One of two words. */
static bool parse_choice(const char *option, const char *text, const char *no, const char *yes,
			 struct argp_state *state)
{
	if (strcmp(text, yes) != 0 && strcmp(text, no) != 0) {
		argp_error(state, "--%s %s: %s or %s is wanted", option, text, no, yes);
	}
	return strcmp(text, yes) == 0;
}

/* What KVM, or QEMU with it, does not have. */
static void check_kvm(const struct run_options *options, struct argp_state *state)
{
	if (options->deterministic) {
		argp_error(state, "--deterministic: real CPUs are not; there is --host el2");
	}
	if (options->conduit_smc) {
		argp_error(state, "--conduit smc: on kvm the device tree is QEMU's and says hvc");
	}
	if (options->timeout > 0.0) {
		argp_error(state,
			   "--timeout: on kvm this process becomes QEMU; timeout(1) ends it");
	}
}

static error_t finish(struct argp_state *state, const char *cpu, struct run_options *options)
{
	if (options->host == RUN_HOST_KVM) {
		check_kvm(options, state);
	}
	parse_cpu(cpu != NULL                     ? cpu
		  : options->host == RUN_HOST_KVM ? "host"
						  : "cortex-a72",
		  state, options);
	if (options->guest != NULL && options->kernel != NULL) {
		argp_error(state, "--guest and --kernel exclude each other");
	}
	if (options->guest == NULL) {
		options->guest = "debian";
	}
	if (options->trace_json && !options->trace) {
		argp_error(state, "--trace-format is for --trace, which is not given");
	}
	return 0;
}

/* Options may stand in any order: for both hosts. */
static error_t refuse(int key, struct argp_state *state)
{
	const char *reason =
		"el2 has no DMA isolation yet: a device could read and write the monitor's memory; on an arm64 machine "
		"hvcgate exec runs any QEMU";

	if (key == KEY_DISK) {
		argp_error(state, "there are no disks: %s; give files in an initrd (--initrd)",
			   reason);
	} else if (key == KEY_NET) {
		argp_error(state, "there is no network: %s", reason);
	} else {
		argp_error(state, "devices cannot be added: %s", reason);
	}
	return EINVAL;
}

/* Which CPUs there are depends on --host, which may come later. */
struct parsed {
	struct run_options *options;
	const char *cpu;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct parsed *parsed = state->input;
	struct run_options *options = parsed->options;

	switch (key) {
	case KEY_HOST:
		options->host = parse_choice("host", text, "el2", "kvm", state) ? RUN_HOST_KVM
										: RUN_HOST_EL2;
		return 0;
	case KEY_POLICY:
		options->policy = text;
		return 0;
	case KEY_NAME:
		parse_name(text, state, options);
		return 0;
	case KEY_GUEST:
		options->guest = text;
		return 0;
	case KEY_KERNEL:
		options->kernel = text;
		return 0;
	case KEY_INITRD:
		options->initrd = text;
		return 0;
	case KEY_APPEND:
		options->append = text;
		return 0;
	case KEY_SMP:
		parse_smp(text, state, options);
		return 0;
	case KEY_MEM:
		parse_mem(text, state, options);
		return 0;
	case KEY_CPU:
		parsed->cpu = text;
		return 0;
	case KEY_GIC:
		options->gic = parse_choice("gic", text, "2", "3", state) ? 3 : 2;
		return 0;
	case KEY_CONDUIT:
		options->conduit_smc = parse_choice("conduit", text, "hvc", "smc", state);
		return 0;
	case KEY_TRACE:
		options->trace = true;
		options->trace_file = text;
		return 0;
	case KEY_TRACE_FORMAT:
		options->trace_json = parse_choice("trace-format", text, "text", "json", state);
		return 0;
	case KEY_SUMMARY:
		run_parse_summary(text, state, &options->summary, &options->summary_file);
		return 0;
	case KEY_ON_RESET:
		options->reset_continues = parse_choice("on-reset", text, "exit", "continue",
							state);
		return 0;
	case KEY_TIMEOUT:
		parse_timeout(text, state, options);
		return 0;
	case KEY_DETERMINISTIC:
		options->deterministic = true;
		return 0;
	case KEY_QEMU:
		options->qemu = text;
		return 0;
	case KEY_DISK:
	case KEY_NET:
	case KEY_DEVICE:
		return refuse(key, state);
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is no option; a kernel is given with --kernel", text);
		return EINVAL;
	case ARGP_KEY_END:
		return finish(state, parsed->cpu, options);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void run_options_parse(int argc, char **argv, struct run_options *options)
{
	static const struct argp argp = {.options = option_table, .parser = parse, .doc = doc};

	struct parsed parsed = {.options = options};

	*options = (struct run_options){.smp = 2,
					.gic = 3,
					.mem = 512 * RUN_MIB,
					.summary = RUN_FORMAT_TEXT,
					.qemu = "qemu-system-aarch64"};
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &parsed);
}
