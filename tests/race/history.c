/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A search for a legal order, after Wing and Gong (1993) and Lowe (2017), breadth first: what is known at a moment is
 * the set of all that the CPU can be by then, each with the operations under way that have taken effect. An operation
 * takes effect only when one has to: when one comes back that has not. Equal members are one, so that the set stays
 * small however long the history is; where nothing is under way it holds what the CPU can be, and nothing else.
 */
#include "history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIGS = 1024 };

struct config {
	uint64_t number; /* PENDING: what it will start with */
	uint16_t done;   /* by CPU: what it has under way has taken effect */
	uint8_t state;
};

struct configs {
	struct config at[CONFIGS];
	size_t count;
};

struct event {
	uint64_t time;
	const struct op *op;
	bool end;
};

struct search {
	const struct op *open[HISTORY_CPUS]; /* under way, by CPU */
	unsigned int open_count;
	struct configs now, next;
};

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "history: %s\n", what);
		abort();
	}
}

static bool only_looks(const struct op *op)
{
	return op->kind == OP_REFUSED || op->kind == OP_ASKED;
}

bool history_step(const struct op *op, uint8_t *state, uint64_t *number)
{
	switch (op->kind) {
	case OP_WON:
		if (*state != STATE_OFF) {
			return false;
		}
		*state = STATE_PENDING;
		*number = op->number;
		return true;
	case OP_GIVEN_BACK:
	case OP_STARTED:
		if (*state != STATE_PENDING || *number != op->number) {
			return false;
		}
		*state = op->kind == OP_STARTED ? STATE_ON : STATE_OFF;
		*number = 0;
		return true;
	case OP_OFF:
		if (*state != STATE_ON) {
			return false;
		}
		*state = STATE_OFF;
		return true;
	case OP_REFUSED:
	case OP_ASKED:
		return *state == op->state;
	default:
		return false;
	}
}

static bool apply(const struct op *op, struct config *config)
{
	if (!history_step(op, &config->state, &config->number)) {
		return false;
	}
	config->done |= (uint16_t)(1u << op->cpu);
	return true;
}

/* Whoever only looks may as well look now: to have looked leaves no choice fewer. */
static void look_all(const struct search *search, struct config *config)
{
	for (unsigned int cpu = 0; cpu < HISTORY_CPUS; cpu++) {
		const struct op *op = search->open[cpu];

		if (op != NULL && !(config->done >> cpu & 1) && only_looks(op)) {
			(void)apply(op, config);
		}
	}
}

static void add(struct configs *configs, const struct config *config)
{
	for (size_t i = 0; i < configs->count; i++) {
		const struct config *other = &configs->at[i];

		if (other->state == config->state && other->number == config->number &&
		    other->done == config->done) {
			return;
		}
	}
	must(configs->count < CONFIGS, "more possibilities than memory for them");
	configs->at[configs->count++] = *config;
}

static void begin_op(struct search *search, const struct op *op)
{
	must(op->cpu < HISTORY_CPUS && search->open[op->cpu] == NULL,
	     "a CPU does two things at once");
	search->open[op->cpu] = op;
	search->open_count++;
	for (size_t i = 0; i < search->now.count; i++) {
		if (only_looks(op)) {
			(void)apply(op, &search->now.at[i]);
		}
	}
}

/* One comes back: it has taken effect. Where it had not, others may have taken effect before it did. */
static void end_op(struct search *search, unsigned int cpu)
{
	struct configs *now = &search->now, *next = &search->next;

	next->count = 0;
	for (size_t i = 0; i < now->count; i++) {
		struct config config = now->at[i];

		if (config.done >> cpu & 1) {
			config.done &= (uint16_t) ~(1u << cpu);
			add(next, &config);
			continue;
		}
		for (unsigned int other = 0; other < HISTORY_CPUS; other++) {
			struct config then = config;

			if (search->open[other] != NULL && !(config.done >> other & 1) &&
			    apply(search->open[other], &then)) {
				look_all(search, &then);
				add(now, &then);
			}
		}
	}
	memcpy(now->at, next->at, next->count * sizeof(next->at[0]));
	now->count = next->count;
	search->open[cpu] = NULL;
	search->open_count--;
}

