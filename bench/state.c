/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of a VM's state, one a line: what it is, bytes, budget (- where there is none). Only the first two exist in
 * every VM; the others are blocks that a caller gives to VMs that want them.
 */
#include <stdio.h>
#include <stdlib.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>

#include "world.h"

static void line(const char *what, size_t bytes, const char *budget)
{
	printf("%-52s %8zu %6s\n", what, bytes, budget);
}

int main(void)
{
	struct hvc_image *image = world_image(&(struct world_setup){0}, NULL);

	line("a VM (hvc_vm_size)", hvc_vm_size(), "512");
	line("a vCPU (hvc_vcpu_size)", hvc_vcpu_size(), "128");
	line("counters of a vCPU (struct hvc_counters)", sizeof(struct hvc_counters), "-");
	line("filter memory for 16 ranges, profile hvcgate-1", hvc_filter_size(image, 16), "-");
	line("statistics, 1 vCPU (hvc_stats_size)", hvc_stats_size(1), "-");
	line("statistics, 512 vCPUs", hvc_stats_size(HVC_MAX_VCPUS), "-");
	line("1 transaction (hvc_forward_size)", hvc_forward_size(1), "-");
	line("64 transactions", hvc_forward_size(64), "-");
	line("16 events (hvc_event_size)", hvc_event_size(16), "-");
	line("1024 events", hvc_event_size(1024), "-");
	line("shared pages, 1 GiB of RAM (hvc_share_size)", hvc_share_size(1u << 30), "-");
	line("in an image whose policy needs it: struct hvc_tables", sizeof(struct hvc_tables),
	     "-");
	free(image);
	return 0;
}
