#!/usr/bin/env bash
# Makes `./program` start Elbrus programs: tells Linux (binfmt_misc) that e2kwb runs them.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: app/binfmt.sh [--dry-run] [--interpreter FILE]   register e2kwb for Elbrus ELF files
       app/binfmt.sh --unregister [--dry-run]           forget it

The registration holds until the machine restarts. --dry-run prints what would be written and where.
FILE is the executable with the name e2kwb-binfmt (default: the one of the release build). Options
for programs that are started this way: the environment, E2KWB_… (e2kwb run --help).
TEXT
}

fail() {
    echo "binfmt.sh: $*" >&2
    exit 1
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
table=${E2KWB_BINFMT_MISC:-/proc/sys/fs/binfmt_misc}
interpreter=$top/build/release/e2kwb-binfmt
dry_run=no unregister=no
while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=yes ;;
        --unregister) unregister=yes ;;
        --interpreter)
            [ $# -gt 1 ] || fail "--interpreter needs a FILE"
            interpreter=$2
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && fail "unknown option $1" ;;
    esac
    shift
done

# ELF header: class, little endian, version 1, any ABI; type EXEC or DYN; machine 175.
magic() { printf '\\x7fELF\\x0%s\\x01\\x01%s\\x02\\x00\\xaf\\x00' "$1" "$(zeros)"; }
mask() { printf '\\xff\\xff\\xff\\xff\\xff\\xff\\xff%s\\xfe\\xff\\xff\\xff' "$(zeros)"; }
zeros() { printf '\\x00%.0s' 1 2 3 4 5 6 7 8 9; }
# P: the program is told the name it was called by. F: e2kwb is opened now, so it is found from
# other roots too.
line() { printf ':%s:M::%s:%s:%s:PF' "$1" "$(magic "$2")" "$(mask)" "$interpreter"; }

names=(e2k64 e2k32)
classes=(2 1)

if [ "$dry_run" = no ]; then
    [ -e "$table/register" ] || fail "binfmt_misc is not mounted on $table; as root:
  mount -t binfmt_misc binfmt_misc $table"
    [ -w "$table/register" ] || fail "no right to write $table/register; run this as root"
fi

if [ "$unregister" = yes ]; then
    for name in "${names[@]}"; do
        if [ "$dry_run" = yes ]; then
            echo "-1 > $table/$name"
        elif [ -e "$table/$name" ]; then
            echo -1 >"$table/$name"
            echo "forgotten: $name"
        else
            echo "not registered: $name"
        fi
    done
    exit 0
fi

case $interpreter in
    /*) ;;
    *) interpreter=$PWD/$interpreter ;;
esac
case $interpreter in
    *:*) fail "$interpreter: binfmt_misc takes no path with a colon" ;;
esac
[ ${#interpreter} -le 127 ] || fail "$interpreter: binfmt_misc takes paths of up to 127 bytes"
[ "$(basename "$interpreter")" = e2kwb-binfmt ] ||
    fail "$interpreter: has to be called e2kwb-binfmt (a link to e2kwb is enough)"
if [ "$dry_run" = no ] && [ ! -x "$interpreter" ]; then
    fail "$interpreter is missing; build first (cmake --build --preset release) or name it with --interpreter"
fi

for i in 0 1; do
    if [ "$dry_run" = yes ]; then
        echo "$(line "${names[i]}" "${classes[i]}") > $table/register"
        continue
    fi
    # An older registration goes first.
    [ ! -e "$table/${names[i]}" ] || echo -1 >"$table/${names[i]}"
    line "${names[i]}" "${classes[i]}" >"$table/register" ||
        fail "Linux refuses the registration of ${names[i]}"
    echo "registered: ${names[i]} -> $interpreter"
done
