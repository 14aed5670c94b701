#!/bin/bash
# Unpacks rsyslog and syslog-ng from Debian's archive into a folder, without installing them: the packages exclude each other, and a
# benchmark has no business replacing the system's logger.   peers.sh [DESTINATION]
# Debian 12's rsyslog has omelasticsearch and no omhttp. Prints the destination.
set -euo pipefail
dest=${1:-$(cd "$(dirname "$0")/../.." && pwd)/build/bench/peers}
packages=(rsyslog rsyslog-elasticsearch libestr0 libfastjson4 liblognorm5
          syslog-ng-core syslog-ng-mod-http libivykis0 libnet1 libpcre3 libwrap0 libglib2.0-0 libjson-c5 libcap2)
if [ -x "$dest/usr/sbin/rsyslogd" ] && [ -x "$dest/usr/sbin/syslog-ng" ]; then
  echo "$dest"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q "${packages[@]}" >&2
mkdir -p "$dest"
for deb in ./*.deb; do
  dpkg-deb -x "$deb" "$dest"
done
echo "$dest"
