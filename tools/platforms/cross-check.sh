#!/usr/bin/env bash
# cross-check.sh darwin|aarch64|windows check|clippy [ARGS..]: type-checks for a Mac (aarch64-apple-darwin), for Linux on aarch64
# (aarch64-unknown-linux-gnu) or for Windows (x86_64-pc-windows-gnu) on another machine. Without packages named in ARGS, the whole
# workspace, but for the optional plugins whose libraries cannot be built or read here (see plugins/bundle.sh).
#
# What compiles, and where it comes from, is in cross-rust.sh.
#
# No code is made, so LAME and libsoxr are compiled for this machine, and FFmpeg's interface is read out of this machine's
# headers: what is checked is the Rust.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tools/platforms/cross-rust.sh
# Build scripts and macros, which run on this machine, are compiled once for all targets.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/cross}
set_up_rust "${1:?darwin, aarch64 or windows}"
command=${2:?check or clippy}
shift 2
# Nothing is run but build scripts and macros.
export CARGO_PROFILE_DEV_OPT_LEVEL=0

# A compiler for C that takes an Apple compiler's arguments, and compiles for this machine.
export "CC_${target//-/_}=$CARGO_TARGET_DIR/cc" "AR_${target//-/_}=ar" "RANLIB_${target//-/_}=ranlib" SDKROOT=/
cat >"$CARGO_TARGET_DIR/cc" <<'CC'
#!/usr/bin/env bash
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        -arch | -isysroot | -target) shift ;;
        --target=* | -m*-version-min=*) ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
exec cc "${arguments[@]}"
CC
chmod +x "$CARGO_TARGET_DIR/cc"
# FFmpeg's headers and the C library's under them are this machine's, read as for the target.
machine=$(uname -m)
arguments="-D__${machine}__ -U__nonnull -isystem /usr/include/$machine-linux-gnu"
# Where libclang's own headers are, bindgen asks the program clang. Without it they are below the library, which is then
# named too: its headers must be of its version.
if ! command -v clang >/dev/null; then
    mapfile -t libraries < <(printf '%s\n' /usr/lib/llvm-*/lib | sort -rV)
    for library in ${LIBCLANG_PATH:+"$LIBCLANG_PATH"} "${libraries[@]}" /usr/lib64 /usr/lib; do
        headers=$(printf '%s\n' "$library"/clang/*/include/limits.h | sort -V | tail -n 1)
        if [ -e "$headers" ] && compgen -G "$library/libclang[-.][0-9s]*" >/dev/null; then
            export LIBCLANG_PATH=$library
            arguments="-resource-dir ${headers%/include/limits.h} $arguments"
            break
        fi
    done
fi
export PKG_CONFIG_ALLOW_CROSS=1
export "BINDGEN_EXTRA_CLANG_ARGS_${target//-/_}=$arguments"

scope=()
if [[ " $* " != *" -p "* ]]; then
    excluded=$(plugins/bundle.sh --excluded "$command" "${build_std[@]}" --target "$target" --locked)
    read -ra scope <<<"--workspace ${excluded//$'\n'/ }"
fi
# There, clippy does not see that thread-local values are constant.
if [ "$platform $command" = "windows clippy" ]; then
    [[ " $* " == *" -- "* ]] || set -- "$@" --
    set -- "$@" -A clippy::missing-const-for-thread-local
fi
exec cargo "$command" "${build_std[@]}" --target "$target" "${scope[@]}" "$@"
