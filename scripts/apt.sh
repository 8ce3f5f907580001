# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Debian's arm64 packages without touching the system: apt in directories of its own, with its own
# verification of what it fetches. Sourced after lib.sh, never run.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_root DIR SOURCE...: a private apt directory for arm64 in DIR. A SOURCE is "archive SUITE" or
# "security SUITE"; options for sources.list may follow it.
apt_root() {
	local dir=$1 source place suite options uri
	shift
	[ -e "$keyring" ] || die "no $keyring (package debian-archive-keyring)"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/preferences.d"
	: >"$dir/status"
	for source in "$@"; do
		read -r place suite options <<<"$source"
		uri=$(debian_mirror "$place")
		echo "deb [signed-by=$keyring${options:+ $options}] $uri $suite main"
	done >"$dir/sources.list"
	{
		apt_acquire_settings
		cat <<-END
			Dir::Etc "$dir";
			Dir::Etc::SourceList "$dir/sources.list";
			Dir::Etc::SourceParts "/dev/null";
			Dir::Etc::Parts "/dev/null";
			Dir::Etc::Netrc "/etc/apt/auth.conf";
			Dir::Etc::NetrcParts "/etc/apt/auth.conf.d";
			Dir::State "$dir";
			Dir::State::Lists "$dir/lists";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir/cache";
			APT::Architecture "arm64";
			APT::Architectures { "arm64"; };
			APT::Sandbox::User "";
			Acquire::Languages { "none"; };
			Acquire::GzipIndexes "true";
			Acquire::Retries "1";
		END
	} >"$dir/apt.conf"
}

# apt_update LABEL DIR: fetch the package lists of the root in DIR, which $APT_CONFIG names.
apt_update() {
	# apt calls it a success when nothing could be fetched, and a failure when one of several could not.
	quietly "package lists of $1" apt-get -q update || true
	if [ -z "$(find "$2/lists" -maxdepth 1 -name '*Packages*')" ]; then
		note "no package list of $1 came: is this machine offline?"
		return 1
	fi
}

# download DIR PACKAGE=VERSION...: the .deb files, in DIR.
download() { (cd "$1" && shift && quietly "download $*" apt-get -q download "$@"); }

# plain_image FILE: is this an arm64 Image that a loader can jump to?
plain_image() { [ "$(dd if="$1" bs=1 skip=56 count=4 2>/dev/null)" = 'ARMd' ]; }

# module_closure ROOT NAME: files below ROOT of kernel module NAME and those it depends on, in loading
# order, each unpacked; nothing if the kernel has no such module.
module_closure() {
	local root=$1 file dep
	file=$(find "$root" -name "$(tr _- '?' <<<"$2").ko*" | head -n 1)
	[ -n "$file" ] || return 0
	[ "${file%.xz}" = "$file" ] || { xz -dc "$file" >"${file%.xz}" && rm "$file" && file=${file%.xz}; }
	for dep in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' | tr ',' ' '); do
		module_closure "$root" "$dep"
	done
	echo "$file"
}
