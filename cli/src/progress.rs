//! How far the work is: one bar on a terminal, lines where they are asked for, and nothing in a pipe.

#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often a line is written, in milliseconds.
const LINE_INTERVAL: u64 = 1000;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar if standard error is a terminal.
    #[default]
    Auto,
    /// A line each second.
    Plain,
    /// Nothing.
    None,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Frames of this rate, which are shown as time.
    Frames(u32),
    /// Files.
    Files,
}

/// The progress of a command, which any number of threads report to.
#[derive(Debug)]
pub(crate) enum Progress {
    Bar(ProgressBar),
    Lines(Lines),
    Silent,
}

/// Progress in lines.
#[derive(Debug)]
pub(crate) struct Lines {
    unit: Unit,
    total: u64,
    done: AtomicU64,
    began: Instant,
    /// The milliseconds from then to the last line.
    written: AtomicU64,
}

impl Progress {
    /// Begins to count to `total`.
    pub(crate) fn new(mode: ProgressMode, unit: Unit, total: u64) -> Self {
        match mode {
            ProgressMode::Auto if io::stderr().is_terminal() => Self::Bar(bar(unit, total)),
            ProgressMode::Plain => {
                let (done, written) = (AtomicU64::new(0), AtomicU64::new(0));
                Self::Lines(Lines { unit, total, done, began: Instant::now(), written })
            }
            ProgressMode::Auto | ProgressMode::None => Self::Silent,
        }
    }

    /// Counts more.
    pub(crate) fn add(&self, num: u64) {
        match self {
            Self::Bar(bar) => bar.inc(num),
            Self::Lines(lines) => {
                let done = lines.done.fetch_add(num, Ordering::Relaxed) + num;
                let now = u64::try_from(lines.began.elapsed().as_millis()).unwrap_or(u64::MAX);
                let last = lines.written.load(Ordering::Relaxed);
                let is_due = now.saturating_sub(last) >= LINE_INTERVAL || done == lines.total;
                let claim =
                    |_| lines.written.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).ok();
                // Of the threads that find a line due, one writes it.
                if is_due && Some(()).and_then(claim).is_some() {
                    // If it cannot be written, nobody watches.
                    let _ = writeln!(io::stderr(), "{}", lines.to_text());
                }
            }
            Self::Silent => {}
        }
    }

    /// Writes something else without a bar in its way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match self {
            Self::Bar(bar) => bar.suspend(write),
            Self::Lines(_) | Self::Silent => write(),
        }
    }

    /// Removes the bar.
    pub(crate) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn bar(unit: Unit, total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let count = match unit {
        Unit::Frames(_) => "{percent:>3} %",
        Unit::Files => "{human_pos} of {human_len}",
    };
    let template = format!("{{bar:32}} {count}, {{rate}}, {{eta}} left");
    let rate = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        // A text that cannot be formatted is left out.
        let _ = text.write_str(&rate_text(unit, state.per_sec()));
    };
    match ProgressStyle::with_template(&template) {
        Ok(style) => bar.with_style(style.with_key("rate", rate).progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// The rate as people know it: as a multiple of the time that the audio lasts, or in files.
fn rate_text(unit: Unit, per_second: f64) -> String {
    match unit {
        Unit::Frames(sample_rate) => format!("{:.0}x real time", per_second / f64::from(sample_rate.max(1))),
        Unit::Files => format!("{per_second:.0} files/s"),
    }
}

impl Lines {
    fn to_text(&self) -> String {
        let done = self.done.load(Ordering::Relaxed);
        let per_second = done as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
        let left = self.total.saturating_sub(done) as f64 / per_second.max(1e-9);
        let mut text = match self.unit {
            Unit::Frames(_) => format!("{} %", done.saturating_mul(100) / self.total.max(1)),
            Unit::Files => format!("{done} of {}", self.total),
        };
        // Writing to a string does not fail.
        let _ = write!(text, ", {}, {left:.0} s left", rate_text(self.unit, per_second));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_count_rate_and_time() {
        let began = Instant::now() - std::time::Duration::from_secs(10);
        let line = |unit, total, done: u64| {
            let (done, written) = (AtomicU64::new(done), AtomicU64::new(0));
            Lines { unit, total, done, began, written }.to_text()
        };
        assert_eq!(line(Unit::Files, 300, 100), "100 of 300, 10 files/s, 20 s left");
        assert_eq!(line(Unit::Frames(8000), 240_000, 160_000), "66 %, 2x real time, 5 s left");
    }
}
