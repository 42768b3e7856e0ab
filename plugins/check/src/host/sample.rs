//! Sample types.

#![forbid(unsafe_code)]

use super::guarded_buffer::Format;

/// A type of samples.
pub trait Sample: Copy {
    /// The format of samples of this type.
    const FORMAT: Format;

    /// The bytes of samples, as they stand in memory.
    fn to_bytes(samples: &[Self]) -> Vec<u8>;

    /// The samples in bytes.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! sample {
    ($type:ty, $format:ident) => {
        impl Sample for $type {
            const FORMAT: Format = Format::$format;

            fn to_bytes(samples: &[Self]) -> Vec<u8> {
                samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect()
            }

            fn from_bytes(bytes: &[u8]) -> Vec<Self> {
                bytes.as_chunks().0.iter().map(|sample| Self::from_ne_bytes(*sample)).collect()
            }
        }
    };
}

sample!(i16, I16);
sample!(i32, I32);
sample!(f32, F32);
