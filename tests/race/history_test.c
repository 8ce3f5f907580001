/* SPDX-License-Identifier: BSD-2-Clause */
/* The search for an order, on histories made by hand and, against every order there is, on small random ones. */
#include <string.h>

#include "cmocka_all.h"
#include "history.h"
#include "rng.h"

#define WON(from, to, cpu, number)               \
	{                                        \
		from, to, number, OP_WON, cpu, 0 \
	}
#define GIVEN_BACK(from, to, cpu, number)               \
	{                                               \
		from, to, number, OP_GIVEN_BACK, cpu, 0 \
	}
#define REFUSED(from, to, cpu, state)                       \
	{                                                   \
		from, to, 0, OP_REFUSED, cpu, STATE_##state \
	}
#define ASKED(from, to, cpu, state)                       \
	{                                                 \
		from, to, 0, OP_ASKED, cpu, STATE_##state \
	}
#define STARTED(from, to, cpu, number)               \
	{                                            \
		from, to, number, OP_STARTED, cpu, 0 \
	}
#define OFF(from, to, cpu)                  \
	{                                   \
		from, to, 0, OP_OFF, cpu, 0 \
	}
#define NEVER(from, to, cpu)                      \
	{                                         \
		from, to, 0xbad, OP_NEVER, cpu, 0 \
	}

enum { MOST = 8 };

/* The target is CPU 5 and off at first. */
struct example {
	const char *name;
	bool legal;
	size_t shortest; /* operations of the piece that is shown */
	struct op ops[MOST];
};

static const struct example examples[] = {
	{"nothing", true, 0, {{0}}},
	{"a life",
	 true,
	 0,
	 {WON(1, 2, 1, 9), STARTED(3, 4, 5, 9), OFF(5, 6, 5), ASKED(7, 8, 1, OFF)}},
	{"it runs before who started it knows",
	 true,
	 0,
	 {WON(1, 10, 1, 9), STARTED(2, 3, 5, 9), ASKED(4, 5, 2, ON)}},
	{"the second of two is told of the first",
	 true,
	 0,
	 {WON(1, 4, 1, 9), REFUSED(2, 3, 2, PENDING), STARTED(5, 6, 5, 9), REFUSED(7, 8, 2, ON)}},
	{"who looks in time sees either",
	 true,
	 0,
	 {WON(1, 6, 1, 9), ASKED(2, 3, 2, PENDING), ASKED(4, 5, 3, PENDING)}},
	{"the host fails, and a second one wins in between",
	 true,
	 0,
	 {WON(1, 2, 1, 9), GIVEN_BACK(3, 8, 1, 9), WON(4, 5, 2, 7), STARTED(6, 7, 5, 7)}},
	{"who looks between a failure's two steps",
	 true,
	 0,
	 {WON(1, 2, 1, 9), ASKED(3, 4, 2, PENDING), GIVEN_BACK(5, 6, 1, 9), ASKED(7, 8, 2, OFF)}},
	{"what has not come back may have taken effect",
	 true,
	 0,
	 {WON(1, OP_RUNNING, 1, 9), ASKED(2, 3, 2, PENDING)}},
	{"or not", true, 0, {WON(1, OP_RUNNING, 1, 9), ASKED(2, 3, 2, OFF)}},
	{"off and on again under way",
	 true,
	 0,
	 {WON(1, 2, 1, 9), STARTED(3, 4, 5, 9), OFF(5, 12, 5), WON(6, 11, 1, 7),
	  ASKED(7, 8, 2, OFF), ASKED(9, 10, 2, PENDING)}},

	{"two win", false, 2, {WON(1, 3, 1, 9), WON(2, 4, 2, 7)}},
	{"an old answer",
	 false,
	 2,
	 {WON(1, 2, 1, 9), ASKED(3, 4, 3, PENDING), STARTED(5, 6, 5, 9), ASKED(7, 8, 2, PENDING)}},
	{"there and back",
	 false,
	 3,
	 {WON(1, 6, 1, 9), ASKED(2, 3, 2, PENDING), ASKED(4, 5, 3, OFF)}},
	{"ALREADY_ON before it runs", false, 2, {WON(1, 2, 1, 9), REFUSED(3, 4, 2, ON)}},
	{"ON_PENDING of nobody", false, 1, {REFUSED(1, 2, 2, PENDING)}},
	{"another's entry", false, 2, {WON(1, 2, 1, 9), STARTED(3, 4, 5, 7)}},
	{"entry of a start that was given back",
	 false,
	 2,
	 {WON(1, 2, 1, 9), GIVEN_BACK(3, 4, 1, 9), WON(5, 6, 2, 7), STARTED(7, 8, 5, 9)}},
	{"starts by itself", false, 1, {STARTED(1, 2, 5, 0)}},
	{"off, and still on",
	 false,
	 2,
	 {WON(1, 2, 1, 9), STARTED(3, 4, 5, 9), OFF(5, 6, 5), ASKED(7, 8, 1, ON)}},
	{"a failure that stays",
	 false,
	 2,
	 {WON(1, 2, 1, 9), GIVEN_BACK(3, 4, 1, 9), ASKED(5, 6, 2, PENDING)}},
	{"no such answer", false, 1, {NEVER(1, 2, 1)}},
};

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(examples); i++) {
		const struct example *example = &examples[i];
		struct finding finding;
		size_t count = 0;

		while (count < MOST && example->ops[count].to != 0) {
			count++;
		}
		if (history_legal(example->ops, count, STATE_OFF, &finding) != example->legal) {
			fail_msg("%s: taken for %s", example->name,
				 example->legal ? "illegal" : "legal");
		}
		if (!example->legal) {
			if (finding.count != example->shortest) {
				finding_print(stderr, 5, &finding);
				fail_msg("%s: %zu operations shown", example->name, finding.count);
			}
			finding_free(&finding);
		}
	}
}

