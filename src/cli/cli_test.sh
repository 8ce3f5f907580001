#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: cli_test.sh HVCGATE POLICIES MANUAL
# The command as a person and as a program meet it: output, streams and exit status of each verb but run.
set -eu
. "$(dirname "$0")/../../tests/lib/command.sh"

hvcgate=$(realpath "$1") policies=$(realpath "$2") manual=$(realpath "$3")
tool=$hvcgate
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >my.yaml <<'END'
hvcgate: 1
psci: "1.0"
services: {trng: off}
rules:
  - deny: [PSCI_SYSTEM_SUSPEND, PSCI_CPU_ON/32]
  - handle: KVM_VENDOR_UID
  - deny: {owner: vendor-hyp}
END
cat >warn.yaml <<'END'
hvcgate: 1
services: {tee: on}
END
cat >bad.yaml <<'END'
hvcgate: 1
psci: 1.0
rules:
  - deny: PSCI_CPUON
END

# The command itself.
run 0 --help
says out 'usage: hvcgate VERB'
says out 'Example: hvcgate policy check my.yaml'
says err
run 0 --version
says out 'hvcgate 0.'
run 2
says out
says err 'usage: hvcgate VERB'
run 2 polcy
says err "unknown verb 'polcy'; did you mean 'hvcgate policy'?"
run 2 zebra
says err "unknown verb 'zebra'; see hvcgate --help"
run 2 policy
run 2 policy chekc my.yaml
says err "did you mean 'hvcgate policy check'?"
for verb in policy 'policy check' 'policy explain' 'policy flatten' 'policy plan' 'policy compile' resolve call replay probe compat baseline exec; do
	# shellcheck disable=SC2086 # two words
	run 0 $verb --help
	says out 'Example: hvcgate'
	says err
done
run 2 resolve --nonsense
says err 'unrecognized option'

# probe: where there is no arm64 KVM it says what to do, on one line.
run 2 probe --format xml
says err "--format is table, json or nfd, not 'xml'"
run 2 probe now
says err "no argument is taken: 'now'"
if [ "$(uname -m)" != aarch64 ]; then
	for format in table json nfd; do
		run 2 probe --format $format
		says out
		says err 'cannot measure: this is not arm64 Linux'
		says err 'scripts/lab'
	done