static int by_time(const void *left, const void *right)
{
	const struct event *a = left, *b = right;

	return (a->time > b->time) - (a->time < b->time);
}

/* Beginnings and ends in order; an operation that is still running has no end. */
static struct event *events_of(const struct op *ops, size_t count, size_t *event_count)
{
	struct event *events = calloc(2 * count + 1, sizeof(*events));
	size_t n = 0;

	must(events != NULL, "no memory");
	for (size_t i = 0; i < count; i++) {
		events[n++] = (struct event){ops[i].from, &ops[i], false};
		if (ops[i].to != OP_RUNNING) {
			must(ops[i].from < ops[i].to, "an operation ends before it begins");
			events[n++] = (struct event){ops[i].to, &ops[i], true};
		}
	}
	qsort(events, n, sizeof(*events), by_time);
	*event_count = n;
	return events;
}

static void start(struct search *search, uint8_t state, uint64_t number)
{
	memset(search->open, 0, sizeof(search->open));
	search->open_count = 0;
	search->now.at[0] = (struct config){.state = state, .number = number};
	search->now.count = 1;
}

/* False: no order is left. */
static bool take(struct search *search, const struct event *event)
{
	if (event->end) {
		end_op(search, event->op->cpu);
	} else {
		begin_op(search, event->op);
	}
	return search->now.count != 0;
}

/* The event at which no order is left, or event_count. */
static size_t run(struct search *search, const struct event *events, size_t event_count)
{
	for (size_t i = 0; i < event_count; i++) {
		if (!take(search, &events[i])) {
			return i;
		}
	}
	return event_count;
}

static bool illegal(struct search *search, const struct finding *finding)
{
	size_t event_count;
	struct event *events = events_of(finding->ops, finding->count, &event_count);
	bool found;

	start(search, finding->state, finding->number);
	found = run(search, events, event_count) < event_count;
	free(events);
	return found;
}

/* Who only looked and does not matter is left out. Who changed the state stays: without him nothing is explained. */
static void leave_out(struct search *search, struct finding *finding)
{
	for (size_t i = finding->count; i-- > 0;) {
		struct op op = finding->ops[i];
		size_t behind = (finding->count - i - 1) * sizeof(op);

		if (!only_looks(&op) || op.from == finding->last.from) {
			continue;
		}
		memmove(&finding->ops[i], &finding->ops[i + 1], behind);
		finding->count--;
		if (!illegal(search, finding)) {
			memmove(&finding->ops[i + 1], &finding->ops[i], behind);
			finding->ops[i] = op;
			finding->count++;
		}
	}
}

/* A moment when there was but one thing that the CPU could be: a history can begin there. */
struct cut {
	size_t at; /* before events[at] */
	struct config config;
	const struct op *open[HISTORY_CPUS];
};
enum { CUTS = 64 };

static void cut_here(const struct cut *cut, const struct event *events, size_t failed,
		     struct finding *finding)
{
	const struct op *last = events[failed].op;

	finding->count = 0;
	finding->state = cut->config.state;
	finding->number = cut->config.number;
	for (unsigned int cpu = 0; cpu < HISTORY_CPUS; cpu++) {
		if (cut->open[cpu] != NULL && !(cut->config.done >> cpu & 1)) {
			finding->ops[finding->count++] = *cut->open[cpu];
		}
	}
	for (size_t i = cut->at; i < failed; i++) {
		if (!events[i].end) {
			finding->ops[finding->count++] = *events[i].op;
		}
	}
	for (size_t i = 0; i < finding->count; i++) {
		struct op *op = &finding->ops[i];

		if (op->to > last->to) {
			op->to = OP_RUNNING;
		}
	}
}

static int by_from(const void *left, const void *right)
{
	const struct op *a = left, *b = right;

	return (a->from > b->from) - (a->from < b->from);
}

/* The latest such moments. Returns how many there were; cuts[n % CUTS] is the n-th. */
static size_t find_cuts(struct search *search, const struct event *events, size_t failed,
			struct cut cuts[CUTS])
{
	size_t count = 0;

