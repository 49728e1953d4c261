#!/bin/sh
# ./run check: format, lint, types, floors, then unit and property tests and doctests.
# The type check and the floors run beside the tests, so that two cores are used.
set -u
bin=.venv/bin
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
status=0

start() {
    name=$1
    shift
    { "$@" >"$log/$name" 2>&1; echo $? >"$log/$name.status"; } &
}
finish() {
    if [ "$(cat "$log/$1.status")" = 0 ]; then
        echo "check: $1 ok"
    else
        echo "check: $1 FAILED"
        cat "$log/$1"
        status=1
    fi
}

start types "$bin/mypy"
$bin/ruff format --check --quiet . || { echo "check: format FAILED (ruff format .)"; status=1; }
$bin/ruff check --quiet . || { echo "check: lint FAILED"; status=1; }
start floors "$bin/lint-imports"
start page "$bin/python" build_steps/check_page.py
# Two plug-ins that no unit test uses cost a second of import in each process.
unused="-p no:schemathesis -p no:faker"
start doctests "$bin/python" -m pytest $unused --doctest-modules -p no:cacheprovider src/zhidao
$bin/python -m pytest $unused -n 2 -m "not service and not browser and not slow" tests "$@" || status=1
wait
finish types
finish floors
finish page
finish doctests
exit $status
