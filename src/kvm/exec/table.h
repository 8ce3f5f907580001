/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the interposer knows of descriptors: which are VMs' and vCPUs'. Looked up by every ioctl(): no lock, no allocation,
 * no system call. Blocks are published once and stay; objects that are gone keep the few bytes of theirs here, so that a
 * thread with an old pointer finds a count of 0 in it.
 */
#ifndef HVCGATE_KVM_EXEC_TABLE_H
#define HVCGATE_KVM_EXEC_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/kvm.h>

enum object_kind { OBJECT_VM, OBJECT_VCPU };

struct object {
	uint8_t kind; /* enum object_kind */
	/* Descriptors, threads that use it, vCPUs of a VM; 0: gone. */
	_Atomic uint32_t holds;
	int fd;                    /* the one that the library uses */
	struct hvc_kvm_vm *vm;     /* of a VM */
	struct hvc_kvm_vcpu *vcpu; /* of a vCPU */
	struct object *owner;      /* of a vCPU: its VM */
	void *run;                 /* of a vCPU: kvm_run as we have it mapped */
	size_t run_size;
	struct object *before; /* all there ever were */
};

#define TABLE_BLOCK  256u
#define TABLE_BLOCKS 4096u

struct table_block {
	_Atomic(struct object *) objects[TABLE_BLOCK];
};
extern _Atomic(struct table_block *) table_blocks[TABLE_BLOCKS];

/* What a descriptor is; NULL: none of ours. */
static inline struct object *table_find(int fd)
{
	const unsigned int n = (unsigned int)fd;
	struct table_block *block;

	if (n >= TABLE_BLOCK * TABLE_BLOCKS) {
		return NULL;
	}
	block = atomic_load_explicit(&table_blocks[n / TABLE_BLOCK], memory_order_acquire);
	return block == NULL ? NULL
			     : atomic_load_explicit(&block->objects[n % TABLE_BLOCK],
						    memory_order_acquire);
}

/* Put an object, which gets one more hold, or NULL, at a descriptor; what was there loses one: *before, to be released by
 * the caller. False: no memory, or a descriptor beyond a million. */
bool table_put(int fd, struct object *object, struct object **before);

/* Hold an object that may be going: false when it is gone. */
bool object_hold(struct object *object);
/* Returns whether that was the last hold: the caller takes it apart, once. */
bool object_release(struct object *object);

#endif
