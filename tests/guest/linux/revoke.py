#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`hvcgate ctl deny` takes a function away from Linux while it uses it."""
import json
import os
import subprocess
import time

from guest import HERE, HVCGATE, LinuxTest, main


class Revoke(LinuxTest):
    NAME = "linux-revoke"

    def setUp(self):
        super().setUp()
        os.environ["HVCGATE_RUNTIME_DIR"] = str(self.work / "sockets")

    def ctl(self, *args):
        return subprocess.run([HVCGATE, "ctl", *args], check=True, stdout=subprocess.PIPE, text=True, timeout=30).stdout

    def talk(self, console):
        console.line("revoke: going")
        begun = time.monotonic()
        self.ctl("deny", self.NAME, "TRNG_RND")
        back = time.monotonic()
        console.line("revoke: refused")
        print(f"ctl deny took {(back - begun) * 1e3:.0f} ms; reads failed {(time.monotonic() - back) * 1e3:.0f} ms after it", flush=True)
        self.shown = json.loads(self.ctl("show", self.NAME, "--format", "json"))

    def check(self, *options, smp=2):
        boot = self.boot("revocable: [TRNG_RND]\n", script=HERE / "revoke.sh", talk=self.talk, smp=smp, seconds=20,
                         options=["--name", self.NAME, *options])
        self.assertGreaterEqual(int(boot.fact("reads")), 5)
        self.assertEqual(boot.fact("wrong"), "0")
        self.assertEqual((boot.fact("without"), boot.fact("online")), ("0", f"0-{smp - 1}"))
        self.assertEqual((boot.fact("urandom"), boot.fact("clock")), ("64", "goes"))
        self.assertQuiet(boot)
        self.assertEqual((self.shown["host"], self.shown["revoked"]), ("el2", ["TRNG_RND"]))
        # On each CPU the calls are answered, and then none is any more; nothing else was denied.
        calls = boot.called("TRNG_RND")
        for cpu in range(smp):
            answers = [call["answer"].split()[0] for call in calls if call["cpu"] == cpu]
            denied = answers.index("NOT_SUPPORTED") if "NOT_SUPPORTED" in answers else len(answers)
            self.assertEqual(set(answers[:denied]) - {"SUCCESS"}, set())
            self.assertEqual(set(answers[denied:]) - {"NOT_SUPPORTED"}, set())
        revoked = [call for call in boot.calls if call["decided_by"] == "revoked"]
        self.assertGreaterEqual(len(revoked), 8)
        self.assertEqual({(call["function"], call["action"], call["rule"]) for call in revoked}, {("TRNG_RND", "deny", None)})
        self.assertEqual(boot.summary["total"]["denied"], boot.count("TRNG_RND", "denied"))
        self.assertEqual(os.listdir(self.work / "sockets"), [])

    def test(self):
        self.check()


class RevokeMore(Revoke):
    def test(self):
        self.check("--conduit", "smc", "--gic", "2")


if __name__ == "__main__":
    main()
