#!/bin/sh
# Runs tests with docker on a volume plugin that is observed, and checks what the engine has sent.
#
# Needs root and docker. The results are in $OUT: run.jsonl, a recording, and report.xml, a JUnit report.
# With UPSTREAM=NAME your own plugin does the work, and voltergeist stands in front of it.
set -eu

here=$(dirname "$0")
out=${OUT:-.}
name=${NAME:-${UPSTREAM:-voltergeist}}
control=$out/control.sock

voltergeist serve --name "$name" ${UPSTREAM:+--upstream "$UPSTREAM"} \
    --control "unix:$control" --record "$out/run.jsonl" >"$out/serve.log" 2>&1 &
serving=$!
# Whatever happens, held calls are released and the socket is removed.
trap 'kill "$serving" 2>/dev/null || true; wait "$serving" || true' EXIT

# It is ready when it answers.
voltergeist check "$control" 'mount == 0' --wait 30s

# Your own tests. These write a file, and look at how docker takes a mount that fails once.
docker run --rm -v ci-data:/data --volume-driver "$name" busybox touch /data/hello
voltergeist command --control "unix:$control" 'arm mount: fail "device busy" once as busy'
if docker run --rm -v ci-data:/data busybox true 2>"$out/error.txt"; then
    echo "a mount has failed, and docker did not say so" >&2
    exit 1
fi
grep -q "device busy" "$out/error.txt"
docker run --rm -v ci-data:/data busybox ls /data/hello
docker volume rm ci-data

# An engine does some of its work after it has replied, so wait for it.
voltergeist check "$control" --file "$here/expect.toml" --wait 10s --junit "$out/report.xml"
