/* SPDX-License-Identifier: BSD-2-Clause */
/* What the interposer writes for the keeper: counters and trace records of each vCPU. */
#ifndef HVCGATE_KVM_EXEC_RECORD_H
#define HVCGATE_KVM_EXEC_RECORD_H

#include "shared.h"

/* The counters of a vCPU that is about to run; NULL: there is no room. */
struct hvc_counters *record_claim(struct exec_shared *shared, uint32_t vm, uint32_t vcpu);
/* A call, on the vCPU's thread. */
void record_call(struct exec_shared *shared, const struct hvc_kvm_vcpu *vcpu,
		 const struct hvc_frame *before, const struct hvc_frame *after,
		 enum hvc_conduit conduit, enum hvc_verdict verdict);

#endif