fi
for record in "$policies"/../profiles/records/*.json; do
	run 0 probe --record "$record"
	says out 'filter '
	says out '; profile linux-'
	says err
	if [ "$(wc -l <out)" -gt 24 ] || grep -qE '.{81}' out; then
		fail "$what: more than a screen"
	fi
	run 0 probe --format json --record "$record"
	if ! cmp -s out "$record"; then
		fail "$what: the record is written differently"
	fi
	run 0 probe --format nfd --record "$record"
	says out 'feature.node.kubernetes.io/hvcgate.psci-1.0=true'
	if grep -qvE '^feature[.]node[.]kubernetes[.]io/[a-z0-9.-]{1,62}[a-z0-9]=[A-Za-z0-9.-]{1,63}$' out; then
		fail "$what: a line that is no label"
	fi
done
run 0 probe --record "$policies/../profiles/records/linux-6.12.json"
says out 'Linux 6.12.'
says out 'PSCI_VERSION      1.1     takes 0.2 1.0 1.1; without PSCI_0_2: 0.1'
says out 'filter      yes; not for 0x80000000-0x8000ffff, 0xc0000000-0xc000ffff'
says out 'arch 5/' # of how many grows with the catalogue
says out ' psci 10/'
says out ' trng 4/4 kvm-vendor 3/'
says out 'not seen    smc-unknown filter-empty-at-0 mpidr-masked'
run 0 probe --record "$policies/../profiles/records/linux-6.1.json"
says out 'SMCCC       1.1, SMC is always -1; profile linux-6.1@'
says out 'filter      no'
echo '{"hvcgate-record": 1}' >bad.json
run 2 probe --record bad.json
says out
says err 'bad.json'
run 2 probe --record nowhere.json
says err 'nowhere.json'

# exec: what is refused before anything is started.
run 2 exec
says err 'which VMM?'
run 2 exec --policy - -- true
says err "standard input is the VMM's"
run 2 exec --trace-format json --policy my.yaml -- true
says err '--trace-format is for --trace'
run 2 exec --no-run --policy my.yaml -- true
says err '--no-run is without a policy'
run 2 exec --summary yaml -- true
says err 'table, json or none'
run 2 exec --policy my.yaml -- ./no-such-vmm --policy --summary
says err './no-such-vmm: No such file'
run 2 exec -- true
says err 'which policy? --policy FILE'
run 3 exec --no-run -- sh -c 'exit 3'
run 0 exec --no-run -- echo --policy -- x
says out '--policy -- x'
if [ "$(uname -m)" != aarch64 ]; then
	run 2 exec --policy my.yaml -- true
	says err 'this is not arm64 Linux'
fi

# compat and baseline: records that are built in, and files.
run 1 compat linux-7.x linux-6.12
says out 'linux-7.3 -> linux-6.12: possible; needs the source started under exec'
says out 'load of migration failed: Operation not permitted'
says out 'policy: psci: "1.1"'
says out 'policy: show-registers: 7'
says out 'policy: hide: [PMMIR_EL1]'
says out 'lost: '
says err
run 1 compat "$policies/../profiles/records/linux-7.3.json" linux-6.1
says out 'impossible'
says out 'Invalid value 267 expecting positive value <= 251'
run 0 compat linux-6.1 linux-7.3
says out 'needs nothing'
run 1 compat --format json --vmm qemu-11.1 linux-7.3 linux-6.12
says out '"needs": "source started under exec"'
says out 'op0:3 op1:0 crn:9 crm:14 op2:6'
run 1 compat --fix fix.yaml linux-7.3 linux-6.16
says out 'fix.yaml: written'
run 2 compat --fix fix.yaml linux-7.3 linux-6.16
says err 'fix.yaml: File exists'
run 0 policy check fix.yaml
if ! grep -qx 'hide: \[PMMIR_EL1\]' fix.yaml; then
	fail 'compat --fix does not hide PMMIR_EL1'
fi
run 1 compat --policy fix.yaml linux-7.3 linux-6.12
says out 'policy: show-registers: 7'
run 2 compat --policy nowhere.yaml linux-7.3 linux-6.12
run 2 compat linux-7.3
says err 'which two?'
run 2 compat linux-7.3 linux-6.13
says err "no record of 'linux-6.13' is built in"
run 2 compat bad.json linux-6.13
says err 'bad.json'
run 2 compat --vmm qemu linux-7.3 linux-6.12
says err 'qemu-10.0'
for pair in 'linux-7.3 linux-5.10' 'linux-5.10 linux-7.3' 'linux-7.3 linux-6.12-cortex-a72' 'linux-7.3 linux-6.1'; do
	for vmm in qemu-10.0 qemu-11.1; do
		rm -f fix.yaml
		# shellcheck disable=SC2086 # two words
		run 1 compat --vmm $vmm --fix fix.yaml $pair
		if [ "$(wc -l <out)" -gt 15 ]; then
			fail "$what: more than 15 lines"
		fi
	done
done
run 1 compat --matrix linux-6.1 linux-6.12 linux-7.3
says out 'impossible'
run 0 compat --matrix linux-6.16 linux-6.18
run 1 compat --format json --matrix linux-6.1 linux-6.12
says out '"from": "linux-6.12"'
run 2 compat --matrix linux-6.1
run 0 baseline linux-6.12 linux-7.x
cp out base.yaml
says out 'profile: linux-6.12@1'
says out 'psci: "1.1"'
run 0 policy check base.yaml
run 0 baseline --format json linux-7.3
says out '"policy": "'
run 2 baseline
run 2 baseline linux-9.x

# policy check
run 0 policy check my.yaml
says out 'my.yaml: fine; hvcgate-1@1, 3 rules, image of'
says err
run 1 policy check warn.yaml
says out 'warn.yaml: 1 warning; '
says err 'warn.yaml:2:12: warning: service tee is on'
run 1 policy check my.yaml bad.yaml
says out 'bad.yaml: 2 errors'
says err 'bad.yaml:2:7: error: a bare 1.0 is a number to YAML; write psci: "1.0"'
says err 'bad.yaml:4:11: error: unknown function PSCI_CPUON; did you mean PSCI_CPU_ON?'
run 2 policy check bad.yaml nowhere.yaml
says err "nowhere.yaml: error: cannot read 'nowhere.yaml': No such file or directory"
run 2 policy check
says err 'which file?'
run 2 policy check --format xml my.yaml
says err '--format is text or json'
cp bad.yaml $'\xff.yaml' # a path need not be UTF-8, JSON must
run 1 policy check --format json $'\xff.yaml'
says out '"file": "?.yaml"'
says out '"severity": "error"'
run 1 policy check --format json my.yaml bad.yaml
says out '"severity": "error"'
says out '"line": 4'
says err
for policy in "$policies"/*.yaml; do
	[ "${policy##*/}" = everything.yaml ] || run 0 policy check "$policy"
