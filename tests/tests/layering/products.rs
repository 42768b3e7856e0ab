//! The core names no product: what it must know of one, the plugin's table or a front door says.

use mapwave_tests::rust::{RustSource, files_below};

use crate::repository;

/// The names of products and the ways to install them, in lower case. Comments may have them: those say why.
const PRODUCTS: [&str; 26] = [
    "ffmpeg",
    "libav",
    "libswresample",
    "soxr",
    "lame",
    "symphonia",
    "audiotoolbox",
    "coreaudio",
    "gstreamer",
    "torchaudio",
    "torchcodec",
    "librosa",
    "soundfile",
    "sndfile",
    "mpg123",
    "fdk",
    "mlx",
    "pytorch",
    "pyo3",
    "pip install",
    "apt install",
    "apt-get",
    "brew install",
    "dnf install",
    "conda install",
    "mapwave's wheel",
];

/// The products that a file's code and strings name.
fn named(file: &RustSource) -> Vec<String> {
    let is_in = |word: &str, product: &str| {
        let is_part = |character: char| character.is_alphanumeric();
        let mut places = word.match_indices(product);
        // A short name within a longer word, as "lame" in "blamed", is none.
        places.any(|(at, _)| product.len() > 4 || !word[..at].ends_with(is_part))
    };
    let mut found = Vec::new();
    for (line, word) in file.words() {
        let lower = word.to_lowercase();
        let products = PRODUCTS.iter().filter(|product| is_in(&lower, product));
        found.extend(products.map(|product| format!("{}:{line}: names {product}", file.path)));
    }
    found
}

#[test]
fn the_core_names_no_product() {
    let files = files_below(&repository().join("core/src"));
    assert!(files.iter().map(|file| file.words().count()).sum::<usize>() > 10_000, "the core has words");
    let broken: Vec<String> = files.iter().flat_map(named).collect();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_product_can_be_found() {
    for product in PRODUCTS {
        let upper = product.to_uppercase();
        let text = format!("const A: &str = \"get it: {upper}\";");
        assert!(!named(&RustSource::new("a.rs", &text)).is_empty(), "{product}");
    }
    assert_eq!(named(&RustSource::new("a.rs", "fn f() {\n    Soxr::new()\n}")), ["a.rs:2: names soxr"]);
    assert_eq!(named(&RustSource::new("a.rs", "const MAX_SOXR_RATIO: u32 = 1;")).len(), 1);
    assert!(named(&RustSource::new("a.rs", "// FFmpeg\n/* soxr */ const BLAMED: u8 = 1;")).is_empty());
    assert!(
        named(&RustSource::new("a.rs", "#[cfg(test)]\nmod tests { const A: &str = \"soxr\"; }")).is_empty()
    );
}
