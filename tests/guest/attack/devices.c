/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that write memory for whoever programs them, programmed as a driver would: each register write is
 * an attempt. Were one of them reachable, the monitor's memory would change; the host side looks.
 * Source: QEMU docs/specs/fw_cfg; virtio 1.2, 4.2; IHI 0069, 12.11 and 12.19; PCI Local Bus 3.0, 6.
 */
#include "attack.h"

/* Of the monitor's private memory (src/el2/launch.h), nothing's: between policy image and end. */
#define MONITOR_PA 0x41ff0000ull

struct step {
	uint32_t offset;
	uint32_t bytes;
	uint64_t value;
};

static void store(const char *what, uint64_t physical, unsigned int bytes, uint64_t value)
{
	struct kit_fault fault;
	const bool done = kit_write(window_plain(physical), bytes, value, &fault);

	attempt(!done && is_external(&fault), what, physical, done ? 0 : fault.esr);
}

static void load(const char *what, uint64_t physical, unsigned int bytes)
{
	struct kit_fault fault;
	uint64_t value;
	const bool done = kit_read(window_plain(physical), bytes, &value, &fault);

	attempt(!done && is_external(&fault), what, physical, done ? value : fault.esr);
}

/* A DMA control block: write file 0x8000 ... or, simpler, read the signature to MONITOR_PA. */
static void fw_cfg(void)
{
	static struct {
		uint32_t control, length;
		uint64_t address;
	} dma __attribute__((aligned(16)));
	/* What the machine has at this block's guest-physical address is 64 MiB higher. */
	const uint64_t block = (uint64_t)&dma + 0x4000000;

	dma.control = __builtin_bswap32(0u << 16 | 0x8u | 0x2u); /* select item 0, read */
	dma.length = __builtin_bswap32(4);
	dma.address = __builtin_bswap64(MONITOR_PA);
	store("fw_cfg selector", 0x09020008, 2, 0);
	load("fw_cfg data", 0x09020000, 8);
	load("fw_cfg DMA signature", 0x09020010, 8);
	store("fw_cfg DMA address", 0x09020010, 4, __builtin_bswap32((uint32_t)(block >> 32)));
	store("fw_cfg DMA address, go", 0x09020014, 4, __builtin_bswap32((uint32_t)block));
	store("fw_cfg DMA address, whole", 0x09020010, 8, __builtin_bswap64(block));
}

/* A queue whose rings are the monitor's memory, then its bell; old and new interface. */
static void virtio(void)
{
	static const struct step steps[] = {
		{0x070, 4, 0}, /* reset */
		{0x070, 4, 3}, /* acknowledge, driver */
		{0x020, 4, 0}, /* features */
		{0x028, 4, 4096},
		{0x070, 4, 11}, /* features OK */
		{0x030, 4, 0},  /* queue 0 */
		{0x038, 4, 8},  /* of 8 */
		{0x03c, 4, 4096},
		{0x040, 4, MONITOR_PA >> 12},
		{0x080, 4, (uint32_t)MONITOR_PA},
		{0x084, 4, 0},
		{0x090, 4, (uint32_t)MONITOR_PA + 0x100},
		{0x094, 4, 0},
		{0x0a0, 4, (uint32_t)MONITOR_PA + 0x200},
		{0x0a4, 4, 0},
		{0x044, 4, 1},  /* ready */
		{0x070, 4, 15}, /* driver OK */
		{0x050, 4, 0},  /* notify */
	};

	for (uint64_t slot = 0; slot < 32; slot++) {
		const uint64_t base = 0x0a000000 + slot * 0x200;

		load("virtio-mmio magic", base, 4);
		for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			store("virtio-mmio", base + steps[i].offset, steps[i].bytes,
			      steps[i].value);
		}
	}
}

/* Tables and command queue of the interrupt translation service in the monitor. */
static void its(void)
{
	const uint64_t base = 0x08080000;

	load("GITS_TYPER", base + 0x08, 8);
	for (uint64_t i = 0; i < 8; i++) {
		store("GITS_BASER", base + 0x100 + 8 * i, 8, 1ull << 63 | MONITOR_PA | 0xff);
	}
	store("GITS_CBASER", base + 0x80, 8, 1ull << 63 | MONITOR_PA | 0xf);
	store("GITS_CTLR", base + 0x00, 4, 1);
	store("GITS_CWRITER", base + 0x88, 8, 0x1000);
	store("GITS_TRANSLATER", base + 0x10040, 4, 0);
	store("V2M_MSI_SETSPI_NS", 0x08020040, 4, 80);
}

