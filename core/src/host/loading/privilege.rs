//! Whether the program may do what the user who started it may not.

#![allow(unsafe_code)] // questions to the system

/// Whether the program has more privileges than the user who started it: of another user or group, or capabilities of its file.
pub(super) fn is_privileged() -> bool {
    rustix::process::getuid() != rustix::process::geteuid()
        || rustix::process::getgid() != rustix::process::getegid()
        || is_secure_execution()
}

/// Whether the system started this program in its secure mode, as it does where the file has a set-user-ID or set-group-ID bit or
/// capabilities (`AT_SECURE`, getauxval(3)).
fn is_secure_execution() -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: the function takes a number and returns one.
    return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the function takes nothing and returns a number.
    return unsafe { libc::issetugid() } != 0;
}
