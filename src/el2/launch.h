/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between the process that starts a machine (src/run) and the monitor at EL2 (src/el2):
 * where everything lies, what the guest is given, and the memory they share.
 *
 * Physical memory of the QEMU machine, contiguous from 1 GiB, one memory backend each:
 *
 *   0x4000_0000  monitor   EL2_MONITOR_SIZE  private: QEMU's device tree, launch block, monitor, image
 *   0x4200_0000  shared    EL2_SHARED_SIZE   shared with our process only: mailbox, counters, rings
 *   0x4400_0000  guest     -m                guest RAM; the guest sees it at 0x4000_0000 (stage 2)
 *
 * Devices keep their addresses. Stage 2 is an allow-list: the regions of the launch block and nothing
 * else. The launch block is written by the loader at every reset; the monitor trusts it. Nothing in
 * the shared memory is trusted by either side.
 */
#ifndef HVCGATE_EL2_LAUNCH_H
#define HVCGATE_EL2_LAUNCH_H

#include <stdint.h>

#include <hvcgate/call.h>
#include <hvcgate/image.h>
#include <hvcgate/trace.h>

#define EL2_MONITOR_PA 0x40000000ull
#define EL2_LAUNCH_PA  0x40180000ull /* below it: QEMU's own device tree */
#define EL2_KEPT_PA    0x401ff000ull /* a page that outlives a reset; zero when the machine is made */
#define EL2_CODE_PA    0x40200000ull
#define EL2_IMAGE_PA   0x41000000ull /* compiled policy, at most HVC_IMAGE_MAX_SIZE */
#define EL2_FILTER_PA \
	0x41800000ull /* the VM's own copy of its rules, where they can become narrower */
#define EL2_FILTER_SIZE  0x00800000ull
#define EL2_MONITOR_SIZE 0x02000000ull
#define EL2_SHARED_PA    0x42000000ull
#define EL2_SHARED_SIZE  0x02000000ull
#define EL2_GUEST_PA     0x44000000ull
#define EL2_GUEST_IPA    0x40000000ull

/* Records of stolen time, a page that the guest can only read; outside its RAM. CPU n: n * EL2_STOLEN_STRIDE. */
#define EL2_STOLEN_IPA    0x090a0000ull
#define EL2_STOLEN_STRIDE 64

#define EL2_MAX_CPUS      8
#define EL2_MAX_REGIONS   16
#define EL2_MAX_SEEDS     2
#define EL2_SEED_MAX      64u /* bytes of one value */
#define EL2_MAX_BLOBS     4

#define EL2_LAUNCH_MAGIC  0x4c435648u /* "HVCL" */
#define EL2_LAUNCH_FORMAT 3u

/* EL2_GIC_CPU: the CPU interface of a GICv2, which the guest gets as a device; the monitor uses it, too.
 * EL2_GIC_REDIST: the redistributors of a GICv3. Their RD frames stay with the monitor, which answers for
 * them without LPIs: LPI tables are a way for the guest to make the GIC read and write any memory. */
enum el2_region_kind { EL2_RAM = 1, EL2_DEVICE = 2, EL2_GIC_REDIST = 3, EL2_GIC_CPU = 4 };

struct el2_region {
	uint64_t ipa, pa, bytes; /* 4 KiB multiples */
	uint64_t kind;           /* enum el2_region_kind */
};

/* The value of a device tree property that must be random anew at every boot (rng-seed, kaslr-seed): the loader
 * restores the same blob. The monitor writes it; where it has no random numbers it makes the property FDT_NOPs.
 * Devicetree Specification 0.4, 5.4: the value follows FDT_PROP, its length and its name's offset, 4 bytes each. */
struct el2_seed {
	uint64_t ipa;   /* of the value, in guest RAM, a multiple of 4 */
	uint64_t bytes; /* a multiple of 4 up to EL2_SEED_MAX, as the property's header says */
};

/* What the loader puts into guest RAM, at the start and at each reset. */
struct el2_blob {
	uint64_t ipa, bytes;
};

enum el2_flags {
	EL2_FLAG_TRACE = 1u << 0,         /* write trace records */
	EL2_FLAG_DETERMINISTIC = 1u << 1, /* fixed seed; the launcher says so loudly */
};

#define EL2_DOORBELL_PIO_BYTES 0x10000ull /* of PCI I/O space are the monitor's */

