#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: hvcgate_qemu_test.sh hvcgate-qemu.in
#
# Which policy hvcgate-qemu takes, with a command in hvcgate's place that says how it was called.

work=$(mktemp -d "${TMPDIR:-/tmp}/hvcgate-qemu-test.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/bin" "$work/etc/hvcgate/vms"
sed "s#@SYSCONFDIR@#$work/etc#; s#@BINDIR@#/nonexistent#" "$1" >"$work/bin/hvcgate-qemu"
cat >"$work/bin/hvcgate" <<'END'
#!/bin/sh
echo "$@"
END
chmod +x "$work/bin/hvcgate" "$work/bin/hvcgate-qemu"
failed=0 passed=0

# expect WORDS ARGUMENT...: what hvcgate is called with, or what is said.
expect() {
	want=$1
	shift
	got=$("$work/bin/hvcgate-qemu" "$@" 2>&1)
	case $got in
	*"$want"*) passed=$((passed + 1)) ;;
	*)
		echo "hvcgate-qemu $*: '$got', and not '$want'"
		failed=$((failed + 1))
		;;
	esac
}

id=6d1a3c7e-0000-4000-8000-00000000000a
qemu=/usr/bin/qemu-system-aarch64
expect "hvcgate-qemu: no policy for this VM: there is no $work/etc/hvcgate/default.yaml" -M virt
expect "there is no $work/etc/hvcgate/vms/$id.yaml and no $work" -uuid $id
: >"$work/etc/hvcgate/vms/$id.yaml"
expect "exec --policy $work/etc/hvcgate/vms/$id.yaml -- $qemu -uuid $id" -uuid $id
expect "exec --policy $work/etc/hvcgate/vms/$id.yaml -- $qemu" --uuid 6D1A3C7E-0000-4000-8000-00000000000A
expect "exec --policy $work/etc/hvcgate/vms/$id.yaml -- $qemu" -smbios type=1,serial=1,uuid=$id
expect "no policy" -smbios type=3,uuid=$id
expect "no policy" -uuid 6d1a3c7e
expect "hexadecimal" -uuid "../../$id"
expect "exec --no-run -- $qemu -S -machine none,accel=kvm:tcg -daemonize" -S -machine none,accel=kvm:tcg -daemonize
expect "exec --no-run -- $qemu -version" -version
expect "exec --no-run -- $qemu -cpu help" -cpu help
expect "no policy" -append -version-not -M none-such
: >"$work/etc/hvcgate/default.yaml"
expect "exec --policy $work/etc/hvcgate/default.yaml -- $qemu -M virt" -M virt
expect "exec --policy $work/etc/hvcgate/default.yaml -- $qemu" -uuid 00000000-0000-4000-8000-00000000000a
echo "HVCGATE_QEMU=/opt/qemu 7/q" >"$work/etc/hvcgate/qemu"
expect "default.yaml -- /opt/qemu 7/q -append a b" -append "a b"
echo "HVCGATE_QEMU=qemu" >"$work/etc/hvcgate/qemu"
expect "a path from / on" -M virt
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