done
run 0 policy check "$policies/everything.yaml" # what is said of its handlers are notes
says out 'everything.yaml: fine; hvcgate-2@1, 3 rules'
run 0 policy explain "$policies/everything.yaml" PSCI_MEM_PROTECT PKVM_MEM_UNSHARE KVM_PTP
says out 'discovery says 0x0 of it while somebody answers'
says out 'KVM_PTP: answered: service kvm-vendor, where the host has what it takes'
run 0 policy explain "$policies/everything.yaml"
says out 'power state 0x00010002 cpu-off: power-down, level 0, in 100 us, out 250 us, worth it from 1000 us'
says out 'trusted OS on CPU 0, which migrates'
run 0 policy explain --format json "$policies/everything.yaml" PSCI_MEM_PROTECT
says out '"features": 0'

# The examples of docs/policy.md, but for the one whose parents are not there.
awk -v dir="$dir" '/^```yaml/ { on = 1; n++; next } /^```/ { on = 0 } on { print > (dir "/example" n ".yaml") }' "$manual"
for example in $(grep -l '^hvcgate: 1' example*.yaml | xargs grep -L '^extends'); do
	run 0 policy check "$example"
done

# policy flatten
run 0 policy flatten my.yaml
says out 'psci: "1.0"'
says out '# sha256: '
cp out flat.yaml
run 0 policy flatten --digest my.yaml
cp out digest
run 0 policy flatten flat.yaml
if ! cmp -s out flat.yaml; then
	fail 'flatten of what was flattened differs'
fi
run 0 policy flatten --digest flat.yaml
if ! cmp -s out digest; then
	fail 'digest of what was flattened differs'
fi
says out "$(sed 's/^# sha256: //;$!d' flat.yaml)"
run 1 policy flatten bad.yaml
says out
run 0 policy flatten

# policy plan
cat >kvm.yaml <<'END'
hvcgate: 1
profile: linux-6.12
strictness: kvm
services: {trng: off, pv-time: off}
rules:
  - deny: PSCI_SYSTEM_RESET2
  - deny: {owner: vendor-hyp}
END
run 0 policy plan --on linux-6.12 --policy kvm.yaml
says err
says out 'kvm.yaml on linux-6.12@1, workaround levels unknown: enforced'
says out '0x6030000000160000 STD_BMAP          0x0 (was 0x1)'
says out '0x6030000000160001 STD_HYP_BMAP      0x0 (was 0x1)'
says out '0x6030000000160002 VENDOR_HYP_BMAP   0x0 (was 0x3)'
says out 'deny    0x84000012-0x84000012 PSCI_SYSTEM_RESET2/32'
says out 'forward 0x8400000a-0x8400000a PSCI_FEATURES'
says out 'discovery: with x1 0x84000012 (PSCI_SYSTEM_RESET2/32) the kernel says 0x0, the policy -1'
run 0 policy plan --on "$policies/../profiles/records/linux-6.12.json" --policy "$policies/linux-6.12.yaml"
says out ' on linux-6.12@1 (6.12.'
says out 'filter: none needed'
says out 'no call leaves the kernel for it'
run 1 policy plan --on linux-6.1 --policy kvm.yaml
says out ': refused'
says out 'no-filter: the kernel has no filter'
says out 'first kernel that can: 6.4'
says out 'allow: [no-filter]'
run 1 policy plan --on linux-6.12
says out '(built-in) on linux-6.12@1'
says out 'write smccc: "1.1"; or allow: [smccc]'
printf 'hvcgate: 1\nallow: smccc\n' >allow.yaml
run 0 policy plan --on linux-6.12 --policy allow.yaml
says out 'degraded as allowed'
run 1 policy plan --on linux-6.1 --policy kvm.yaml --format json
says out '"refused": true'
says out '"first-kernel": "6.4"'
run 2 policy plan --policy kvm.yaml
says err 'on which kernel? --on names a record or a profile'
run 2 policy plan --on hvcgate-1
says err "hvcgate-1@1 is no kernel's profile"
run 2 policy plan --on nothing.json
says err 'nothing.json'
run 1 policy plan --on linux-6.12 --policy bad.yaml
says out

