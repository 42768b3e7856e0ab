//! How much a read may return: a few bytes of some formats stand for hours of silence, and a server should not have to hold them.

#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use mapwave_fork::{Lock, SetOnce};

use crate::error::{Error, Result};
use crate::memory::physical_memory;

/// The most that a read may return. What is `None` is limited by what holds for the process, [`Limits::current`].
///
/// ```
/// use mapwave_core::Limits;
///
/// let limits = Limits { max_seconds: Some(60.0), ..Limits::default() };
/// let error = limits.check(61 * 8000, 61 * 8000 * 4, 8000).unwrap_err();
/// assert_eq!(error.to_string(), "the length in milliseconds (max_seconds) is 61000, more than the limit of 60000");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// The most frames.
    pub max_frames: Option<u64>,
    /// The most bytes of samples in memory. What the process does not limit either is limited by the memory of the machine, or of the
    /// control group that the process is in: more could not be held.
    pub max_bytes: Option<u64>,
    /// The most seconds.
    pub max_seconds: Option<f64>,
}

/// What holds for the process, and whether anything was ever set.
static CURRENT: Lock<Limits> = Lock::new();
static IS_SET: AtomicBool = AtomicBool::new(false);

impl Limits {
    /// What holds for all reads of this process that do not say otherwise.
    pub fn current() -> Self {
        if IS_SET.load(Ordering::Relaxed) { *CURRENT.lock() } else { Self::default() }
    }

    /// Sets what holds for all reads of this process, on all threads, that begin from now on.
    pub fn set_current(self) {
        *CURRENT.lock() = self;
        IS_SET.store(true, Ordering::Relaxed);
    }

    /// These limits, and in the place of those that are `None` others.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            max_frames: self.max_frames.or(others.max_frames),
            max_bytes: self.max_bytes.or(others.max_bytes),
            max_seconds: self.max_seconds.or(others.max_seconds),
        }
    }

    /// Checks that so many frames, which take so many bytes, may be returned.
    ///
    /// # Errors
    /// [`Error::Limit`], which names the size and the limit.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what does not fit is saturated
    pub fn check(self, num_frames: u64, num_bytes: u64, sample_rate: u32) -> Result<()> {
        let limits = self.or(Self::current());
        let limit = |what, max, got| Err(Error::Limit { path: None, what, max, got });
        if let Some(max) = limits.max_frames.filter(|max| num_frames > *max) {
            return limit("the number of frames (max_frames)", max, num_frames);
        }
        let seconds = num_frames as f64 / f64::from(sample_rate.max(1));
        if let Some(max) = limits.max_seconds.filter(|max| seconds > *max) {
            let (max, got) = ((max * 1e3).floor() as u64, (seconds * 1e3).ceil() as u64);
            return limit("the length in milliseconds (max_seconds)", max, got);
        }
        match (limits.max_bytes, machine_memory()) {
            (Some(max), _) if num_bytes > max => limit("the size in bytes (max_bytes)", max, num_bytes),
            (None, Some(max)) if num_bytes > max => {
                limit("the size in bytes (max_bytes, by default the memory of this machine)", max, num_bytes)
            }
            _ => Ok(()),
        }
    }
}

/// The memory that this process can have at most, in bytes: that of the machine or of a control group; `None` if it is not known.
pub fn machine_memory() -> Option<u64> {
    static MEMORY: SetOnce<Option<u64>> = SetOnce::new();
    *MEMORY.get_or_init(|| {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        [physical_memory(), group_memory(&groups, Path::new("/sys/fs/cgroup"))].into_iter().flatten().min()
    })
}

/// The least limit of the control groups that a process is in, as `/proc/self/cgroup` lists them, below a directory; those around them
/// limit it as well.
///
/// A line is `number:controllers:path` (cgroups(7)). In version 2 there is one group, without controllers.
fn group_memory(groups: &str, directory: &Path) -> Option<u64> {
    let limit_in = |directory: &Path, group: &str, name: &str| {
        let place = directory.join(group.trim_start_matches('/'));
        let around = place.ancestors().take_while(|place| place.starts_with(directory));
        around.filter_map(|place| fs::read_to_string(place.join(name)).ok()?.trim().parse::<u64>().ok()).min()
    };
    let limits = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        match rest.split_once(':')? {
            ("", group) => limit_in(directory, group, "memory.max"),
            (controllers, group) if controllers.split(',').any(|name| name == "memory") => {
                limit_in(&directory.join("memory"), group, "memory.limit_in_bytes")
            }
            _ => None,
        }
    });
    limits.min()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_checked_and_the_first_that_is_set_counts() {
        let frames = Limits { max_frames: Some(100), ..Limits::default() };
        assert!(frames.check(100, 1 << 40, 1).is_err() && frames.check(100, 800, 8000).is_ok());
        let of = |limits: Limits, num_frames| {
            limits.check(num_frames, num_frames * 8, 10).unwrap_err().to_string()
        };
        assert_eq!(of(frames, 101), "the number of frames (max_frames) is 101, more than the limit of 100");
        let bytes = Limits { max_bytes: Some(80), ..Limits::default() };
        assert_eq!(of(bytes, 11), "the size in bytes (max_bytes) is 88, more than the limit of 80");
        let seconds = Limits { max_seconds: Some(1.5), ..Limits::default() };
        assert!(seconds.check(15, 120, 10).is_ok());
        assert_eq!(
            of(seconds, 16),
            "the length in milliseconds (max_seconds) is 1600, more than the limit of 1500"
        );
        assert_eq!(
            bytes.or(frames),
            Limits { max_frames: Some(100), max_bytes: Some(80), max_seconds: None }
        );
        assert!(Limits { max_bytes: Some(u64::MAX), ..frames }.or(bytes).check(1, 1 << 60, 1).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn what_the_machine_cannot_hold_is_refused() {
        let memory = machine_memory().unwrap();
        assert!(Limits::default().check(1, memory, 1).is_ok());
        let error = Limits::default().check(1, memory + 1, 1).unwrap_err().to_string();
        assert!(error.contains("max_bytes") && error.ends_with(&memory.to_string()), "{error}");
    }

    #[test]
    fn the_least_of_the_groups_around_a_process_limits_it() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path();
        let put = |name: &str, text: &str| {
            let file = place.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        assert_eq!(group_memory("0::/a/b\n", place), None);
        put("a/b/memory.max", "max\n");
        put("a/memory.max", "5000\n");
        assert_eq!(group_memory("0::/a/b\n", place), Some(5000));
        put("a/b/memory.max", "400\n");
        assert_eq!(group_memory("0::/a/b\n", place), Some(400));
        put("memory/c/memory.limit_in_bytes", "70\n");
        assert_eq!(group_memory("5:cpu:/\n4:hugetlb,memory:/c\n0::/a\n", place), Some(70));
        // Where the file system shows the group as its root.
        put("memory.max", "900\n");
        assert_eq!(group_memory("0::/\n", place), Some(900));
    }
}
