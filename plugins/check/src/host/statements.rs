//! What tables state of codecs, containers and qualities since version 1.2: that it holds together.

#![forbid(unsafe_code)]

use crate::verdict::{Finding, Outcome};

/// The lossless ones of `codecs`, and their depths: `flac=16/24,wavpack`.
pub(super) fn check_lossless(list: &str, codecs: &[String], takes_integers: bool) -> Outcome {
    for item in items(list) {
        let (codec, depths) = item.split_once('=').unwrap_or((item, "32"));
        let is_depth = |bits: &str| bits.parse::<u32>().is_ok_and(|bits| (1..=32).contains(&bits));
        if !has(codecs, codec) || !depths.split('/').all(is_depth) {
            return Err(odd(
                "lossless",
                item,
                "one of its codecs, or codec=16/24 with depths of 1 to 32 bits",
            ));
        }
        if !takes_integers {
            return Err(odd(
                "lossless",
                item,
                "MW_I16 or MW_I32 among its formats, or nothing that is lossless",
            ));
        }
    }
    Ok(())
}

/// The codec that goes without saying in a container: `m4a=aac`.
pub(super) fn check_default_codecs(list: &str, containers: &[String], codecs: &[String]) -> Outcome {
    let is_pair = |item: &str| {
        item.split_once('=')
            .is_some_and(|(container, codec)| has(containers, container) && has(codecs, codec))
    };
    match items(list).find(|item| !is_pair(item)) {
        Some(item) => Err(odd("default_codecs", item, "container=codec, both of those it writes")),
        None => Ok(()),
    }
}

/// What file extensions stand for: `m4b=m4a,opus=ogg/opus`.
pub(super) fn check_extensions(list: &str, containers: &[String], codecs: &[String]) -> Outcome {
    let is_extension = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_meaning = |meaning: &str| match meaning.split_once('/') {
        Some((container, codec)) => has(containers, container) && has(codecs, codec),
        None => has(containers, meaning),
    };
    let is_sound = |item: &str| {
        item.split_once('=').is_some_and(|(name, meaning)| is_extension(name) && is_meaning(meaning))
    };
    match items(list).find(|item| !is_sound(item)) {
        Some(item) => Err(odd("extensions", item, "extension=container or extension=container/codec")),
        None => Ok(()),
    }
}

/// The quality of a caller who asks for none, and how far rates may be apart.
pub(super) fn check_default_quality(name: &str, qualities: &[String], ratio_limit: u32) -> Outcome {
    if !name.is_empty() && !has(qualities, name) {
        return Err(odd("default_quality", name, "one of its qualities"));
    }
    if ratio_limit == 1 {
        return Err(odd("ratio_limit", "1", "0 or at least 2: neither rate is less than 1 times the other"));
    }
    Ok(())
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(move |_| !list.is_empty())
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|other| other == name)
}

fn odd(field: &str, got: &str, expected: &str) -> Finding {
    Finding::broken("R3", format!("{field} holds \"{got}\", expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<String> {
        list.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn what_holds_together_is_taken() {
        let (codecs, containers) = (names("aac,alac"), names("m4a,mp4"));
        for list in ["", "alac", "alac=16/24", "aac=8,alac=32"] {
            assert!(check_lossless(list, &codecs, true).is_ok(), "{list}");
        }
        for list in ["", "m4a=aac", "m4a=aac,mp4=alac"] {
            assert!(check_default_codecs(list, &containers, &codecs).is_ok(), "{list}");
        }
        for list in ["", "m4b=m4a", "m4b=m4a,lossless=mp4/alac"] {
            assert!(check_extensions(list, &containers, &codecs).is_ok(), "{list}");
        }
        assert!(check_default_quality("", &codecs, 0).is_ok());
        assert!(check_default_quality("aac", &codecs, 256).is_ok());
    }

    #[test]
    fn what_does_not_is_named() {
        let (codecs, containers) = (names("aac,alac"), names("m4a,mp4"));
        for list in [",", "flac", "alac=", "alac=0", "alac=33", "alac=16/", "alac=x"] {
            assert!(check_lossless(list, &codecs, true).is_err(), "{list}");
        }
        assert!(check_lossless("alac", &codecs, false).is_err());
        for list in ["m4a", "m4a=", "ogg=aac", "m4a=opus", "m4a=aac,"] {
            assert!(check_default_codecs(list, &containers, &codecs).is_err(), "{list}");
        }
        for list in ["m4b", "=m4a", "M4B=m4a", ".m4b=m4a", "m4b=ogg", "m4b=m4a/opus"] {
            assert!(check_extensions(list, &containers, &codecs).is_err(), "{list}");
        }
        assert!(check_default_quality("best", &codecs, 0).is_err());
        assert!(check_default_quality("aac", &codecs, 1).is_err());
    }
}
