/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace rings: one per CPU, in memory that the monitor writes and we do not trust. Every index is
 * masked, every record copied once and then checked.
 *
 * A CPU publishes its record some time after it read the clock, so a record is held back until no
 * earlier one can come: every other CPU has shown a later one, or it has been here long enough. Under
 * --deterministic "long enough" is counted in the guest's time, so that two runs give the same order. When a CPU has
 * held_max() records here, the oldest goes, whatever may still come.
 */
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define HOLD_NS    20000000u  /* longer than a CPU is usually off the processor between the two */
#define HOLD_TICKS 100000000u /* of the guest's counter: 1.6 s at 62.5 MHz, many of QEMU's turns */

struct held {
	struct hvc_record record;
	uint64_t arrived_ns;
};

struct queue {
	struct held *held;
	size_t start, count, room; /* room is a power of two */
};

struct cpu {
	uint64_t tail, dropped;
	struct queue queue;
};

struct run_reader {
	struct run_rings rings;
	unsigned int count; /* of cpus */
	bool deterministic;
	uint64_t newest; /* latest time of any record */
	uint64_t damaged;
	struct cpu *cpus;
};

struct run_reader *run_reader_over(const struct run_rings *rings, bool deterministic)
{
	struct run_reader *reader = run_realloc(NULL, sizeof(*reader));

	*reader = (struct run_reader){.rings = *rings, .deterministic = deterministic};
	run_reader_grow(reader, rings->count);
	return reader;
}

struct run_reader *run_reader_new(void *shared, unsigned int cpus, bool deterministic)
{
	const struct run_rings rings = {.first = (uint8_t *)shared + EL2_RINGS_OFFSET,
					.stride = EL2_RING_STRIDE,
					.records = EL2_RING_RECORDS,
					.count = cpus < EL2_MAX_CPUS ? cpus : EL2_MAX_CPUS};

	return run_reader_over(&rings, deterministic);
}

void run_reader_grow(struct run_reader *reader, unsigned int count)
{
	if (count > reader->count) {
		reader->cpus = run_realloc(reader->cpus, count * sizeof(*reader->cpus));
		memset(&reader->cpus[reader->count], 0,
		       (count - reader->count) * sizeof(*reader->cpus));
		reader->count = count;
	}
}

void run_reader_free(struct run_reader *reader)
{
	if (reader != NULL) {
		for (unsigned int cpu = 0; cpu < reader->count; cpu++) {
			free(reader->cpus[cpu].queue.held);
		}
		free(reader->cpus);
		free(reader);
	}
}

static struct hvc_ring *ring_of(const struct run_reader *reader, unsigned int cpu)
{
	return (struct hvc_ring *)(void *)(reader->rings.first + cpu * reader->rings.stride);
}

/* Of a CPU; more stay in the ring. */
static size_t held_max(const struct run_reader *reader)
{
	return 2 * (size_t)reader->rings.records;
}

static bool is_sound(const struct hvc_record *record, unsigned int cpu)
{
	return record->vcpu == cpu && record->conduit <= HVC_CONDUIT_SMC &&
	       record->decider < HVC_DECIDER_COUNT && record->verdict < HVC_VERDICT_COUNT &&
	       record->action <= HVC_NOTIFY && record->fn < HVC_FN_COUNT;
}

static struct held *at(const struct queue *queue, size_t index)
{
	return &queue->held[(queue->start + index) & (queue->room - 1)];
}

static void push(struct queue *queue, const struct hvc_record *record, uint64_t now_ns)
{
	if (queue->count == queue->room) {
		const size_t room = queue->room == 0 ? 256 : queue->room * 2;
		struct held *held = run_realloc(NULL, room * sizeof(*held));

		for (size_t i = 0; i < queue->count; i++) {
			held[i] = *at(queue, i);
		}
		free(queue->held);
		queue->held = held;
		queue->start = 0;
		queue->room = room;
	}
	*at(queue, queue->count) = (struct held){*record, now_ns};
	queue->count++;
}

static size_t drain(struct run_reader *reader, unsigned int index, uint64_t now_ns)
{
	struct cpu *cpu = &reader->cpus[index];
	struct hvc_ring *ring = ring_of(reader, index);
	const uint32_t size = reader->rings.records;
	const uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
	const uint64_t dropped = __atomic_load_n(&ring->dropped, __ATOMIC_RELAXED);
	uint64_t waiting = head - cpu->tail;
	const struct hvc_record *records = (const void *)(ring + 1);

	cpu->dropped = dropped > cpu->dropped ? dropped : cpu->dropped;
	if (waiting > size) {
		/* Not what our writer does. Begin again where it says it is. */
		reader->damaged++;
		cpu->tail = head;
		waiting = 0;
	}
	if (waiting > held_max(reader) - cpu->queue.count) {
		waiting = held_max(reader) - cpu->queue.count;
	}
	for (uint64_t i = 0; i < waiting; i++) {
		struct hvc_record record;

		memcpy(&record, &records[(cpu->tail + i) & (size - 1)], sizeof(record));
		if (!is_sound(&record, index)) {
			reader->damaged++;
			continue;
		}
		reader->newest = record.time > reader->newest ? record.time : reader->newest;
		push(&cpu->queue, &record, now_ns);
	}
	cpu->tail += waiting;
	__atomic_store_n(&ring->tail, cpu->tail, __ATOMIC_RELEASE);
	return (size_t)waiting;
}

size_t run_reader_poll(struct run_reader *reader, uint64_t now_ns)
{
	size_t count = 0;

	for (unsigned int cpu = 0; cpu < reader->count; cpu++) {
		count += drain(reader, cpu, now_ns);
	}
	return count;
}

bool run_reader_next(struct run_reader *reader, uint64_t now_ns, bool final,
		     struct hvc_record *record)
{
	struct queue *first = NULL;
	bool all = true, full = false;

	for (unsigned int cpu = 0; cpu < reader->count; cpu++) {
		struct queue *queue = &reader->cpus[cpu].queue;

		full = full || queue->count >= held_max(reader);
		if (queue->count == 0) {
			all = false;
		} else if (first == NULL || at(queue, 0)->record.time < at(first, 0)->record.time) {
			first = queue;
		}
	}
	if (first == NULL) {
		return false;
	}
	if (!final && !all && !full) {
		const struct held *held = at(first, 0);
		const bool old = reader->deterministic
					 ? reader->newest - held->record.time > HOLD_TICKS
					 : now_ns - held->arrived_ns >= HOLD_NS;

		if (!old) {
			return false;
		}
	}
	*record = at(first, 0)->record;
	first->start = (first->start + 1) & (first->room - 1);
	first->count--;
	return true;
}

uint64_t run_reader_dropped(const struct run_reader *reader)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < reader->count; cpu++) {
		sum += reader->cpus[cpu].dropped;
	}
	return sum;
}

uint64_t run_reader_damaged(const struct run_reader *reader)
{
	return reader->damaged;
}
