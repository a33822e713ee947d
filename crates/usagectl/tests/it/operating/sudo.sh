#!/bin/bash
# `sudo -u USER COMMAND`, where all users are the one that runs the tests: the superuser of PostgreSQL is
# known by its name.
set -euo pipefail
[[ $1 == -u ]]
if [[ $2 == postgres ]]; then
    export PGHOST=$ROOT/run/postgresql PGPORT=$POSTGRES_PORT PGUSER=postgres
fi
shift 2
exec "$@"
