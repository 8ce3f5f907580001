/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this host offers to guests and VMMs at the hypercall interface, measured in tiny VMs: an ABI record
 * (docs/records.md). Nothing in it is taken from a kernel's version.
 */
#ifndef HVCGATE_KVM_PROBE_H
#define HVCGATE_KVM_PROBE_H

#include <stddef.h>

#include <jansson.h>

/*
 * The record; json_decref() it. NULL where there is no arm64 KVM or it fails on the way: `why` (size bytes) says
 * what and what to do. Takes some seconds; `progress`, which may be NULL, is told what is being measured. The calling
 * thread stays on one CPU meanwhile. Not to be called by two threads at once (machine.h).
 */
json_t *kvm_probe(const char *made_by, void (*progress)(const char *what), char *why, size_t size);

/* As much of a record as a plan and a move need, of VMs that never run: host, capabilities, registers, what feature
 * registers can be set to, whether there is a filter. Else as kvm_probe(). */
json_t *kvm_probe_registers(char *why, size_t size);

#endif
