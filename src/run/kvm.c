/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hvcgate run --host kvm`: the command line of an unmodified QEMU with KVM, for `hvcgate exec`. Kernel and initrd are read here,
 * as for el2, and reach QEMU as descriptors that it inherits.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>

#include "run.h"

#ifdef __aarch64__
#define ARM64 true
#else
#define ARM64 false
#endif

static void add2(struct run_args *args, const char *option, const char *value)
{
	run_args_add(args, "%s", option);
	run_args_add(args, "%s", value);
}

static void add_machine(const struct run_options *options, struct run_args *args)
{
	add2(args, options->qemu, "-nodefaults");
	run_args_add(args, "-no-user-config");
	if (options->name != NULL) {
		run_args_add(args, "-name");
		run_args_add(args, "guest=%s", options->name);
	}
	run_args_add(args, "-M");
	run_args_add(args, "virt,gic-version=%u", options->gic);
	add2(args, "-accel", "kvm");
	add2(args, "-cpu", options->cpu);
	run_args_add(args, "-smp");
	run_args_add(args, "%u", options->smp);
	run_args_add(args, "-m");
	run_args_add(args, "%lluM", (unsigned long long)(options->mem / RUN_MIB));
	add2(args, "-nic", "none");
	add2(args, "-display", "none");
	/* Ctrl-A x ends it, Ctrl-C goes to the guest. */
	add2(args, "-serial", "mon:stdio");
	if (!options->reset_continues) {
		run_args_add(args, "-no-reboot");
	}
}

/* A descriptor that stays open in QEMU. */
static bool add_file(const char *option, struct run_blob blob, struct run_args *args)
{
	char *path;

	if (fcntl(blob.fd, F_SETFD, 0) != 0) {
		return run_fail("%s: no descriptor for QEMU", option);
	}
	path = run_fd_path(blob.fd);
	add2(args, option, path);
	free(path);
	return true;
}

static bool add_guest(const struct run_options *options, struct run_args *args)
{
	struct run_guest guest;
	struct run_kernel kernel = {.blob = RUN_NO_BLOB};
	struct run_blob initrd = RUN_NO_BLOB;
	bool good = run_guest_find(options, &guest) &&
		    run_kernel_load(guest.kernel, options->mem, &kernel) &&
		    run_initrd_load(guest.initrd, options->initrd, options->mem, &initrd) &&
		    add_file("-kernel", kernel.blob, args) &&
		    (initrd.fd < 0 || add_file("-initrd", initrd, args));
	char *append = run_format("%s%s%s", guest.debian ? "console=ttyAMA0 panic=-1" : "",
				  guest.debian && options->append != NULL ? " " : "",
				  options->append != NULL ? options->append : "");

	if (*append != '\0') {
		add2(args, "-append", append);
	}
	free(append);
	free(guest.kernel);
	free(guest.initrd);
	free(guest.name);
	return good;
}

bool run_kvm_args(const struct run_options *options, struct run_args *args)
{
	*args = (struct run_args){0};
	if (!ARM64) {
		return run_fail(
			"--host kvm: this is no arm64 machine; --host el2 runs arm64 guests on any");
	}
	add_machine(options, args);
	return add_guest(options, args);
}
