#!/bin/bash
# What Debian's packages do when PostgreSQL is installed, in `$ROOT`: a cluster that is running, whose
# superuser needs no password on its socket, and everybody else does over TCP.
set -euo pipefail
[[ $* == "install --yes postgresql pgbouncer" ]]
as_postgres() {
    if [[ $(id -u) == 0 ]]; then
        setpriv --reuid=postgres --regid=postgres --init-groups "$@"
    else
        "$@"
    fi
}
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort --version-sort | tail -n 1)
data=$ROOT/var/lib/postgresql
mkdir -p "$data" "$ROOT"/run/postgresql "$ROOT"/var/log/postgresql "$ROOT"/etc/pgbouncer
if [[ $(id -u) == 0 ]]; then
    /usr/bin/chown postgres "$data" "$ROOT"/run/postgresql "$ROOT"/var/log/postgresql
fi
cd /
as_postgres "$programs"/initdb --pgdata "$data" --username postgres --encoding UTF8 --locale C \
    --auth-local trust --auth-host scram-sha-256 --no-sync >"$ROOT"/initdb.out
as_postgres "$programs"/pg_ctl start --pgdata "$data" --wait --log "$ROOT"/var/log/postgresql/log \
    --options "-p $POSTGRES_PORT -k $ROOT/run/postgresql -c listen_addresses=127.0.0.1 -c fsync=off" \
    </dev/null >/dev/null