# policy compile, and check of what it made
run 0 policy compile my.yaml -o my.image
says out
run 0 policy compile my.yaml -o again.image
if ! cmp -s my.image again.image; then
	fail 'the same policy gives another image'
fi
run 0 policy check my.image
says out 'my.image: an image of '
says out "policy sha256 $(sed 's/^# sha256: //;$!d' flat.yaml)"
run 0 policy check --format json my.yaml my.image
says out '"image": true'
run 1 policy compile bad.yaml -o bad.image
run 2 policy compile my.yaml
says err 'where to? --output names'
run 2 policy compile my.yaml -o no/where.image
says err 'no/where.image: cannot be written'
# policy compile --on: a plan as bytes
printf 'hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\ndiscovery: raw\nrules: [{deny: TRNG_RND}]\n' >kernel.yaml
run 0 policy compile --on linux-6.12 kernel.yaml -o my.plan
says out
run 0 policy compile --on linux-6.12 kernel.yaml -o again.plan
if ! cmp -s my.plan again.plan || [ "$(head -c 4 my.plan)" != HVCP ]; then
	fail 'the same policy gives another plan'
fi
run 1 policy compile --on linux-6.1 kernel.yaml -o no.plan
says err 'allow: [no-filter], or use Linux 6.4 or newer'
run 2 policy compile --on nothing.json kernel.yaml -o no.plan
run 2 policy compile --from linux-6.12 kernel.yaml -o no.plan
says err '--from is for plans'
if [ -e no.plan ]; then
	fail 'a plan that was refused is written'
fi
printf 'x' | dd of=again.image bs=1 seek=999 conv=notrunc status=none
run 1 policy check again.image
says err 'again.image: a damaged image'
head -c 300 my.image >short.image
run 1 policy check short.image my.yaml
says err 'short.image: a damaged image'

# policy explain
run 0 policy explain my.yaml PSCI_CPU_ON
says out '0x84000003 PSCI_CPU_ON: denied: rule 1 at line 5'
says out '0xc4000003 PSCI_CPU_ON: answered: service psci'
run 0 policy explain my.yaml PSCI_CPU_ON/64 KVM_VENDOR_UID TRNG_RND/64 SMCCC_VERSION PSCI_SYSTEM_OFF2/64 0x12345678
says out 'KVM_VENDOR_UID: answered: service kvm-vendor'
says out 'rule 3 at line 7 (deny: {owner: vendor-hyp}) names it too, and comes too late'
says out 'TRNG_RND: absent: feature register STD_BMAP has bit 0 (trng) off'
says out 'SMCCC_VERSION: answered: reserved'
says out 'PSCI_SYSTEM_OFF2: absent: psci is "1.0", and it exists from "1.3" on'
says out '0x12345678 (no function of the catalogue): unknown: no such function'
run 0 policy explain my.yaml 0x86000000-0x8700ffff
says out '0x86000000-0x8600ff00  deny by rule 3 at line 7'
says out '0x8600ff01-0x8600ff01  handle by rule 2 at line 6'
says out '0x87000000-0x8700ffff  handle by default'
run 0 policy explain my.yaml
says out 'PSCI_CPU_ON/32                      0x84000003            denied     rule 1 at line 5'
says out 'decides 67108863 of the 67108864 IDs it names'
run 0 policy explain
run 1 policy explain my.yaml PSCI_CPUON
says err 'did you mean PSCI_CPU_ON?'
run 1 policy explain bad.yaml
run 2 policy explain nowhere.yaml
run 0 policy explain --format json my.yaml PSCI_CPU_ON/32
says out '"why": "rule 1 at line 5"'

