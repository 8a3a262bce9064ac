# shellcheck shell=bash
# Helpers of the scripts beside this file; sourced, never run. Changes into the root of the project.
# No process substitution here or in the scripts: it needs /proc, which need_proc may still have to
# mount.

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
export LC_ALL=C.UTF-8
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Runs a command as root, through sudo if need be.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@"
    else
        die "must be root, or have sudo, for: $*"
    fi
}

# Prints those of the named packages that are not installed.
missing_packages() {
    local installed name
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
    for name in "$@"; do
        case $'\n'$installed$'\n' in
        *$'\n'"installed $name"$'\n'*) ;;
        *) printf '%s\n' "$name" ;;
        esac
    done
}

# Installs those of the named Debian packages that are missing; touches the network only then.
need_packages() {
    local missing
    command -v apt-get >/dev/null || die "no apt-get here; install the likes of these by hand: $*"
    mapfile -t missing <<<"$(missing_packages "$@")"
    [ -n "${missing[0]}" ] || return 0
    say "installing ${#missing[@]} packages: ${missing[*]}"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    local log
    log=$(mktemp)
    if ! as_root "${apt[@]}" update >"$log" 2>&1 ||
        ! as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" \
            >>"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        die "could not install: ${missing[*]}"
    fi
    rm -f "$log"
}

# Java, the sanitizers and the metrics all read /proc; a bare chroot may not have it mounted yet.
need_proc() {
    [ -e /proc/self/stat ] && return 0
    say "mounting /proc"
    as_root mount -t proc proc /proc || die "/proc is not mounted and cannot be mounted from here"
}

# One test opens a pseudo-terminal, and a bare chroot has no place for it.
need_terminals() {
    [ -e /dev/pts/ptmx ] && return 0
    say "mounting /dev/pts"
    as_root mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts /dev/pts ||
        say "could not mount /dev/pts: a test of terminals will fail"
}

# The directory for everything that scripts write beside the objects.
work_dir() {
    local dir=${WHERRY_WORK:-build/work}
    mkdir -p "$dir"
    (cd "$dir" && pwd)
}

# Prints a Python 3 that has the named module: the first python3 on PATH need not be Debian's.
python_with() {
    local module=$1 python
    for python in ${WHERRY_PYTHON:+"$WHERRY_PYTHON"} /usr/bin/python3 python3; do
        if "$python" -c "import $module" >/dev/null 2>&1; then
            printf '%s\n' "$python"
            return 0
        fi
    done
    die "no python3 can import $module: run scripts/setup test"
}

# Files of the project by shell patterns: tracked and new ones, not the ignored ones; without git,
# everything outside build/.
tree_files() {
    local pattern names=()
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -co --exclude-standard -- "$@" | while read -r pattern; do
            if [ -f "$pattern" ]; then printf '%s\n' "$pattern"; fi
        done
        return
    fi
    for pattern in "$@"; do
        names+=(-o -name "${pattern##*/}")
    done
    find . -path ./build -prune -o -type f \( "${names[@]:1}" \) -print | sed 's|^\./||' | sort
}
