#!/bin/sh
# Write the lock files anew: exact versions with the hash of every file, for Python 3.11 and later on any system.
#
#   requirements.lock        what the program needs         (make run, make demo, the image)
#   requirements-build.lock  what building the wheel needs  (the image)
#   requirements-dev.lock    all of it and the tools        (make test, make check, make bench)
#   requirements-fuzz.lock   the fuzzer                     (make fuzz)
#
# What is locked stays as it is unless pyproject.toml no longer allows it; `make lock UPGRADE=1` takes the newest of all.
set -eu
cd "$(dirname "$0")/.."

lock() {
    file=$1
    shift
    echo "locking $file"
    # shellcheck disable=SC2086 # UPGRADE is a flag or nothing
    .venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        ${UPGRADE:+--upgrade} --output-file "$file" "$@"
}

lock requirements.lock pyproject.toml
lock requirements-dev.lock --group dev --constraint requirements.lock pyproject.toml
lock requirements-build.lock --group build --constraint requirements-dev.lock
lock requirements-fuzz.lock --group fuzz