# resolve
run 0 resolve PSCI_CPU_ON 0x86000001 0x84010003 0x12345678 trng vendor-hyp
says out 'PSCI_CPU_ON: '
says out 'ID         0xc4000003: fast SMC64, owner std (4), number 0x3'
says out 'arguments  x1 target_cpu, x2 entry_point_address, x3 context_id'
says out 'KVM_PTP: '
says out 'register   VENDOR_HYP_BMAP bit 1'
says out 'without the SVE hint (bit 16): PSCI_CPU_ON'
says out 'yielding SMC32, owner reserved (18), number 0x5678'
says out '  TRNG_RND  '
says out 'vendor-hyp: 0x06000000-0x06ffffff'
run 1 resolve TRNG_RN PSCI_VERSION
says err "unknown function 'TRNG_RN'; did you mean TRNG_RND?"
says out 'PSCI_VERSION: '
run 1 resolve 0x1ffffffff
run 2 resolve
run 0 resolve --format json PSCI_CPU_ON 0x12345678
says out '"id64": "0xc4000003"'

# call
run 0 call PSCI_VERSION
says out 'answer   x0 = 0x10001'
says out 'decided  service psci'
run 0 call --policy my.yaml PSCI_VERSION
says out 'answer   x0 = 0x10000'
run 0 call --policy my.yaml --conduit smc PSCI_CPU_ON/32 1 0x40000000 7
says out 'PSCI_CPU_ON 0x84000003 by smc on CPU 0'
says out 'x0 = 0xffffffffffffffff NOT_SUPPORTED'
says out 'decided  rule 1 at line 5'
run 0 call PSCI_CPU_ON 1 0x40000000 7
says out 'x0 = 0x0 SUCCESS'
run 0 call --cpus 1 PSCI_CPU_ON 1 0x40000000 7
says out 'INVALID_PARAMETERS'
run 0 call PSCI_SYSTEM_OFF
says out 'verdict  system-off'
run 0 call --immediate 1 PSCI_VERSION
says out 'decided  the calling convention: the immediate is not 0'
run 0 call 0xc6001234
says out 'decided  no such function'
run 0 call --format json PSCI_VERSION
says out '"verdict": "resume"'
run 1 call PSCI_VERSON
says err 'did you mean PSCI_VERSION?'
run 1 call --policy bad.yaml PSCI_VERSION
run 2 call --policy nowhere.yaml PSCI_VERSION
run 2 call PSCI_VERSION 1 two
says err "x2: 'two' is no number"
run 2 call psci
run 2 call --cpus 0 PSCI_VERSION
run 2 call --conduit svc PSCI_VERSION
run 2 call

# replay
cat >table.hvc <<'END'
vm cpus=2
get STD_BMAP                     -> 0x1
call 0 hvc PSCI_VERSION          -> x0=0x10000/0xffff0000
call 0 hvc PSCI_VERSION
call 0 hvc TRNG_RND/64 64        -> x0=0 x3=random(64)
[linux-6.15..] count             -> 8
vm profile=linux-6.12..linux-6.16
count                            -> *
END
run 0 replay table.hvc
says out '5 agreed, 0 differed, 0 unsupported'
says out '3 lines are not for hvcgate-1@1 and were left out'
says err
run 0 replay --profile linux-6.12 --print --transcript kernel.txt table.hvc table.hvc
says out 'table.hvc:2: get STD_BMAP -> 1'
says out 'x3=random(64) x4=in'
says out '14 agreed, 0 differed, 0 unsupported'
run 1 replay --profile linux-7.3 --compare kernel.txt table.hvc
says out 'linux-6.12@1 answered: x0=0x10001'
run 0 replay --profile linux-6.12 --compare kernel.txt table.hvc
sed 's/0x1$/0x3/' table.hvc >wrong.hvc
run 1 replay wrong.hvc table.hvc
says out 'wrong.hvc:2: get STD_BMAP'
says out '  differs  it is 1, stated 3'
says out '9 agreed, 1 differed, 0 unsupported'
cp wrong.hvc $'\xff.hvc'
run 1 replay --format json $'\xff.hvc'
says out '"file": "?.hvc"'
run 1 replay --format json wrong.hvc
says out '"why": "it is 1, stated 3"'
says out '"verdict": "agreed"'
says out '"differed": 1'
cat >policy.hvc <<'END'
vm policy=my.yaml
call 0 hvc PSCI_VERSION                  -> x0=0x10000
call 0 hvc PSCI_FEATURES PSCI_CPU_ON/32  -> x0=-1
query PSCI_CPU_ON/32                     -> deny rule
filter PSCI_CPU_ON/32 1 deny             -> EEXIST
vm policy=my.yaml discovery=raw
call 0 hvc PSCI_FEATURES PSCI_CPU_ON/32  -> x0=0
END
mkdir elsewhere
mv policy.hvc elsewhere/
run 2 replay elsewhere/policy.hvc
says err "elsewhere/my.yaml: error: cannot read"
says err "elsewhere/policy.hvc:1:4: error: this policy cannot be used: EIO"
cp my.yaml elsewhere/
run 1 replay elsewhere/policy.hvc
says out 'elsewhere/policy.hvc:5: filter PSCI_CPU_ON/32 1 deny'
says out '  differs  EBUSY, stated EEXIST'
says out '6 agreed, 1 differed, 0 unsupported'
for i in $(seq 65); do # each policy is read once, and there are not too many
	cp my.yaml "elsewhere/$i.yaml"
	printf 'vm policy=%d.yaml\nvm policy=my.yaml\n' "$i"