/* LPIs: the redistributor's frame is answered for by the monitor, as one without LPIs. */
static void lpis(void)
{
	static const struct step steps[] = {
		{0x070, 8, MONITOR_PA | 0x1f}, /* GICR_PROPBASER */
		{0x078, 8, MONITOR_PA},        /* GICR_PENDBASER */
		{0x070, 4, (uint32_t)MONITOR_PA | 0x1f},
		{0x074, 4, 0},
		{0x078, 4, (uint32_t)MONITOR_PA},
		{0x000, 4, 1},    /* GICR_CTLR.EnableLPIs */
		{0x040, 8, 8192}, /* GICR_SETLPIR */
		{0x048, 8, 8192}, /* GICR_CLRLPIR */
		{0x0a0, 8, 8192}, /* GICR_INVLPIR */
		{0x0b0, 8, 0},    /* GICR_INVALLR */
		{0x000, 4, 0xffffffff},
		{0x100, 8, 8192}, /* GICR_MOVLPIR */
	};
	struct kit_fault fault;
	uint64_t value = ~0ull;

	for (uint64_t cpu = 0; cpu < attack_cpus && gic_version() == 3; cpu++) {
		const uint64_t frame = GICR + cpu * GICR_STRIDE;

		for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			const struct step *s = &steps[i];
			const bool done = kit_write(frame + s->offset, s->bytes, s->value, &fault);

			attempt(done, "LPI register", frame + s->offset, done ? 0 : fault.esr);
		}
		kit_read(frame + 0x070, 8, &value, &fault);
		attempt(value == 0, "GICR_PROPBASER kept a value", frame, value);
		kit_read(frame + 0x078, 8, &value, &fault);
		attempt(value == 0, "GICR_PENDBASER kept a value", frame, value);
		kit_read(frame + 0x000, 4, &value, &fault);
		attempt((value & 1) == 0, "EnableLPIs", frame, value);
		kit_read(frame + 0x008, 8, &value, &fault);
		attempt((value & 0xb) == 0, "LPIs in GICR_TYPER", frame, value);
		/* Bytes, unaligned words, pairs: nothing the frame has to answer. */
		attempt(!kit_write(frame + 0x070, 1, 0xff, &fault) && is_external(&fault),
			"byte of an LPI register", frame, fault.esr);
		attempt(!kit_read(frame + 0x000, 2, &value, &fault) && is_external(&fault),
			"half of an LPI register", frame, fault.esr);
	}
}

/* Configuration space: find the doorbell, move it, switch its bus mastering on; then ring it. */
static void pci(void)
{
	static const uint64_t configurations[] = {0x3f000000, 0x4010000000};

	for (unsigned int c = 0; c < 2; c++) {
		for (uint64_t function = 0; function < 64; function++) {
			const uint64_t header = configurations[c] + (function << 12);

			load("PCI vendor", header, 4);
			store("PCI command", header + 4, 2, 7);
			store("PCI base address", header + 0x10, 4, 0x10000000);
		}
	}
	for (uint64_t port = 0; port < 0x10000; port += 0x400) {
		store("PCI I/O port", 0x3eff0000 + port, 1, '!');
		load("PCI I/O port", 0x3eff0000 + port, 1);
	}
	store("PCI memory", 0x10000000, 4, 0);
	store("PCI high memory", 0x8000000000, 8, 0);
}

/* CFI commands: query, block erase, program. */
static void flash(void)
{
	static const uint16_t commands[] = {0x98, 0x90, 0x50, 0x20, 0xd0, 0x40, 0x1234, 0xff};

	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		store("flash", 0x00000000, 4, commands[i]);
		store("flash", 0x04000000, 4, commands[i]);
	}
	load("flash", 0x00000000, 4);
	load("flash", 0x04000000, 4);
}

/* Virtual interface of a GICv2, and what could start or stop the machine. */
static void others(void)
{
	store("GICH_HCR", 0x08030000, 4, 1);
	store("GICH_LR0", 0x08030100, 4, 0x9000001b);
	load("GICV_IAR", 0x0804000c, 4);
	store("GPIO", 0x090303fc, 1, 0xff);
	store("ACPI event", 0x09080000, 4, ~0ull);
	store("memory hot plug", 0x09070000, 4, 0);
	store("SMMU_CR0", 0x09050020, 4, 1);
	store("SMMU_STRTAB_BASE", 0x09050080, 8, MONITOR_PA);
	store("second UART", 0x09040000, 4, '!');
	store("secure RAM", 0x0e000000, 8, 0);
	store("platform bus", 0x0c000000, 4, 0);
}

void attack_devices(void)
{
	fw_cfg();
	virtio();
	its();
	lpis();
	pci();
	flash();
	others();
}