	for (size_t i = 0; i < failed; i++) {
		if (search->now.count == 1) {
			struct cut *cut = &cuts[count++ % CUTS];

			cut->at = i;
			cut->config = search->now.at[0];
			memcpy(cut->open, search->open, sizeof(cut->open));
		}
		(void)take(search, &events[i]);
	}
	return count;
}

/* As late as possible, but so that something is to be seen beside the last operation. */
enum { WORTH_READING = 2 };

static void explain(struct search *search, const struct event *events, size_t failed,
		    enum power_state first, struct finding *finding)
{
	struct cut *cuts = calloc(CUTS, sizeof(*cuts));
	size_t count;

	*finding = (struct finding){.ops = calloc(failed + HISTORY_CPUS, sizeof(*finding->ops)),
				    .last = *events[failed].op};
	must(cuts != NULL && finding->ops != NULL, "no memory");
	start(search, (uint8_t)first, 0);
	count = find_cuts(search, events, failed, cuts);
	for (size_t n = count; n-- > 0 && n + CUTS >= count;) {
		cut_here(&cuts[n % CUTS], events, failed, finding);
		leave_out(search, finding);
		if (finding->count >= WORTH_READING) {
			break;
		}
	}
	for (size_t i = 0; i < failed; i++) {
		finding->before += events[i].end && events[i].time < finding->ops[0].from;
	}
	qsort(finding->ops, finding->count, sizeof(*finding->ops), by_from);
	free(cuts);
}

bool history_legal(const struct op *ops, size_t count, enum power_state first,
		   struct finding *finding)
{
	struct search *search = malloc(sizeof(*search));
	size_t event_count, failed;
	struct event *events = events_of(ops, count, &event_count);

	must(search != NULL, "no memory");
	start(search, (uint8_t)first, 0);
	failed = run(search, events, event_count);
	if (failed < event_count && finding != NULL) {
		explain(search, events, failed, first, finding);
	}
	free(search);
	free(events);
	return failed == event_count;
}

void finding_free(struct finding *finding)
{
	free(finding->ops);
	finding->ops = NULL;
}

static const char *const state_names[] = {"ON", "OFF", "ON_PENDING"};

static void print_op(FILE *file, const struct op *op)
{
	switch (op->kind) {
	case OP_WON:
		fprintf(file, "CPU_ON with start %" PRIu64 " wins: the host is asked", op->number);
		break;
	case OP_GIVEN_BACK:
		fprintf(file, "CPU_ON with start %" PRIu64 " answers INTERNAL_FAILURE", op->number);
		break;
	case OP_REFUSED:
		fprintf(file, "CPU_ON answers %s",
			op->state == STATE_ON ? "ALREADY_ON" : "ON_PENDING");
		break;
	case OP_ASKED:
		fprintf(file, "AFFINITY_INFO answers %s", state_names[op->state]);
		break;
	case OP_STARTED:
		fprintf(file, "comes up with start %" PRIu64, op->number);
		break;
	case OP_OFF:
		fprintf(file, "CPU_OFF");
		break;
	default:
		fprintf(file, "an answer that there is not: 0x%" PRIx64, op->number);
	}
}

void finding_print(FILE *file, unsigned int target, const struct finding *finding)
{
	fprintf(file, "No order explains what was seen of CPU %u. After %zu operations it was %s",
		target, finding->before, state_names[finding->state]);
	if (finding->state == STATE_PENDING) {
		fprintf(file, " with start %" PRIu64, finding->number);
	}
	fprintf(file, ", then:\n  %10s  %10s  by\n", "from", "to");
	for (size_t i = 0; i < finding->count; i++) {
		const struct op *op = &finding->ops[i];

		fprintf(file, "  %10" PRIu64 "  ", op->from);
		if (op->to == OP_RUNNING) {
			fprintf(file, "%10s", "(runs)");
		} else {
			fprintf(file, "%10" PRIu64, op->to);
		}
		fprintf(file, "  CPU %u  ", op->cpu);
		print_op(file, op);
		fprintf(file, op->from == finding->last.from ? "   <- impossible\n" : "\n");
	}
}