/* Some operation that nothing unfinished has to come before, and so on: every order. */
static bool some_order(const struct op *ops, size_t count, unsigned int done, uint8_t state,
		       uint64_t number)
{
	bool over = true;

	for (size_t i = 0; i < count; i++) {
		uint8_t then = state;
		uint64_t then_number = number;
		bool first = !(done >> i & 1);

		for (size_t j = 0; j < count && first; j++) {
			first = (done >> j & 1) != 0 || ops[j].to > ops[i].from;
		}
		over &= (done >> i & 1) != 0 || ops[i].to == OP_RUNNING;
		if (first && history_step(&ops[i], &then, &then_number) &&
		    some_order(ops, count, done | 1u << i, then, then_number)) {
			return true;
		}
	}
	return over;
}

/* CPUs take turns at random; some do not come back. */
static size_t random_history(struct rng *rng, struct op ops[MOST])
{
	size_t count = 1 + rng_below(rng, MOST), begun = 0;
	int open[4] = {-1, -1, -1, -1};

	for (uint64_t time = 1; time < 4 * MOST; time++) {
		unsigned int cpu = rng_below(rng, 4);

		if (open[cpu] >= 0) {
			ops[open[cpu]].to = time;
			open[cpu] = -1;
		} else if (begun < count) {
			ops[begun] = (struct op){.from = time,
						 .to = OP_RUNNING,
						 .number = rng_below(rng, 2),
						 .kind = (uint8_t)rng_below(rng, OP_NEVER),
						 .cpu = (uint8_t)cpu,
						 .state = (uint8_t)rng_below(rng, 3)};
			open[cpu] = (int)begun++;
		}
	}
	return begun;
}

static void test_every_order(void **state)
{
	unsigned int legal = 0, illegal = 0;
	struct rng rng = {5};

	(void)state;
	for (unsigned int i = 0; i < 60000; i++) {
		struct op ops[MOST];
		size_t count = random_history(&rng, ops);
		enum power_state first = (enum power_state)rng_below(&rng, 3);
		bool expected = some_order(ops, count, 0, (uint8_t)first, 0);
		struct finding finding;

		assert_int_equal(history_legal(ops, count, first, &finding), expected);
		*(expected ? &legal : &illegal) += 1;
		if (!expected) {
			/* What is shown cannot have happened either. */
			assert_in_range(finding.count, 1, count);
			assert_false(some_order(finding.ops, finding.count, 0, finding.state,
						finding.number));
			finding_free(&finding);
		}
	}
	assert_true(legal > 1000 && illegal > 1000);
}

/* A long history is cut to what matters, and found in reasonable time: 200 000 operations and one that cannot be. */
static void test_long(void **state)
{
	static struct op ops[200001];
	struct finding finding;
	uint64_t time = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		static const uint8_t kinds[] = {OP_WON, OP_ASKED, OP_STARTED, OP_ASKED, OP_OFF};
		static const uint8_t states[] = {0, STATE_PENDING, 0, STATE_ON, 0};

		time += 2;
		ops[i] = (struct op){.from = time,
				     .to = time + 1,
				     .number = i / 5,
				     .kind = kinds[i % 5],
				     .cpu = (uint8_t)(i % 7),
				     .state = states[i % 5]};
	}
	assert_true(history_legal(ops, COUNT_OF(ops), STATE_OFF, &finding));
	ops[150003].state = STATE_PENDING;
	assert_false(history_legal(ops, COUNT_OF(ops), STATE_OFF, &finding));
	assert_in_range(finding.count, 1, 4);
	assert_int_equal(finding.last.from, ops[150003].from);
	finding_free(&finding);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
