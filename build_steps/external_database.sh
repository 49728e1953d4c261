#!/bin/sh
# Runs the database tests against a PostgreSQL that is not ours, by URL: a server of the
# distribution, started here on a socket of its own (without fsync: the dialect is what counts). Says so and ends well where there is none.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
if [ -z "$bin" ] || [ ! -x "$bin/initdb" ]; then
    echo "external database: no PostgreSQL of the distribution here; its tests were skipped"
    exit 0
fi
work=$(mktemp -d)
owner=
if [ "$(id -u)" = 0 ]; then
    owner=postgres
    chown "$owner" "$work"
fi
as_owner() { if [ -n "$owner" ]; then setpriv --reuid="$owner" --regid="$owner" --clear-groups "$@"; else "$@"; fi; }
stop() {
    as_owner "$bin/pg_ctl" -D "$work/data" -m immediate -s stop >/dev/null 2>&1 || echo "external database: was down already"
    rm -rf "$work"
}
trap stop EXIT
as_owner "$bin/initdb" -D "$work/data" -U zhidao --auth=trust -E UTF8 --locale=C -N >/dev/null
as_owner "$bin/pg_ctl" -D "$work/data" -s -w -l "$work/log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$work' -c max_connections=60 -c fsync=off" start
echo "external database: $("$bin/postgres" --version)"
ZHIDAO_TEST_POSTGRES_URL="postgresql://zhidao@/postgres?host=$work" \
    .venv/bin/python -m pytest -n 2 --dist loadfile -p no:schemathesis -p no:faker \
    tests/contracts tests/store -p no:cacheprovider "$@"
