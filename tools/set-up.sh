#!/bin/sh
# Set up .venv: `set-up.sh venv` makes it, `set-up.sh runtime` and `set-up.sh dev` install a lock file into it.
# The Makefile calls this when something is missing or a lock file is newer; say PYTHON=… to choose the interpreter.
set -eu
cd "$(dirname "$0")/.."
venv=.venv
log=$venv/install.log

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

find_python() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        if fits "$python"; then
            echo "$python"
            return
        fi
    done
    found=$(python3 --version 2>&1) || found="no python3 at all"
    fail "Textbridge needs Python 3.11 to 3.14, and found $found." \
        "Install it (for example: apt install python3.11 python3.11-venv, or brew install python@3.13)," \
        "or say where it is: make $goal PYTHON=/path/to/python3.11"
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python has no venv module. Install it (Debian, Ubuntu: apt install python3-venv) and try again."
    echo "Creating .venv with $("$python" --version) ..."
    "$python" -m venv --clear "$venv"
}

# Read what pip says and tell how far it is: one line that grows on a terminal, a line now and then elsewhere.
show_progress() {
    total=$1
    count=0
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        case $line in
        Collecting* | "Requirement already satisfied"*)
            count=$((count + 1))
            name=${line#Collecting }
            name=${name#Requirement already satisfied: }
            name=${name%%[ ;=]*}
            if [ -t 1 ]; then
                printf '\r  %3d of %d  %-40s' "$count" "$total" "$name"
            elif [ $((count % 20)) -eq 0 ]; then
                echo "  $count of $total"
            fi
            ;;
        Installing*)
            if [ -t 1 ]; then
                printf '\r  %3d of %d  %-40s' "$count" "$total" "unpacking"
            else
                echo "  unpacking"
            fi
            ;;
        esac
    done
    if [ -t 1 ]; then
        printf '\r%-60s\r' ""
    fi
}

install_lock() {
    lock=$1
    total=$(grep '==' "$lock" | grep -vc "sys_platform == 'win32'")
    echo "Installing $total packages from $lock into .venv (the first time this takes a minute) ..."
    : >"$log"
    status=$venv/.status
    {
        "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
            --require-hashes --requirement "$lock" 2>&1 && echo 0 >"$status" || echo 1 >"$status"
    } | show_progress "$total"
    if [ "$(cat "$status")" != 0 ]; then
        tail -n 20 "$log" >&2
        fail "" "The packages could not be installed; all that pip said is in $log."
    fi
}

goal=${2:-demo}
case ${1:-} in
venv)
    make_venv
    ;;
runtime)
    install_lock requirements.lock
    touch "$venv/.installed-runtime"
    ;;
dev)
    install_lock requirements-dev.lock
    touch "$venv/.installed-runtime" "$venv/.installed-dev" # the one holds all of the other, at the same versions
    ;;
fuzz)
    install_lock requirements-fuzz.lock # nothing is in it for this machine where the fuzzer has no wheel
    touch "$venv/.installed-fuzz"
    ;;
*)
    fail "usage: tools/set-up.sh venv|runtime|dev|fuzz"
    ;;
esac
