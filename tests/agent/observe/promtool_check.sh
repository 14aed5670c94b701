#!/bin/sh
# Lints a page of metrics with Prometheus' own linter. Exit 77: skipped, there is no promtool.
set -eu
if ! command -v promtool >/dev/null 2>&1; then
  echo "skipped: promtool is not installed (Debian package prometheus)"
  exit 77
fi
findings=$(promtool check metrics <"$1" 2>&1) || { echo "$findings"; exit 1; }
if [ -n "$findings" ]; then
  echo "$findings"
  exit 1
fi
