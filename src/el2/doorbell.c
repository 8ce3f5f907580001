/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wake the process that started the machine: one byte to a PCI serial port, which the guest neither
 * sees nor reaches. What it is about stands in shared memory.
 * Source: PCI Local Bus 3.0, 6.1 and 6.2.5 (configuration header, base addresses); 16550 (THR).
 */
#include <stdatomic.h>

#include "el2.h"
#include "sysreg.h"

#define PCI_COMMAND    0x04
#define PCI_COMMAND_IO 1u
#define PCI_BAR0       0x10
#define BAR0_IO        0x1000u /* any free place in I/O space */

static volatile uint8_t *transmit;

void doorbell_init(const struct el2_launch *launch)
{
	uint64_t config = launch->doorbell_ecam;

	if (config == 0) {
		return;
	}
	mmu_map_device(config, PAGE_SIZE);
	mmu_map_device(launch->doorbell_pio, EL2_DOORBELL_PIO_BYTES);
}

/* With the MMU on: QEMU's reset clears what PCI was told, so at every boot. */
void doorbell_open(const struct el2_launch *launch)
{
	uint64_t config = launch->doorbell_ecam;

	if (config == 0) {
		return;
	}
	if (*(volatile uint16_t *)config == 0xffff) {
		report_refused("no doorbell device at", config);
	}
	*(volatile uint32_t *)(config + PCI_BAR0) = BAR0_IO;
	*(volatile uint16_t *)(config + PCI_COMMAND) = PCI_COMMAND_IO;
	dsb_sy();
	transmit = (volatile uint8_t *)(launch->doorbell_pio + BAR0_IO);
}

void doorbell_ring(void)
{
	struct el2_mailbox *mailbox = el2_mailbox();

	if (transmit == NULL) {
		return;
	}
	/* Not atomic: two bells at once may count as one. */
	mailbox->doorbells++;
	dsb_sy();
	*transmit = '!';
}
