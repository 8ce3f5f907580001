/* SPDX-License-Identifier: BSD-2-Clause */
/* What the calls of a protected guest have in common. */
#ifndef HVC_PKVM_H
#define HVC_PKVM_H

#include "pkvm_state.h"
#include "services.h"

/* Are x`first` to x3 zero, as reserved arguments must be? */
bool pkvm_reserved_clear(const struct hvc_frame *frame, unsigned int first);

/* What the books say now is told to the host. False: it does not go along. */
bool pkvm_tell(const struct hvc_vcpu *vcpu, enum hvc_share what, uint64_t ipa, uint64_t bytes);

#endif
