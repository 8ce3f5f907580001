/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything up to the start of QEMU, and the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

#define COULD_NOT_RUN 2

struct run {
	const struct run_options *options;
	struct hvc_policy *policy;
	struct hvc_image *image;
	const uint64_t *revocable; /* functions of the policy */
	uint64_t filter_bytes;     /* for them at EL2 */
	struct run_guest guest;
	struct run_kernel kernel;
	struct run_blob initrd;
	struct run_pieces pieces;
	struct run_machine machine;
	struct run_layout layout;
	uint64_t dtb_bytes;
	void *shared;
	int doorbell, interrupt; /* our ends */
	struct el2_seed seeds[EL2_MAX_SEEDS];
	unsigned int seed_count;
	int signal;
};

static const char *severity_name(enum hvc_severity severity)
{
	return severity == HVC_ERROR ? "error" : "warning";
}

static void print_diags(const struct hvc_diags *diags)
{
	const struct hvc_diag *diag;

	for (size_t i = 0; (diag = hvc_diags_at(diags, i)) != NULL; i++) {
		if (diag->severity == HVC_NOTE) {
			continue; /* `policy check` shows them */
		}
		if (diag->line == 0) {
			fprintf(stderr, "%s: %s: %s\n", diag->file, severity_name(diag->severity),
				diag->message);
		} else {
			fprintf(stderr, "%s:%u:%u: %s: %s\n", diag->file, diag->line, diag->column,
				severity_name(diag->severity), diag->message);
		}
	}
}

/* The engine wants the policy's trusted OS on one of the guest's CPUs. */
static bool has_trusted_cpu(const struct run *run)
{
	const struct hvc_settings *settings = hvc_policy_settings(run->policy);

	if (settings->trusted_os != HVC_TRUSTED_OS_NONE &&
	    settings->trusted_os_cpu >= run->options->smp) {
		run_fail(
			"policy %s: its trusted OS is on CPU %u, and the guest has %u; say --smp %u, or another cpu in trusted-os",
			run->options->policy, (unsigned int)settings->trusted_os_cpu,
			run->options->smp, (unsigned int)settings->trusted_os_cpu + 1);
		return false;
	}
	return true;
}

static bool load_policy(struct run *run)
{
	struct hvc_diags *diags = hvc_diags_new();
	enum hvc_err err = hvc_policy_load(run->options->policy, &run->policy, diags);

	if (err == HVC_OK) {
		run->revocable = hvc_policy_revocable(run->policy);
		err = hvc_policy_compile(run->policy, &run->image, diags);
	}
	print_diags(diags);
	if (err != HVC_OK && (diags == NULL || hvc_diags_count(diags, HVC_ERROR) == 0)) {
		run_fail("policy %s: %s",
			 run->options->policy == NULL ? "(built-in)" : run->options->policy,
			 hvc_err_name(err));
	}
	hvc_diags_free(diags);
	return err == HVC_OK && has_trusted_cpu(run) &&
	       run_revoke_memory(run->image, run->revocable, &run->filter_bytes);
}

static bool load_guest(struct run *run)
{
	const struct run_options *options = run->options;
	const uint64_t mem = options->mem;

	return run_guest_find(options, &run->guest) &&
	       run_kernel_load(run->guest.kernel, mem, &run->kernel) &&
	       run_initrd_load(run->guest.initrd, options->initrd, mem, &run->initrd) &&
	       run_layout_place(&run->kernel, run->initrd.bytes, mem, &run->layout);
}

/* Where the guest sees an address, and where the loader puts it. */
static uint64_t physical(uint64_t ipa)
{
	return ipa - EL2_GUEST_IPA + EL2_GUEST_PA;
}

