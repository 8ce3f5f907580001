#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""usage: completions.py HVCGATE BASH ZSH FISH

The completions of all three shells against what `hvcgate VERB --usage` lists, which is not what they are made of; bash's
and, where it is installed, fish's asked as the key Tab asks.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HVCGATE = os.path.abspath(sys.argv[1])
SCRIPTS = dict(zip(("bash", "zsh", "fish"), map(os.path.abspath, sys.argv[2:5])))
passed, failed = 0, 0


def check(what, good):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAILED", what, file=sys.stderr)


def said(*words):
    return subprocess.run([HVCGATE, *words], capture_output=True, text=True).stdout


# Ask bash: a line a query, its words parted by tabs, as Readline would part them; answers a line each.
ASK = """
source "$1"
while IFS=$'\\t' read -ra COMP_WORDS; do
	[ "${COMP_WORDS[-1]}" != '<empty>' ] || COMP_WORDS[-1]=''
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
	_hvcgate "${COMP_WORDS[0]}"
	echo "${COMPREPLY[*]}"
done
"""


def ask_bash(script, queries):
    lines = "".join("\t".join([HVCGATE, *(word or "<empty>" for word in query)]) + "\n" for query in queries)
    run = subprocess.run(["bash", "--norc", "-c", ASK, "ask", script], input=lines, capture_output=True, text=True)
    check(f"bash says nothing on stderr: {run.stderr}", run.stderr == "")
    return [set(line.split()) for line in run.stdout.splitlines()]


def verbs(*words):
    """Every leaf, as a list of words."""
    text = said(*words, "--help")
    if not text.startswith("usage:"):
        return [list(words)]
    below = re.findall(r"^  (\w\S*) ", text, re.M)
    return [leaf for verb in below for leaf in verbs(*words, verb)]


def options(leaf):
    """{"--format": "text|json", ...}, as --usage has them."""
    usage = re.sub(r"\s+", " ", said(*leaf, "--usage"))
    found = dict(re.findall(r"\[(--[a-z0-9-]+)(?:\[?=([^\] ]+)\]?)?\]", usage))
    found.pop("--usage")
    return found


def missing_in_bash(script, wanted):
    answers = ask_bash(script, [[*leaf, "--"] for leaf in map(list, wanted)])
    return [
        f"{' '.join(leaf)} {option}"
        for leaf, answer in zip(wanted, answers)
        for option in wanted[leaf]
        if option not in {word.rstrip("=") for word in answer}
    ]


wanted = {tuple(leaf): options(leaf) for leaf in verbs()}
check("there are verbs", len(wanted) >= 12)
check("verbs have options", all("--help" in found for found in wanted.values()))

# --- bash
bash = SCRIPTS["bash"]
lost = missing_in_bash(bash, wanted)
check(f"bash has every option; not {lost}", not lost)
with tempfile.TemporaryDirectory() as directory:
    broken = os.path.join(directory, "broken")
    with open(bash) as file, open(broken, "w") as out:
        out.write(file.read().replace("--trace-format= ", "", 1))
    check("an option that is not there is missed", missing_in_bash(broken, wanted) == ["run --trace-format"])
    os.chdir(directory)
    open("mine.yaml", "w").close()
    enums = [(leaf, option, words) for leaf, found in wanted.items() for option, words in found.items() if "|" in words and words.islower()]
    queries = [[""], ["pol"], ["policy", ""], ["call", "PSCI_CPU_O"], ["policy", "explain", "mine.yaml", "TRNG_RN"]]
    queries += [["policy", "check", "mi"], ["call", "--policy", "mi"], ["call", "--policy", "=", "mi"], ["compat", "linux-5"]]
    queries += [[*leaf, option, "=", words[0]] for leaf, option, words in enums]
    queries += [[*leaf, option, ""] for leaf, option, words in enums]
    answers = ask_bash(bash, queries)
top, one, policy, calls, names, file, spaced, joined, records = answers[:9]
check("bash has every verb", {leaf[0] for leaf in wanted} <= top and "--version" in top)
check("bash finishes a verb", one == {"policy"})
check("bash has every verb of policy", {leaf[1] for leaf in wanted if leaf[0] == "policy"} == policy)
check("bash asks for functions", calls == {"PSCI_CPU_ON", "PSCI_CPU_OFF"} and names == {"TRNG_RND"})
check("bash knows files", file == spaced == joined == {"mine.yaml"})
check("bash knows records", "linux-5.10" in records)
for (leaf, option, words), answer in zip(enums, answers[9:]):
    check(f"bash: {leaf} {option}={words[0]}", answer == {word for word in words.split("|") if word.startswith(words[0])})
for (leaf, option, words), answer in zip(enums, answers[9 + len(enums) :]):
    check(f"bash: {leaf} {option}", answer == set(words.split("|")))
check("there are options with choices", len(enums) >= 10)

# --- zsh and fish, as text
zsh, fish = (open(SCRIPTS[shell]).read() for shell in ("zsh", "fish"))
check("zsh knows whose it is", zsh.startswith("#compdef hvcgate\n"))
for leaf, found in wanted.items():
    function = zsh.split(f"_hvcgate_{'_'.join(leaf)}() {{\n")[1].split("\n}\n")[0]
    lines = [line for line in fish.splitlines() if f"'__hvcgate_at {' '.join(leaf)}'" in line]
    for option in found:
        check(f"zsh has {leaf} {option}", re.search(re.escape(option) + r"[=\[]", function))
        check(f"fish has {leaf} {option}", any(f" -l {option[2:]} " in line for line in lines))
for shell in ("zsh", "fish"):
    if shutil.which(shell):
        check(f"{shell} can read it", subprocess.run([shell, "-n", SCRIPTS[shell]]).returncode == 0)

if shutil.which("fish"):
    environment = dict(os.environ, PATH=f"{os.path.dirname(HVCGATE)}:{os.environ['PATH']}", HOME="/nonexistent")

    def ask_fish(line):
        run = subprocess.run(["fish", "--no-config", "-c", f"source {SCRIPTS['fish']}; complete -C {line!r}"], env=environment, capture_output=True, text=True)
        return {answer.split("\t")[0] for answer in run.stdout.splitlines()}

    check("fish has every verb", {leaf[0] for leaf in wanted} <= ask_fish("hvcgate "))
    for leaf, found in wanted.items():
        answer = ask_fish(f"hvcgate {' '.join(leaf)} --")
        check(f"fish has {leaf} {set(found) - {word.rstrip('=') for word in answer}}", set(found) <= {word.rstrip("=") for word in answer})
    check("fish asks for functions", ask_fish("hvcgate resolve PSCI_CPU_O") == {"PSCI_CPU_ON", "PSCI_CPU_OFF"})
    choices = ask_fish("hvcgate call --conduit ")
    check(f"fish knows choices, not {choices}", choices == {"hvc", "smc"})

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
