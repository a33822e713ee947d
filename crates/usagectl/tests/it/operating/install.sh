#!/bin/bash
# `install` and `chown`, where there is no user `usage`: what is that one's is the tests' own.
set -euo pipefail
name=$(basename "$0") owner=usage arguments=()
if [[ $name == chown ]]; then
    owner=$1
    shift
fi
while (($# > 0)); do
    if [[ $1 == -o ]]; then
        owner=$2
        shift
    else
        arguments+=("$1")
    fi
    shift
done
if [[ $name == install ]]; then /usr/bin/install "${arguments[@]}"; fi
if [[ $owner != usage && $(id -u) == 0 ]]; then
    /usr/bin/chown "$owner" "${arguments[-1]}"
fi
