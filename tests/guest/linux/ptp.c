/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program for the Linux guest: reads the PTP clock /dev/ptp0, once for each byte on standard input, and says what
 * it reads in nanoseconds ("@ ptp: CLOCK REALTIME": the clock, and the guest's CLOCK_REALTIME at the same value of the
 * counter, by PTP_SYS_OFFSET_PRECISE; "@ ptp: error N" if that fails). With an argument, a number: as often as
 * that, without a word in between, and then how often it went well ("@ reads: N").
 *
 * No C library: the guest has none, nor has the cross compiler's machine.
 */
#include <stddef.h>
#include <stdint.h>

/* Linux on arm64: numbers of system calls and ioctls (kernel headers, ptp_clock.h). */
enum { SYS_IOCTL = 29, SYS_OPENAT = 56, SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT = 93 };
#define AT_FDCWD               (-100)
#define O_RDWR                 2
#define PTP_SYS_OFFSET_PRECISE 0xc0403d08l

struct ptp_time {
	int64_t seconds;
	uint32_t nanoseconds, reserved;
};
struct ptp_precise {
	struct ptp_time device, realtime, raw;
	uint32_t reserved[4];
};

static long call(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory", "cc");
	return x0;
}

/* Built from its end. */
struct line {
	char text[128];
	size_t at;
};

static void put_text(struct line *line, const char *text)
{
	size_t length = 0;

	while (text[length] != '\0') {
		length++;
	}
	while (length > 0) {
		line->text[--line->at] = text[--length];
	}
}

static void put_number(struct line *line, uint64_t value)
{
	do {
		line->text[--line->at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
}

static uint64_t in_ns(const struct ptp_time *time)
{
	return (uint64_t)time->seconds * 1000000000u + time->nanoseconds;
}

static long read_clock(int fd)
{
	struct line line = {.at = sizeof(line.text)};
	struct ptp_precise precise = {.reserved = {0}};
	long result = call(SYS_IOCTL, fd, PTP_SYS_OFFSET_PRECISE, (long)&precise);

	put_text(&line, "\n");
	if (result < 0) {
		put_number(&line, (uint64_t)-result);
		put_text(&line, "@ ptp: error ");
	} else {
		put_number(&line, in_ns(&precise.realtime));
		put_text(&line, " ");
		put_number(&line, in_ns(&precise.device));
		put_text(&line, "@ ptp: ");
	}
	return call(SYS_WRITE, 1, (long)line.text + (long)line.at,
		    (long)(sizeof(line.text) - line.at));
}

static void read_often(int fd, const char *times)
{
	struct line line = {.at = sizeof(line.text)};
	struct ptp_precise precise = {.reserved = {0}};
	uint64_t count = 0, good = 0;

	for (; *times >= '0' && *times <= '9'; times++) {
		count = 10 * count + (uint64_t)(*times - '0');
	}
	while (count-- > 0) {
		good += call(SYS_IOCTL, fd, PTP_SYS_OFFSET_PRECISE, (long)&precise) == 0 ? 1 : 0;
	}
	put_text(&line, "\n");
	put_number(&line, good);
	put_text(&line, "@ reads: ");
	call(SYS_WRITE, 1, (long)line.text + (long)line.at, (long)(sizeof(line.text) - line.at));
}

__attribute__((used)) static _Noreturn void start(const uint64_t *stack)
{
	const char *const *argv = (const char *const *)(const void *)(stack + 1);
	const int fd = (int)call(SYS_OPENAT, AT_FDCWD, (long)"/dev/ptp0", O_RDWR);
	char byte = 0;

	if (fd >= 0 && stack[0] > 1) {
		read_often(fd, argv[1]);
	}
	while (fd >= 0 && stack[0] == 1 && call(SYS_READ, 0, (long)&byte, 1) == 1 && byte != 'q') {
		if (byte == '\n') {
			read_clock(fd);
		}
	}
	for (;;) {
		call(SYS_EXIT, fd < 0 ? 1 : 0, 0, 0);
	}
}

/* The stack pointer at entry points to argc, then argv. */
__asm__(".pushsection .text\n"
	".global _start\n"
	"_start:\n\t"
	"mov x0, sp\n\t"
	"b start\n"
	".popsection");
