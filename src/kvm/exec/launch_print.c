/* SPDX-License-Identifier: BSD-2-Clause */
/* `hvcgate exec --dry-run`. */
#include <stdio.h>

#include <hvcgate/catalog.h>

#include "launch.h"

static const char *register_name(uint64_t id)
{
	/* KVM's ID of PSCI_VERSION and the three behind it, of STD_BMAP and those behind that. */
	static const uint64_t firmware = 0x6030000000140000u, bitmaps = 0x6030000000160000u;
	const char *name = NULL;

	if (id - firmware < 4) {
		name = hvc_register_name((unsigned int)(id - firmware) + HVC_REG_PSCI_VERSION);
	} else if (id - bitmaps < 4) {
		name = hvc_register_name((unsigned int)(id - bitmaps) + HVC_REG_STD_BMAP);
	}
	return name != NULL ? name : "register";
}

static void print_command(const struct launch *launch)
{
	printf("would run  %s", launch->program);
	for (char *const *word = launch->options->argv + 1; *word != NULL; word++) {
		printf(" %s", *word);
	}
	printf("\nunder      %s\n",
	       launch->library != NULL ? launch->library : "no policy: no vCPU may run");
}

static void print_registers(const struct plan_view_of *plan)
{
	static const char *const kinds[] = {[PLAN_HIDE] = "hidden from the VMM",
					    [PLAN_PHANTOM] = "shown, though the kernel has none:",
					    [PLAN_HELD] = "shown as"};

	for (uint32_t i = 0; i < plan->header->writes.count; i++) {
		const struct plan_write *write = &plan->writes[i];

		printf("register   %-18s 0x%016llx  = 0x%llx\n", register_name(write->id),
		       (unsigned long long)write->id, (unsigned long long)write->value);
	}
	for (uint32_t i = 0; i < plan->header->views.count; i++) {
		const struct plan_view *view = &plan->views[i];

		printf("register   %-18s 0x%016llx  %s", register_name(view->id),
		       (unsigned long long)view->id, kinds[view->kind]);
		if (view->kind != PLAN_HIDE) {
			printf(" 0x%llx", (unsigned long long)view->value);
		}
		putchar('\n');
	}
}

static void print_ranges(const struct plan_view_of *plan)
{
	for (uint32_t i = 0; i < plan->header->filters.count; i++) {
		const struct plan_filter *range = &plan->filters[i];

		printf("filter     0x%08x-0x%08x  %s\n", range->base,
		       range->base + range->count - 1,
		       range->action == HVC_DENY ? "denied by the kernel"
						 : "answered by the engine in the VMM");
	}
	for (uint32_t i = 0; i < plan->header->routes.count; i++) {
		const struct plan_route *route = &plan->routes[i];

		printf("handler    0x%08x-0x%08x  %s\n", route->first, route->last,
		       plan->handlers[route->handler].name);
	}
}

void launch_print(const struct launch *launch)
{
	const struct plan_header *header = launch->plan.header;

	print_command(launch);
	if (header == NULL) {
		return;
	}
	printf("policy     %s, sha256 ", header->policy);
	for (unsigned int i = 0; i < sizeof(header->policy_sha256); i++) {
		printf("%02x", header->policy_sha256[i]);
	}
	printf("\nkernel     %s (as %s)%s\n", header->kernel, header->profile,
	       (header->flags & PLAN_FILTERS) != 0 ? "" : ", which has no filter");
	print_registers(&launch->plan);
	print_ranges(&launch->plan);
	if ((header->flags & PLAN_TRAVELS) != 0) {
		printf("travels    the policy's digest and the engine's state move with the guest, as registers\n");
	}
}