done >elsewhere/policies.hvc
run 2 replay elsewhere/policies.hvc
says err 'elsewhere/policies.hvc:127:4: error: more than 64 policies: make it several files'
sed -i '127,$d' elsewhere/policies.hvc
run 0 replay elsewhere/policies.hvc
says out '126 agreed, 0 differed, 0 unsupported'
echo 'vm cpu=2' >bad.hvc
run 2 replay table.hvc bad.hvc
says out
says err "bad.hvc:1:4: error: a vm has no 'cpu'; did you mean cpus?"
run 2 replay --profile linux-6.99 table.hvc
says err "unknown profile 'linux-6.99'"
run 2 replay --compare table.hvc table.hvc
says err 'table.hvc:1:1: error: no transcript'
cp table.hvc other.hvc
run 2 replay --profile linux-6.12 --compare kernel.txt table.hvc other.hvc
says out
says err 'kernel.txt has nothing of other.hvc: there is nothing to compare with'
run 2 replay --unsupported table.hvc table.hvc
says err 'HOST PROFILES COMMAND REASON'
run 2 replay --record table.hvc table.hvc
says err 'hvcgate: table.hvc: line 1'
printf 'vm\n[linux-6.12] get WORKAROUND_1 -> 2\n' >record.hvc
run 0 replay --record "$policies/../profiles/records/linux-6.12.json" record.hvc
says out '2 agreed'
run 2 replay --host kwm table.hvc
says err "--host is engine, el2 or kvm, not 'kwm'"
run 2 replay nowhere.hvc
says err 'nowhere.hvc: error: cannot be read: No such file or directory'
run 2 replay .
run 2 replay
says err 'which scenario?'
if [ "$(uname -m)" != aarch64 ]; then
	run 2 replay --host kvm table.hvc
	says err 'host kvm: '
fi
for profile in hvcgate-1 hvcgate-2 linux-5.10 linux-6.1 linux-6.12 linux-6.16 linux-6.18 linux-7.3; do
	run 0 replay --profile $profile "$policies/../tests/scenario/first.hvc"
done

# Standard input, a full disk, no colour in a file.
status=0
"$hvcgate" replay - <table.hvc >out 2>err || status=$?
what='replay -'
[ "$status" = 0 ] || fail "$what: status $status"
says out '5 agreed, 0 differed'
status=0
"$hvcgate" policy check - <my.yaml >out 2>err || status=$?
what='policy check -'
[ "$status" = 0 ] || fail "$what: status $status"
says out '-: fine'
status=0
"$hvcgate" resolve psci >/dev/full 2>err || status=$?
what='resolve to a full disk'
[ "$status" = 2 ] || fail "$what: status $status"
says err 'cannot write'
if grep -q $'\033' out err flat.yaml; then
	fail 'an escape sequence in a file'
fi


# Colour on a terminal, unless NO_COLOR says no.
what='colour on a terminal'
TERM=xterm script -qec "'$hvcgate' resolve PSCI_VERSION" /dev/null </dev/null >out 2>err
says out $'\033[1mPSCI_VERSION'
NO_COLOR=1 TERM=xterm script -qec "'$hvcgate' resolve PSCI_VERSION" /dev/null </dev/null >out 2>err
says out 'PSCI_VERSION: '
if grep -q $'\033' out; then
	fail 'colour though NO_COLOR is set'
fi

verdict
