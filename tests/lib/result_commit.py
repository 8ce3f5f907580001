# SPDX-License-Identifier: BSD-2-Clause
"""The commit that a result file names."""

import subprocess


def of(top):
    """As git describes it; "-dirty" if anything but tests/results, which earlier tests write to, was changed."""
    def git(*args):
        done = subprocess.run(["git", "-C", top, *args], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""
    commit = git("describe", "--always") or "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!tests/results")
    return commit + ("-dirty" if changed else "")
