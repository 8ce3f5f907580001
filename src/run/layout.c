/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where kernel, device tree and initrd lie in guest memory: Linux
 * Documentation/arch/arm64/booting.rst. The kernel stands at its offset from the first 2 MiB boundary
 * of RAM; behind it, each from a 2 MiB boundary, the device tree (at most 2 MiB) and the initrd. All
 * of it begins at 1 GiB, so it stays within the window of 32 GiB that the protocol asks for.
 */
#include "run.h"

static uint64_t up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

static unsigned long long mib(uint64_t bytes)
{
	return (unsigned long long)((bytes + RUN_MIB - 1) / RUN_MIB);
}

bool run_layout_is_tight(const struct run_kernel *kernel, uint64_t initrd_bytes, uint64_t mem,
			 uint64_t *advice)
{
	/* Its own tables and the unpacked initrd; Debian's kernels want a little less. */
	const uint64_t margin = 24 * RUN_MIB, small = 8 * RUN_MIB;

	*advice = up(kernel->text_offset + kernel->memory, 2 * RUN_MIB) + RUN_DTB_ROOM +
		  2 * initrd_bytes + margin;
	*advice = up(*advice, 2 * RUN_MIB);
	return !kernel->flat && kernel->memory > small && mem < *advice;
}

bool run_layout_place(const struct run_kernel *kernel, uint64_t initrd_bytes, uint64_t mem,
		      struct run_layout *layout)
{
	uint64_t end;

	layout->mem = mem;
	layout->kernel = EL2_GUEST_IPA + kernel->text_offset;
	layout->dtb = up(layout->kernel + kernel->memory, 2 * RUN_MIB);
	end = layout->dtb + RUN_DTB_ROOM;
	layout->initrd = initrd_bytes > 0 ? end : 0;
	end += initrd_bytes;
	if (end - EL2_GUEST_IPA > mem) {
		return run_fail(
			"the guest does not fit into its memory: kernel %llu MiB, initrd %llu MiB and device "
			"tree need %llu MiB, --mem gives %llu MiB",
			mib(kernel->memory), mib(initrd_bytes), mib(end - EL2_GUEST_IPA), mib(mem));
	}
	return true;
}
