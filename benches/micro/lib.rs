//! The benchmarks of single parts of mapwave are in `benches`; this library holds nothing.
