/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's argument list. Three memories, placed one behind the other by NUMA (src/el2/launch.h); no
 * network, no disk, no monitor, no semihosting; the doorbell is a PCI serial port that the guest
 * cannot reach.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

void run_args_add(struct run_args *args, const char *format, ...)
{
	va_list list;
	char *text = NULL;

	if (args->count + 2 > args->room) {
		args->room += 64;
		args->argv = run_realloc(args->argv, args->room * sizeof(*args->argv));
	}
	va_start(list, format);
	if (vasprintf(&text, format, list) < 0) {
		text = run_format("?");
	}
	va_end(list);
	args->argv[args->count++] = text;
	args->argv[args->count] = NULL;
}

void run_args_free(struct run_args *args)
{
	for (size_t i = 0; i < args->count; i++) {
		free(args->argv[i]);
	}
	free(args->argv);
	*args = (struct run_args){0};
}

static void add2(struct run_args *args, const char *option, const char *value)
{
	run_args_add(args, "%s", option);
	run_args_add(args, "%s", value);
}

static bool model_is(const char *cpu, const char *model)
{
	const size_t length = strcspn(cpu, ",");

	return strlen(model) == length && strncmp(cpu, model, length) == 0;
}

static void add_memory(const struct run_options *options, const struct run_pieces *pieces,
		       struct run_args *args)
{
	const unsigned long long mib = options->mem / RUN_MIB;
	const unsigned long long monitor = EL2_MONITOR_SIZE / RUN_MIB,
				 shared = EL2_SHARED_SIZE / RUN_MIB;

	run_args_add(args, "-m");
	run_args_add(args, "%lluM", monitor + shared + mib);
	run_args_add(args, "-object");
	run_args_add(args, "memory-backend-ram,id=monitor,size=%lluM", monitor);
	run_args_add(args, "-object");
	run_args_add(args,
		     "memory-backend-file,id=shared,size=%lluM,share=on,mem-path=/proc/self/fd/%d",
		     shared, pieces->shared);
	run_args_add(args, "-object");
	run_args_add(args, "memory-backend-ram,id=guest,size=%lluM", mib);
	run_args_add(args, "-numa");
	run_args_add(args, "node,nodeid=0,memdev=monitor,cpus=0-%u", options->smp - 1);
	add2(args, "-numa", "node,nodeid=1,memdev=shared");
	add2(args, "-numa", "node,nodeid=2,memdev=guest");
}

void run_machine_args(const struct run_options *options, const struct run_pieces *pieces,
		      struct run_args *args)
{
	const bool max = model_is(options->cpu, "max");

	run_args_add(args, "%s", options->qemu);
	add2(args, "-name", "hvcgate");
	run_args_add(args, "-M");
	run_args_add(
		args,
		"virt,virtualization=on,gic-version=%u,its=off,accel=tcg,usb=off,dump-guest-core=off%s",
		options->gic, max ? ",mte=on" : "");
	/* QARMA5, which max would use, makes the whole guest several times slower. */
	run_args_add(args, "-cpu");
	run_args_add(args, "%s%s", options->cpu,
		     max && strstr(options->cpu, "pauth") == NULL ? ",pauth-impdef=on" : "");
	run_args_add(args, "-smp");
	run_args_add(args, "%u", options->smp);
	add_memory(options, pieces, args);
	add2(args, "-nodefaults", "-no-user-config");
	add2(args, "-display", "none");
	add2(args, "-sandbox",
	     "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	run_args_add(args, "-chardev");
	run_args_add(args, "file,id=doorbell,path=/proc/self/fd/%d,append=on", pieces->doorbell);
	run_args_add(args, "-device");
	run_args_add(args, "pci-serial,chardev=doorbell,bus=pcie.0,addr=%d.0", RUN_DOORBELL_SLOT);
	if (options->deterministic) {
		add2(args, "-icount", "shift=0,sleep=off");
		add2(args, "-seed", "1");
		add2(args, "-rtc", "base=2020-01-01,clock=vm");
	}
}

void run_machine_load_args(const struct run_options *options, const struct run_pieces *pieces,
			   struct run_args *args)
{
	add2(args, "-chardev", "stdio,id=console,signal=off");
	add2(args, "-serial", "chardev:console");
	if (!options->reset_continues) {
		run_args_add(args, "-no-reboot");
	}
	for (size_t i = 0; i < pieces->load_count; i++) {
		const struct run_load *load = &pieces->loads[i];

		run_args_add(args, "-device");
		if (load->monitor) {
			run_args_add(args, "loader,file=/proc/self/fd/%d,cpu-num=0", load->blob.fd);
		} else {
			run_args_add(args, "loader,file=/proc/self/fd/%d,addr=0x%llx,force-raw=on",
				     load->blob.fd, (unsigned long long)load->address);
		}
	}
}
