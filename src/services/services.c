/* SPDX-License-Identifier: BSD-2-Clause */
/* The services there are. A service of the catalogue that is not here is served by nobody. */
#include "services.h"

const struct hvc_service *const hvc_services[HVC_SERVICE_COUNT] = {
	[HVC_SERVICE_ARCH] = &hvc_service_arch,
	[HVC_SERVICE_PSCI] = &hvc_service_psci,
	[HVC_SERVICE_TRNG] = &hvc_service_trng,
	[HVC_SERVICE_PV_TIME] = &hvc_service_pv_time,
	[HVC_SERVICE_KVM_VENDOR] = &hvc_service_kvm_vendor,
	[HVC_SERVICE_PKVM] = &hvc_service_pkvm,
};
