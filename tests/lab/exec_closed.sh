#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
#
# In the lab's machine: `hvcgate exec` runs right or refuses with a reason, whatever is missing. An argument "no-filter":
# this kernel has no filter of hypercalls. Ends with "N passed, N failed".

passed=0 failed=0

# try NAME STATUS TEXT COMMAND...: its exit status, and words that it says (standard error of the keeper included, which
# has ended when the output has). TEXT "!words": it does not say these.
try() {
	name=$1 status=$2 text=$3
	shift 3
	rm -f got rc
	{
		"$@" 2>&1
		echo $? >rc
	} | cat >got
	rc=$(cat rc)
	found=yes
	case $text in
	!*) ! grep -qF -- "${text#!}" got || found=no ;;
	*) grep -qF -- "$text" got || found=no ;;
	esac
	if [ "$rc" = "$status" ] && [ $found = yes ]; then
		passed=$((passed + 1))
		echo "ok     $name"
	else
		failed=$((failed + 1))
		echo "FAILED $name: status $rc, not $status, or '$text':"
		sed 's/^/    | /' got
	fi
}

cat >policy.yaml <<'END'
hvcgate: 1
profile: hvcgate-1
psci: "1.0"
services: {trng: off}
rules:
  - deny: {owner: vendor-hyp}
allow: [smccc, workarounds, soc-id]
END
sed 's/soc-id]/soc-id, arch-features, arch-calls, smc, no-filter]/' policy.yaml >allows.yaml
echo 'hvcgate: 1, nonsense' >bad.yaml
echo "hvcgate: 1" >plain.yaml
policy=policy.yaml

if [ "${1-}" = no-filter ]; then
	try "kernel without filter" 1 "allow: [" ./hvcgate exec --policy policy.yaml -- ./vmm 84000000
	try "kernel without filter, dry run" 1 "allow: [" ./hvcgate exec --dry-run --policy policy.yaml -- ./vmm 84000000
	try "kernel without filter, allowed" 0 "84000000 = 0x10000" ./hvcgate exec --policy allows.yaml -- ./vmm 84000000
	echo "$passed passed, $failed failed"
	[ $failed = 0 ]
	exit
fi

exec_vmm() { ./hvcgate exec --policy $policy -- "$@"; }

try "runs" 0 "84000000 = 0x10000" exec_vmm ./vmm 84000000
try "denied by the kernel" 0 "86000000 = 0xffffffffffffffff" exec_vmm ./vmm 86000000
try "answered by the engine" 0 "8400000a,84000012 = 0xffffffffffffffff" exec_vmm ./vmm 8400000a,84000012
try "counted" 0 "PSCI_FEATURES                            2         2" exec_vmm ./vmm 8400000a,84000012 8400000a,84000002
try "not observed is no 0" 0 "not observed" exec_vmm ./vmm 84000000
try "nothing is said of a clean end" 0 "!hvcgate:" exec_vmm ./vmm 84000000
try "no gate and no policy without exec" 0 "84000000 = 0x1000" ./vmm 84000000
try "summary as JSON" 0 '"type":"summary"' ./hvcgate exec --policy $policy --summary json -- ./vmm 84000000
try "trace" 0 "PSCI_FEATURES(psci_func_id=PSCI_CPU_OFF)" ./hvcgate exec --policy $policy --trace -- ./vmm 8400000a,84000002
try "dry run" 0 "would run  ./vmm 84000000" ./hvcgate exec --dry-run --policy $policy -- ./vmm 84000000
try "dry run runs nothing" 0 "!84000000 =" ./hvcgate exec --dry-run --policy $policy -- ./vmm 84000000

# A process that has not the interposer makes no VM.
try "env -i in between" 1 "KVM_CREATE_VM: Operation not permitted" exec_vmm ./vmm --clean 84000000
try "LD_PRELOAD alone" 126 "HVCGATE_EXEC" exec_vmm ./vmm --preload 84000000
try "static VMM" 2 "statically linked" exec_vmm ./vmm-static 84000000
try "env -i is explained" 1 "lost libhvcgate-exec.so" exec_vmm ./vmm --clean 84000000
mv libhvcgate-exec.so good.so
head -c 4096 good.so >libhvcgate-exec.so
try "cut interposer" 2 "is not the whole" exec_vmm ./vmm 84000000
cp /usr/lib/aarch64-linux-gnu/libm.so.6 libhvcgate-exec.so
try "another library" 1 "KVM_CREATE_VM: Operation not permitted" exec_vmm ./vmm 84000000
try "another library is explained" 1 "ran without libhvcgate-exec.so" exec_vmm ./vmm 84000000
rm libhvcgate-exec.so
try "no interposer" 2 "is neither beside this command" exec_vmm ./vmm 84000000
mv good.so libhvcgate-exec.so

# It runs right all the same.
try "a wrapper" 0 "84000000 = 0x10000" exec_vmm ./vmm --again 84000000
try "VM made by a child" 0 "84000000 = 0x10000" exec_vmm ./vmm --fork 84000000
try "another user" 0 "84000000 = 0x10000" exec_vmm ./vmm --uid 84000000
try "closed descriptors" 0 "84000000 = 0x10000" exec_vmm ./vmm --close 84000000
try "duplicates" 0 "8400000a,84000012 = 0xffffffffffffffff" exec_vmm ./vmm --dup 8400000a,84000012
try "children of the VMM" 0 "preload '' exec '' descriptors 4" exec_vmm ./vmm --child 84000000
export LD_PRELOAD=/usr/lib/aarch64-linux-gnu/libm.so.6
try "another preload stays" 0 "preload '/usr/lib/aarch64-linux-gnu/libm.so.6' exec ''" exec_vmm ./vmm --child 84000000
unset LD_PRELOAD

# Refused beforehand.
try "no such VMM" 2 "no such program in PATH" exec_vmm nosuch
try "no policy" 2 "nosuch.yaml" ./hvcgate exec --policy nosuch.yaml -- ./vmm 84000000
try "bad policy" 1 "bad.yaml" ./hvcgate exec --policy bad.yaml -- ./vmm 84000000
try "none named" 2 "which policy" ./hvcgate exec -- ./vmm 84000000
try "policy that cannot be enforced" 1 "allow: [" ./hvcgate exec --policy plain.yaml -- ./vmm 84000000
cp vmm setuid-vmm && chmod u+s setuid-vmm
try "set-user-ID" 2 "set-user-ID" exec_vmm ./setuid-vmm 84000000
mkdir nokvm && mv /dev/kvm nokvm/
try "no KVM" 2 "/dev/kvm: No such file" exec_vmm ./vmm 84000000
mv nokvm/kvm /dev/

# CPU_SUSPEND: it waits for ever.
killed() {
	./hvcgate exec --policy $policy -- ./vmm 8400000a,84000002 84000001 &
	sleep 2
	kill -9 $!
	wait $! 2>/dev/null
}
try "killed VMM" 137 "PSCI_FEATURES                            1         1" killed

# Asked what it can do.
try "no-run" 1 "KVM_RUN: Operation not permitted" ./hvcgate exec --no-run -- ./vmm 84000000

try "no process stays" 1 "!hvcgate" pidof hvcgate
echo "$passed passed, $failed failed"
[ $failed = 0 ]
