/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The porting header: everything the engine and the services want from their surroundings. A host
 * that has no libc provides the four memory functions that compilers call by themselves
 * (memcpy, memmove, memset, memcmp) and nothing else.
 */
#ifndef HVC_ENV_H
#define HVC_ENV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#define hvc_likely(x)   __builtin_expect(!!(x), 1)
#define hvc_unlikely(x) __builtin_expect(!!(x), 0)

/* A branch off the call path: kept out of line, so that the path itself needs no stack frame, and with the arguments
 * it was written with, so that none is moved on the way there. */
#if defined(__has_attribute)
#if __has_attribute(noipa)
#define HVC_AS_WRITTEN noipa,
#endif
#endif
#ifndef HVC_AS_WRITTEN
#define HVC_AS_WRITTEN
#endif
#define HVC_COLD __attribute__((HVC_AS_WRITTEN noinline, cold))
/* A second path that is hot as well; and what both are made of. */
#define HVC_NOINLINE __attribute__((HVC_AS_WRITTEN noinline))
#define HVC_INLINE   inline __attribute__((always_inline))
#define HVC_UNUSED   __attribute__((unused))
/* Reached without a detour through the global offset table. */
#define HVC_HIDDEN __attribute__((visibility("hidden")))

/*
 * One load or store of a word that another thread may use at the same time, without any order: a relaxed atomic
 * access, whose addressing compilers do not fold into the instruction. The thread sanitizer gets the real thing.
 */
#if defined(__SANITIZE_THREAD__)
#define HVC_RELAXED_BUILTINS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HVC_RELAXED_BUILTINS 1
#endif
#endif
#ifdef HVC_RELAXED_BUILTINS
#define hvc_load(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define hvc_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define hvc_follow(p)   __atomic_load_n((p), __ATOMIC_ACQUIRE)
#else
#define hvc_load(p)     (*(const volatile __typeof__(*(p)) *)(p))
#define hvc_store(p, v) ((void)(*(volatile __typeof__(*(p)) *)(p) = (v)))
#define hvc_follow(p)   hvc_load(p)
#endif
/*
 * A pointer or an index that leads to other memory: publish it when that memory is written, and who follows it sees
 * what was written. The reader's side costs nothing: processors order a load behind the load that its address comes
 * from. So use what hvc_follow() said to form the address, and nothing else.
 */
#define hvc_publish(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* A member that is read as any other is, each time by hvc_follow()'s load, and written by hvc_publish_shared(). */
#ifdef HVC_RELAXED_BUILTINS
#define HVC_SHARED               _Atomic
#define hvc_publish_shared(p, v) atomic_store_explicit((p), (v), memory_order_release)
#else
#define HVC_SHARED               volatile
#define hvc_publish_shared(p, v) hvc_publish((p), (v))
#endif

/* What can only be a mistake of ours. A freestanding host may define its own before including this. */
#ifndef hvc_assert
#if defined(NDEBUG)
#define hvc_assert(x) ((void)0)
#else
#define hvc_assert(x) ((x) ? (void)0 : __builtin_trap())
#endif
#endif

#endif