static bool add_device_tree(struct run *run, const struct run_probe *probe)
{
	const struct run_options *options = run->options;
	const char *own = run->guest.debian ? "console=ttyAMA0 panic=-1" : "";
	struct run_wishes wishes = {.conduit_smc = options->conduit_smc,
				    .mem = options->mem,
				    .initrd = run->layout.initrd,
				    .initrd_bytes = run->initrd.bytes};
	char *bootargs = run_format("%s%s%s", own,
				    *own != '\0' && options->append != NULL ? " " : "",
				    options->append == NULL ? "" : options->append);
	struct run_blob blob;
	void *tree = NULL;
	size_t bytes = 0;
	bool good;

	wishes.bootargs = bootargs;
	wishes.policy = run->policy;
	wishes.model = hvc_image_tables(run->image)->soc_name;
	run_random(wishes.rng_seed, sizeof(wishes.rng_seed), options->deterministic);
	run_random(wishes.kaslr_seed, sizeof(wishes.kaslr_seed), options->deterministic);
	good = run_devicetree_make(probe->tree, probe->bytes, &run->machine, &wishes, &tree,
				   &bytes) &&
	       run_blob_make("device tree", tree, bytes, &blob);
	if (good) {
		run->seed_count = run_devicetree_seeds(tree, run->layout.dtb, run->seeds);
		run_pieces_add(&run->pieces, blob, physical(run->layout.dtb), false);
		run->dtb_bytes = bytes;
	}
	free(tree);
	free(bootargs);
	return good;
}

static void add_blob(struct el2_launch *launch, uint64_t ipa, uint64_t bytes)
{
	if (bytes > 0) {
		launch->blobs[launch->blob_count++] = (struct el2_blob){ipa, bytes};
	}
}

static bool add_launch_block(struct run *run)
{
	const struct run_machine *machine = &run->machine;
	struct el2_launch launch = {
		.magic = EL2_LAUNCH_MAGIC,
		.format = EL2_LAUNCH_FORMAT,
		.bytes = sizeof(launch),
		.flags = (run->options->trace ? EL2_FLAG_TRACE : 0) |
			 (run->options->deterministic ? EL2_FLAG_DETERMINISTIC : 0),
		.cpu_count = machine->cpu_count,
		.gic_version = machine->gic_version,
		.guest_entry = run->layout.kernel,
		.guest_dtb = run->layout.dtb,
		.image_bytes = run->image->bytes,
		.filter_bytes = run->filter_bytes,
		.doorbell_ecam = machine->ecam == 0
					 ? 0
					 : machine->ecam + ((uint64_t)RUN_DOORBELL_SLOT << 15),
		.doorbell_pio = machine->pio,
		.seed_count = run->seed_count,
	};
	struct run_blob blob;

	memcpy(launch.seeds, run->seeds, sizeof(launch.seeds));
	memcpy(launch.mpidr, machine->mpidr, sizeof(launch.mpidr));
	launch.regions[launch.region_count++] = (struct el2_region){.ipa = EL2_GUEST_IPA,
								    .pa = EL2_GUEST_PA,
								    .bytes = run->options->mem,
								    .kind = EL2_RAM};
	for (unsigned int i = 0; i < machine->device_count; i++) {
		launch.regions[launch.region_count++] = machine->devices[i];
	}
	add_blob(&launch, run->layout.kernel, run->kernel.blob.bytes);
	add_blob(&launch, run->layout.dtb, run->dtb_bytes);
	add_blob(&launch, run->layout.initrd, run->initrd.bytes);
	if (!run_blob_make("launch block", &launch, sizeof(launch), &blob)) {
		return false;
	}
	run_pieces_add(&run->pieces, blob, EL2_LAUNCH_PA, false);
	return true;
}

static bool add_all(struct run *run, const struct run_probe *probe)
{
	struct run_blob monitor, image;

	if (!run_devicetree_read(probe->tree, probe->bytes, &run->machine)) {
		return false;
	}
	if (run->machine.cpu_count != run->options->smp ||
	    run->machine.gic_version != run->options->gic) {
		return run_fail("QEMU made another machine than was asked for");
	}
	if (!run_monitor_open("monitor.elf", "HVCGATE_MONITOR", &monitor)) {
		return false;
	}
	run_pieces_add(&run->pieces, monitor, 0, true);
	if (!run_blob_make("policy image", run->image, run->image->bytes, &image)) {
		return false;
	}
	run_pieces_add(&run->pieces, image, EL2_IMAGE_PA, false);
	run_pieces_add(&run->pieces, run->kernel.blob, physical(run->layout.kernel), false);
	if (run->initrd.fd >= 0) {
		run_pieces_add(&run->pieces, run->initrd, physical(run->layout.initrd), false);
	}
	return add_device_tree(run, probe) && add_launch_block(run);
}

