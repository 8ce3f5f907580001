/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Last words: why the monitor will not start, or what went wrong in it, as text in the mailbox; then the
 * machine stops.
 */
#include <stdatomic.h>

#include "el2.h"
#include "sysreg.h"

struct text {
	char *at, *end;
};

static void put(struct text *text, const char *string)
{
	for (; *string != '\0' && text->at < text->end; string++) {
		*text->at++ = *string;
	}
}

static void put_hex(struct text *text, uint64_t value)
{
	char digits[19] = "0x";
	unsigned int length = 2;

	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned int digit = (unsigned int)(value >> shift) & 0xf;

		if (digit != 0 || length > 2 || shift == 0) {
			digits[length++] = "0123456789abcdef"[digit];
		}
	}
	digits[length] = '\0';
	put(text, digits);
}

static void put_named(struct text *text, const char *name, uint64_t value)
{
	put(text, name);
	put(text, " ");
	put_hex(text, value);
	put(text, "\n");
}

static struct text begin(void)
{
	struct el2_mailbox *mailbox = el2_mailbox();

	return (struct text){mailbox->report, mailbox->report + sizeof(mailbox->report) - 1};
}

static _Noreturn void finish(struct text *text, enum el2_exit how)
{
	*text->at = '\0';
	atomic_store_explicit((_Atomic uint32_t *)&el2_mailbox()->exit, (uint32_t)how,
			      memory_order_release);
	doorbell_ring();
	psci_host_system_off();
}

void report_refused(const char *what, uint64_t value)
{
	struct text text = begin();

	put_named(&text, what, value);
	finish(&text, EL2_EXIT_REFUSED);
}

void report_broken(const char *what, uint64_t value)
{
	struct text text = begin();

	put_named(&text, what, value);
	finish(&text, EL2_EXIT_FAULT);
}

void report_fault(struct el2_cpu *cpu)
{
	static const char *const names[] = {
		"x0 ", "x1 ", "x2 ", "x3 ", "x4 ", "x5 ", "x6 ", "x7 ", "x8 ", "x9 ", "x10",
		"x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
		"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",
	};
	struct text text;

	if (cpu->faulting++ != 0) {
		psci_host_system_off(); /* a fault of this very report */
	}
	text = begin();
	put(&text, "fault in the monitor\n");
	put_named(&text, "CPU", cpu->index);
	put_named(&text, "vector", cpu->fault_vector);
	put_named(&text, "ESR", sysreg_read(esr_el2));
	put_named(&text, "FAR", sysreg_read(far_el2));
	put_named(&text, "ELR", sysreg_read(elr_el2));
	put_named(&text, "SPSR", sysreg_read(spsr_el2));
	put_named(&text, "SP", cpu->fault_sp);
	for (unsigned int i = 0; i < 31; i++) {
		put_named(&text, names[i], cpu->fault_x[i]);
	}
	finish(&text, EL2_EXIT_FAULT);
}
