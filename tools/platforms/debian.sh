# shellcheck shell=bash
# debian.sh: bare Debian systems in folders, in which the tools here run commands. To be sourced; needs root and debootstrap.

# Where a system sees what it shares with this machine: SOURCE:TARGET, or SOURCE:TARGET:ro.
binds=()
# The environment of its commands besides HOME, LANG and PATH: NAME=VALUE.
settings=()
# The seconds after which a command fails.
limit=7200
# This machine's settings that the systems need as well.
system_files=(/etc/resolv.conf /etc/hosts /etc/pip.conf /usr/local/share/ca-certificates)

# The Rust of this machine and the crates it has downloaded, for systems with its processor.
share_rust() {
    local registry=${CARGO_HOME:-$HOME/.cargo}/registry
    mkdir -p "$registry"
    binds+=("$(rustc --print sysroot):/opt/rust:ro" "$registry:/root/.cargo/registry")
}

# in_system ROOT COMMAND..: the mounts and processes of a command are gone when it ends.
in_system() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout "$limit" unshare --mount --pid --fork --kill-child --propagation private bash -euc '
        root=$1
        shift
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        while [ "$1" != -- ]; do
            IFS=: read -r source target mode <<<"$1"
            mkdir -p "$root$target"
            mount --bind "$source" "$root$target"
            [ -z "$mode" ] || mount -o "remount,bind,$mode" "$root$target"
            shift
        done
        shift
        exec env -i HOME=/root LANG=C.UTF-8 PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" env "$@"
    ' - "$1" "${binds[@]}" -- "${settings[@]}" "${@:2}"
}

# install ROOT PACKAGE..
install() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    in_system "$1" DEBIAN_FRONTEND=noninteractive bash -euc '
        apt-get update -qq
        apt-get install -qq --no-install-recommends "$@" >/dev/null
        apt-get clean
        update-ca-certificates >/dev/null
    ' - "${@:2}"
}

# make_system ROOT SUITE [PACKAGE..]: a system, unless it is there. DEBOOTSTRAP has further arguments, such as --arch=arm64.
make_system() {
    local root=$1 suite=$2 file
    [ ! -d "$root" ] || return 0
    rm -rf "$root.part"
    mkdir -p "$(dirname "$root")"
    # shellcheck disable=SC2086 # several words
    debootstrap --variant=minbase --include=ca-certificates ${DEBOOTSTRAP:-} "$suite" "$root.part"
    # Suites that are not released have no security updates.
    [ "$suite" = sid ] || printf 'deb http://deb.debian.org/debian %s main\ndeb http://deb.debian.org/debian-security %s main\n' \
        "$suite" "$suite-security" >"$root.part/etc/apt/sources.list"
    for file in "${system_files[@]}"; do
        [ ! -e "$file" ] || cp -rL --parents "$file" "$root.part"
    done
    install "$root.part" "${@:3}"
    mv "$root.part" "$root"
}

# clone_into ROOT: a clone of what is committed, or the one that is there brought to it.
clone_into() {
    local clone=$1/root/mapwave
    if [ -d "$clone" ]; then
        git -C "$clone" fetch -q "$PWD" HEAD
        git -C "$clone" checkout -q --detach FETCH_HEAD
    else
        git clone -q --no-local . "$clone"
    fi
}