static void warn(const struct run_options *options, const struct run *run)
{
	uint64_t advice;

	if (run_layout_is_tight(&run->kernel, run->initrd.bytes, options->mem, &advice)) {
		run_say("warning: --mem %lluM is little for this kernel and initrd: Linux may hang or restart without a "
			"word; %lluM may do",
			(unsigned long long)(options->mem / RUN_MIB),
			(unsigned long long)(advice / RUN_MIB));
	}
	if (options->deterministic) {
		run_say("DETERMINISTIC: every random number of this guest is known to everybody. For tests only.");
	}
	if (run->kernel.flat) {
		run_say("%s has no Image header: a flat binary, loaded and entered at 0x%llx",
			run->guest.name, (unsigned long long)run->layout.kernel);
	}
}

/* A file that results go to; -1 for stderr. Trace and registers may hold secrets of the guest. */
static bool open_output(const char *what, const char *path, int *fd)
{
	struct stat info;

	*fd = -1;
	if (path == NULL) {
		return true;
	}
	/* A FIFO without a reader is an error rather than a wait. */
	*fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (*fd < 0 || fstat(*fd, &info) < 0) {
		return run_fail("%s %s: %s", what, path, strerror(errno));
	}
	if (!S_ISREG(info.st_mode)) {
		return true;
	}
	/* One that was there before: for its owner only, if that is us, before anything is in it. */
	if ((info.st_uid == geteuid() && fchmod(*fd, 0600) < 0) || ftruncate(*fd, 0) < 0) {
		return run_fail("%s %s: %s", what, path, strerror(errno));
	}
	return true;
}

/* The checks that need no QEMU come first; until there is one, a signal may simply end us. */
static int go(struct run *run)
{
	struct run_probe probe = {0};
	struct run_child child = {.pid = 0};
	struct run_session session = {.options = run->options};
	bool good = load_policy(run) && load_guest(run) &&
		    run_pieces_open(run->options, &run->pieces, &run->shared, &run->doorbell) &&
		    run_interrupt_open(&run->interrupt);
	int status = COULD_NOT_RUN;

	good = good &&
	       run_probe_machine(run->options, &run->pieces, run->interrupt, &probe, &run->signal);
	good = good && add_all(run, &probe);
	good = good && open_output("trace", run->options->trace_file, &session.trace_fd) &&
	       open_output("summary", run->options->summary_file, &session.summary_fd);
	free(probe.tree);
	if (!good) {
		return COULD_NOT_RUN;
	}
	warn(run->options, run);
	if (run_pieces_start(run->options, &run->pieces, &child)) {
		session.policy = run->policy;
		session.revocable = run->filter_bytes != 0 ? run->revocable : NULL;
		session.guest = run->guest.name;
		session.shared = run->shared;
		session.child = &child;
		session.doorbell = run->doorbell;
		session.interrupt = run->interrupt;
		status = run_session(&session, &run->signal);
		run_child_end(&child);
	}
	return status;
}

/* A descriptor of ours must not become one of the three. */
static void open_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) {
			exit(COULD_NOT_RUN);
		}
	}
}

int run_main(const struct run_options *options)
{
	struct run run = {.options = options,
			  .kernel.blob = RUN_NO_BLOB,
			  .initrd = RUN_NO_BLOB,
			  .pieces = RUN_NO_PIECES,
			  .doorbell = -1,
			  .interrupt = -1};
	int status;

	/* Guest memory, registers and random seeds pass through here: no core file, and nothing for QEMU, which has the
	 * same user, to attach to or read in /proc. */
	prctl(PR_SET_DUMPABLE, 0);
	open_standard_streams();
	status = go(&run);
	/* Descriptors and mappings end with the process, which is next. */
	free(run.guest.kernel);
	free(run.guest.initrd);
	free(run.guest.name);
	free(run.image);
	hvc_policy_free(run.policy);
	if (run.signal != 0) {
		run_interrupt_raise(run.signal);
	}
	return status;
}
