//! The reasons for which an edit list is not played.

/// Why an edit list is not played.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The box is truncated.
    Truncated {
        /// The entries that it announces.
        num_entries: u64,
        /// The entries that it has room for.
        room: u64,
    },
    /// An edit is played at another rate than 1.
    Rate {
        /// The number of the edit, from 0.
        number: usize,
        /// Its rate, in units of 1/65536.
        rate: i32,
    },
    /// More frames than allowed are played, or in more pieces.
    Limit {
        /// The frames or the pieces.
        what: &'static str,
        /// How many may be played.
        max: u64,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Truncated { num_entries, room } => {
                write!(f, "the edit list has {num_entries} entries, but room for only {room}")
            }
            Self::Rate { number, rate } => {
                let rate = f64::from(*rate) / 65_536.0;
                write!(f, "edit {number} is played at rate {rate}, and only rate 1 is supported")
            }
            Self::Limit { what, max } => write!(f, "the edit list plays more than {max} {what}"),
        }
    }
}

impl std::error::Error for Error {}
