#!/bin/sh
# Makes .venv with everything pinned, and installs the Debian packages that are missing.
# As root it installs them; otherwise it names the one command to run and stops.
# With the word "test" also the real servers, agents and judges that the tests run against.
set -eu
cd "$(dirname "$0")"

# python3-venv: the environment. iproute2, util-linux: the namespace of the simulated province.
wanted="python3-venv iproute2 util-linux"
if [ "${1:-}" = test ]; then
    # fping: judge of our echoes. chromium: opens our pages as a phone does. poppler-utils: our PDF
    # as pictures and text. iperf3: judge of our throughput. nftables: a line that loses packets. gdal-bin: judge of the exports. The
    # others are what we speak with.
    wanted="$wanted fping chromium chromium-driver poppler-utils busybox snmpd snmp nginx-light openssl"
    wanted="$wanted victoria-metrics prometheus shellcheck faketime curl dnsmasq-base prometheus-blackbox-exporter iperf3 prometheus-snmp-exporter"
    wanted="$wanted nftables rtsp-server-perl gdal-bin"
    # influxdb is a peer in the bench and nothing else: only where we may install it ourselves.
    if [ "$(id -u)" = 0 ]; then wanted="$wanted influxdb"; fi
fi
missing=""
for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        apt-get update -q
        # RUNLEVEL=1: services are installed, not started. The list is meant to split.
        # shellcheck disable=SC2086
        RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    else
        echo "Missing Debian packages. Run this once, then repeat:  sudo apt-get install$missing" >&2
        exit 1
    fi
fi

python=""
for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || { echo "Jangkau needs Python 3.11 or newer with venv" >&2; exit 1; }
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install -q --require-hashes -r constraints.txt
.venv/bin/python -m pip install -q --no-deps --no-build-isolation -e .