struct el2_launch {
	uint32_t magic, format, bytes, flags;
	uint32_t cpu_count, gic_version; /* 2 or 3 */
	uint64_t
		mpidr[EL2_MAX_CPUS]; /* affinity fields of CPU n, as the guest's device tree says */
	uint64_t guest_entry, guest_dtb; /* guest-physical; x0 of CPU 0 is guest_dtb */
	uint64_t image_bytes;            /* policy image at EL2_IMAGE_PA */
	uint64_t
		filter_bytes; /* of memory at EL2_FILTER_PA, hvc_filter_size(); 0: no call can be revoked */
	uint64_t doorbell_ecam; /* configuration space of the pci-serial, 0: no doorbell */
	uint64_t doorbell_pio;  /* CPU address of PCI I/O port 0 */
	uint32_t region_count, reserved;
	struct el2_region regions[EL2_MAX_REGIONS];
	uint64_t seed_count; /* 0: the device tree has none */
	struct el2_seed seeds[EL2_MAX_SEEDS];
	uint64_t blob_count;
	struct el2_blob blobs[EL2_MAX_BLOBS];
};
_Static_assert(EL2_LAUNCH_PA + sizeof(struct el2_launch) <= EL2_KEPT_PA, "the launch block fits");

/* --- Shared memory: mailbox page, then counters, then rings. A reset leaves it as it is: counters and rings
 * go on, `ready` counts boots, exit and seed are used again. */
#define EL2_MAILBOX_MAGIC 0x4d435648u /* "HVCM" */
#define EL2_SEED_BYTES    48

/* How the machine ended, written by the monitor just before it stops the machine. */
enum el2_exit {
	EL2_EXIT_NONE = 0,
	EL2_EXIT_OFF,     /* SYSTEM_OFF, SYSTEM_OFF2 */
	EL2_EXIT_RESET,   /* SYSTEM_RESET, SYSTEM_RESET2; with exit_type and exit_cookie */
	EL2_EXIT_FAULT,   /* the monitor's own fault; the report is text */
	EL2_EXIT_REFUSED, /* the monitor did not accept launch block or image; the report is text */
	EL2_EXIT_ALL_OFF, /* the last CPU called CPU_OFF: no other can start it again */
};

/* What time it is, asked by one CPU. The monitor writes a new number to `asked` and rings; the process writes the
 * time, then (release) that number to `answered`. */
struct el2_clock {
	uint32_t asked, answered;
	uint64_t wall_ns; /* CLOCK_REALTIME */
};

/*
 * Functions that are denied from some time on, while the guest runs. The process sets their bits, by slot, and then puts
 * a number that was not there before into `news` (both release). Every call of the guest looks at `news` first: where it
 * is not 0 the monitor narrows the rules and puts 0 there, unless there is another number meanwhile. So whatever call
 * begins after the process has stored it finds its function denied. A boot begins with the bits that there are.
 */
struct el2_revoked {
	uint32_t news;
	uint32_t refused; /* by the monitor: IDs that the engine did not take */
	uint64_t functions[HVC_FN_WORDS];
};

struct el2_mailbox {
	uint32_t magic;     /* by the process, before the machine starts */
	uint32_t ready;     /* by the monitor: boots so far */
	uint32_t exit;      /* enum el2_exit */
	uint32_t exit_type; /* SYSTEM_RESET2's reset_type, SYSTEM_OFF2's type */
	uint64_t exit_cookie;
	uint32_t exit_function; /* enum hvc_fn */
	uint32_t counter_hz;    /* CNTFRQ_EL0 */
	/* 48 bytes of getrandom(): the process fills seed and sets seed_full (release) whenever it is 0; the
	 * monitor takes it at every boot, erases it, and clears seed_full (release). */
	uint32_t seed_full;
	uint8_t seed[EL2_SEED_BYTES];
	uint32_t pad;
	uint64_t doorbells; /* rung by the monitor */
	char report[2048];  /* NUL-terminated text of a fault or refusal */
	struct el2_clock clocks[EL2_MAX_CPUS];
	uint64_t clock_bound_ns; /* by the monitor: how far off the time that it told was at most */
	struct el2_revoked revoked __attribute__((aligned(64)));
};

#define EL2_RING_RECORDS    8192u /* per CPU, a power of two */
#define EL2_COUNTERS_OFFSET 0x1000u
#define EL2_COUNTERS_STRIDE ((sizeof(struct hvc_counters) + 0xfffu) & ~(uint64_t)0xfffu)
#define EL2_RINGS_OFFSET    0x100000u
#define EL2_RING_STRIDE     (sizeof(struct hvc_ring) + EL2_RING_RECORDS * sizeof(struct hvc_record))
_Static_assert(sizeof(struct el2_mailbox) <= EL2_COUNTERS_OFFSET, "the mailbox is a page");
_Static_assert(EL2_COUNTERS_OFFSET + EL2_MAX_CPUS *
					     ((sizeof(struct hvc_counters) + 0xfffu) & ~0xfffull) <=
		       EL2_RINGS_OFFSET,
	       "counters fit below the rings");
_Static_assert(EL2_RINGS_OFFSET + EL2_MAX_CPUS * EL2_RING_STRIDE <= EL2_SHARED_SIZE, "rings fit");

#endif
