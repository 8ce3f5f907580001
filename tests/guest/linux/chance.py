#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Ordinary boots differ in their random numbers; deterministic ones are alike to the byte."""
from guest import HERE, LinuxTest, main


class Ordinary(LinuxTest):
    def test(self):
        one = self.boot(script=HERE / "random.sh")
        other = self.boot(script=HERE / "random.sh")
        for name in ("random", "urandom", "boot_id", "kernel_base"):
            self.assertNotEqual(one.fact(name), other.fact(name), name)
        # Not a word of the generator comes again, in the other boot or in its own.
        words = [boot.fact("random")[at:at + 16] for boot in (one, other) for at in range(0, 2 * 512, 16)]
        self.assertEqual(len(set(words)), 2 * 64)
        # The trace does not tell them.
        for call in one.called("TRNG_RND"):
            self.assertEqual((call["answer"].split()[0], call["out"]), ("SUCCESS", ["0x0"] * 4))


class Flood(LinuxTest):
    def test(self):
        """As many calls as the guest can make: counters are exact, and the trace says what it lost."""
        boot = self.boot(script=HERE / "flood.sh", smp=4)
        self.assertEqual(boot.fact("bytes"), str(400 * 1024))
        self.assertEqual(boot.fact("online"), "0-3")
        self.assertGreater(boot.count("TRNG_RND"), 400 * 1024 / 24)
        self.assertEqual(boot.summary["total"]["calls"], boot.summary["total"]["answered"])
        self.assertEqual(boot.summary["total"]["calls"], len(boot.calls) + boot.summary["trace_dropped"])
        lost = 0
        for cpu in range(4):
            numbers = [call["sequence"] for call in boot.calls if call["cpu"] == cpu]
            self.assertEqual(numbers, sorted(set(numbers)))
            lost += numbers[-1] + 1 - len(numbers)
        # What a CPU loses at the very end has no later number that would show it.
        self.assertLessEqual(lost, boot.summary["trace_dropped"])
        if boot.summary["trace_dropped"]:
            self.assertEqual(boot.trace[-1], {"type": "dropped", "calls": boot.summary["trace_dropped"]})


class Deterministic(LinuxTest):
    """One policy file name, as the trace names it; two CPUs, which QEMU then runs in turn."""

    def check(self, trace_format, *options):
        one, other = (self.boot(script=HERE / "random.sh", trace_format=trace_format, seconds=20,
                                options=["--deterministic", *options]) for _ in range(2))
        self.assertIn("DETERMINISTIC", one.stderr)
        self.assertGreater(one.trace_text.count("TRNG_RND"), 10)
        self.assertEqual(one.trace_text, other.trace_text)
        self.assertEqual(one.console, other.console)
        self.assertEqual(one.fact("online"), "0-1")
        for name in ("random", "urandom", "boot_id", "kernel_base"):
            self.assertTrue(one.fact(name))
        self.assertEqual({**one.summary, "seconds": 0}, {**other.summary, "seconds": 0})

    def test_json(self):
        self.check("json")


class MoreDeterministic(Deterministic):
    def test_json(self):
        self.check("json", "--cpu", "max")

    def test_text(self):
        self.check("text")


if __name__ == "__main__":
    main()
