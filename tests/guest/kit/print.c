/* SPDX-License-Identifier: BSD-2-Clause */
/* The console of bare-metal guests, and the few functions compilers call by themselves. */
#include <stdarg.h>
#include <stdatomic.h>

#include "kit.h"

#define PL011_DR      0x09000000ull
#define PL011_FR      0x09000018ull
#define PL011_FR_TXFF (1u << 5)

static atomic_flag console;
static _Atomic unsigned int failures;

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		((char *)to)[i] = ((const char *)from)[i];
	}
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		((char *)to)[i] = (char)byte;
	}
	return to;
}

static void put(char c)
{
	while ((*(volatile uint32_t *)PL011_FR & PL011_FR_TXFF) != 0) {
	}
	*(volatile uint32_t *)PL011_DR = (uint8_t)c;
}

static void put_string(const char *string)
{
	while (*string != '\0') {
		put(*string++);
	}
}

static void put_number(uint64_t value, unsigned int base, unsigned int width)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (width > n) {
		put('0');
		width--;
	}
	while (n > 0) {
		put(digits[--n]);
	}
}

static void put_signed(int64_t value)
{
	if (value < 0) {
		put('-');
		put_number(0 - (uint64_t)value, 10, 0);
	} else {
		put_number((uint64_t)value, 10, 0);
	}
}

/* One conversion; returns what follows it. */
static const char *convert(const char *at, va_list *args)
{
	unsigned int width = 0;
	bool wide = false;

	while (*at >= '0' && *at <= '9') {
		width = width * 10 + (unsigned int)(*at++ - '0');
	}
	while (*at == 'l') {
		wide = true;
		at++;
	}
	switch (*at) {
	case 's':
		put_string(va_arg(*args, const char *));
		break;
	case 'c':
		put((char)va_arg(*args, int));
		break;
	case 'd':
		put_signed(wide ? va_arg(*args, int64_t) : va_arg(*args, int));
		break;
	case 'u':
	case 'x':
		put_number(wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int),
			   *at == 'u' ? 10 : 16, width);
		break;
	default:
		put(*at);
		break;
	}
	return at + 1;
}

static void print(const char *format, va_list *args)
{
	while (*format != '\0') {
		if (*format == '%') {
			format = convert(format + 1, args);
		} else {
			put(*format++);
		}
	}
}

static void lock(void)
{
	while (atomic_flag_test_and_set_explicit(&console, memory_order_acquire)) {
		kit_yield();
	}
}

static void unlock(void)
{
	atomic_flag_clear_explicit(&console, memory_order_release);
}

void kit_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	lock();
	print(format, &args);
	unlock();
	va_end(args);
}

void kit_fail(const char *format, ...)
{
	va_list args;

	failures++;
	va_start(args, format);
	lock();
	put_string("FAIL: ");
	print(format, &args);
	put('\n');
	unlock();
	va_end(args);
}

unsigned int kit_failures(void)
{
	return failures;
}
