//! Suggestions for an argument's name that a function does not have.

/// Names that other libraries use, with ours for the same thing.
const ELSEWHERE: [(&str, &[&str]); 43] = [
    ("always_2d", &["squeeze_mono"]),
    ("array", &["audio"]),
    ("begin", &["start"]),
    ("bits", &["bit_depth"]),
    ("bits_per_sample", &["bit_depth", "encoding"]),
    ("block_size", &["chunk_frames"]),
    ("blocksize", &["chunk_frames"]),
    ("channel", &["channels"]),
    ("channels_first", &["layout"]),
    ("chunk_size", &["chunk_frames"]),
    ("codec", &["plugin", "encoding"]),
    ("compression", &["flac_compression", "effort"]),
    ("compression_level", &["flac_compression", "effort"]),
    ("container", &["format"]),
    ("data", &["audio"]),
    ("decoder", &["plugin"]),
    ("encoder", &["plugin", "encoding"]),
    ("end", &["stop"]),
    ("extension", &["format"]),
    ("file", &["path"]),
    ("filename", &["path"]),
    ("files", &["paths"]),
    ("frame_offset", &["start"]),
    ("frames", &["stop"]),
    ("fsync", &["durable"]),
    ("max_workers", &["num_workers", "threads"]),
    ("metadata", &["tags"]),
    ("n_jobs", &["num_workers", "threads"]),
    ("num_channels", &["channels"]),
    ("num_frames", &["stop"]),
    ("num_threads", &["threads"]),
    ("orig_sr", &["in_sr"]),
    ("res_type", &["resample_quality", "quality"]),
    ("resample_quality", &["quality"]),
    ("quality", &["resample_quality"]),
    ("rate", &["sr", "out_sr"]),
    ("sample_rate", &["sr", "in_sr"]),
    ("samplerate", &["sr", "in_sr"]),
    ("subtype", &["encoding"]),
    ("target_sr", &["out_sr", "sr"]),
    ("uri", &["path"]),
    ("workers", &["num_workers", "threads"]),
    ("y", &["audio"]),
];

/// The most letters that a slip of the pen changes.
const MAX_DISTANCE: usize = 2;

/// Those of `known` that a caller who wrote `name` may have meant, the likeliest first.
pub(super) fn similar<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let name = name.to_ascii_lowercase();
    let own = |other: &&str| known.iter().find(|known| *known == other).copied();
    if let Some((_, ours)) = ELSEWHERE.iter().find(|(other, _)| *other == name) {
        let ours: Vec<&str> = ours.iter().filter_map(own).collect();
        if !ours.is_empty() {
            return ours;
        }
    }
    let nearest = known.iter().map(|known| (distance(&name, known), *known)).min();
    let is_near = |distance: usize| distance <= MAX_DISTANCE && 2 * distance < name.len();
    nearest.filter(|(distance, _)| is_near(*distance)).map(|(_, known)| known).into_iter().collect()
}

/// The Levenshtein distance: how many letters must be inserted, removed or replaced.
fn distance(from: &str, to: &str) -> usize {
    // A row of the table of distances between prefixes: `row[i]` is that of the first letters of `to` that were seen and
    // the first `i` of `from`.
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (seen, letter) in to.bytes().enumerate() {
        let mut above_left = seen;
        let mut left = seen + 1;
        let mut next = vec![left];
        for (other, &above) in from.bytes().zip(row.iter().skip(1)) {
            let replaced = above_left + usize::from(other != letter);
            left = replaced.min(above + 1).min(left + 1);
            next.push(left);
            above_left = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
