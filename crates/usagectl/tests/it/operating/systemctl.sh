#!/bin/bash
# What systemd would do with the units of the page, in `$ROOT`. It waits as systemd does: until a server
# says that it is ready, has read its settings again, or is gone.
set -euo pipefail
patiently() {
    for _ in $(seq 1200); do
        if "$@"; then return; fi
        sleep 0.05
    done
    echo "in vain: $*" >&2
    exit 1
}
gone() { ! kill -0 "$pid" 2>/dev/null; }
count() { cat "$log" "$log".1 2>/dev/null | grep -c 'the configuration was read again' || true; }
reread() { [[ $(count) -gt $before ]]; }
start() {
    mkdir -p "$ROOT"/run/usage "$ROOT"/var/lib/usage "$ROOT"/var/log/usage
    command=$(sed -n '/^ExecStart=/,/[^\\]$/p' "$ROOT/etc/systemd/system/usage.service")
    command=${command#ExecStart=}
    command=${command//\\/}
    # Here and not by the process: what the one before has said is not looked at.
    : >"$ROOT/out"
    # shellcheck disable=SC2086
    setsid $command >>"$ROOT/out" 2>&1 </dev/null &
    pid=$!
    echo $pid >"$ROOT/pid"
    # Or is gone: then the next command says so.
    patiently ready_or_gone
    grep -q '^listening on ' "$ROOT/out"
}
ready_or_gone() { grep -q '^listening on ' "$ROOT/out" || gone; }
stop() {
    pid=$(cat "$ROOT/pid")
    kill -TERM "$pid"
    patiently gone
}
as_postgres() {
    if [[ $(id -u) == 0 ]]; then
        setpriv --reuid=postgres --regid=postgres --init-groups "$@"
    else
        "$@"
    fi
}
case $* in
daemon-reload) ;;
"enable --now usage" | "start usage") start ;;
"stop usage") stop ;;
"restart usage")
    stop
    start
    ;;
"reload usage")
    log=$ROOT/var/log/usage/serve.log
    before=$(count)
    pid=$(cat "$ROOT/pid")
    kill -HUP "$pid"
    patiently reread
    ;;
"restart pgbouncer")
    cd /
    as_postgres /usr/sbin/pgbouncer --daemon --quiet "$ROOT/etc/pgbouncer/pgbouncer.ini" </dev/null
    patiently test -s "$ROOT/run/postgresql/pgbouncer.pid"
    ;;
"reload nginx")
    if [[ -s $ROOT/nginx.pid ]]; then nginx -s reload; else nginx; fi
    ;;
*)
    echo "what is systemctl $*?" >&2
    exit 1
    ;;
esac
