//! Builds libsoxr with all of its engines from the sources in the package soxr-sys, or finds an installed one.

use std::env::{self, VarError};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The sources that every build needs, and the vector code in single and in double precision.
const SOURCES: [&str; 10] = [
    "soxr.c",
    "data-io.c",
    "dbesi0.c",
    "filter.c",
    "cr.c",
    "cr32.c",
    "fft4g32.c",
    "fft4g64.c",
    "cr64.c",
    "vr32.c",
];
const SINGLE_SIMD: [&str; 3] = ["cr32s.c", "pffft32s.c", "util32s.c"];
const DOUBLE_SIMD: [&str; 3] = ["cr64s.c", "pffft64s.c", "util64s.c"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=locks");
    if env::var_os("CARGO_FEATURE_SYSTEM").is_some() {
        if let Err(error) = pkg_config::Config::new().atleast_version("0.1.3").probe("soxr") {
            panic!(
                "the feature `system` of mapwave-soxr needs libsoxr 0.1.3 or newer with its headers (apt install \
                 libsoxr-dev / brew install libsoxr); without the feature libsoxr is built in: {error}"
            );
        }
        return;
    }
    let sources = sources();
    // libsoxr 0.1.3 has vector code for SSE, AVX and 32-bit ARM.
    let has_simd = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|architecture| architecture == "x86_64");

    let mut build = cc::Build::new();
    build.include(&sources).include("locks").warnings(false).opt_level(3).define("SOXR_LIB", None);
    build.define("NDEBUG", None).flag("-std=gnu89").flag("-fvisibility=hidden");
    // Without fused operations, all machines of an architecture compute the same samples.
    build.flag_if_supported("-ffp-contract=off");
    // The locks around data that all resamplers share are compiled only for OpenMP; `locks/omp.h` provides them without it.
    build.define("_OPENMP", "201107").flag("-Wno-unknown-pragmas");
    // This empties the header of the package's configuration. The definitions below replace it.
    build.define("soxr_config_included", None);
    for (name, is_on) in [
        ("AVCODEC_FOUND", false),
        ("AVUTIL_FOUND", false),
        ("WITH_PFFFT", true),
        ("HAVE_FENV_H", true),
        ("HAVE_STDBOOL_H", true),
        ("HAVE_STDINT_H", true),
        ("HAVE_LRINT", true),
        ("HAVE_BIGENDIAN", false),
        ("WITH_CR32", true),
        ("WITH_CR32S", has_simd),
        ("WITH_CR64", true),
        ("WITH_CR64S", has_simd),
        ("WITH_VR32", true),
        ("WITH_HI_PREC_CLOCK", true),
        ("WITH_FLOAT_STD_PREC_CLOCK", false),
        ("WITH_DEV_TRACE", false),
    ] {
        build.define(name, if is_on { "1" } else { "0" });
    }
    let mut double = build.clone();
    let below = |names: &[&str]| names.iter().map(|name| sources.join(name)).collect::<Vec<PathBuf>>();
    build.files(below(&SOURCES));
    if has_simd {
        build.files(below(&SINGLE_SIMD));
        // libsoxr checks the processor before it calls code compiled for AVX.
        double.files(below(&DOUBLE_SIMD)).flag("-mavx");
        double.compile("mapwave_soxr_double");
    }
    build.compile("mapwave_soxr_single");
    if has_simd {
        // Each of the two calls the other.
        println!("cargo:rustc-link-lib=static=mapwave_soxr_double");
    }
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-lib=m");
    }
}

/// Where cargo has put the sources of the package soxr-sys.
fn sources() -> PathBuf {
    let variable = |name: &str| env::var(name).unwrap_or_else(|error: VarError| panic!("{name}: {error}"));
    let manifest = Path::new(&variable("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(variable("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &variable("TARGET")])
        .arg("--manifest-path")
        .arg(manifest)
        .output();
    let output = output.unwrap_or_else(|error| panic!("cargo metadata cannot be run: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let paths = text.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
    let is_wanted = |path: &&str| {
        let directory = Path::new(path).parent().and_then(Path::file_name).and_then(|name| name.to_str());
        directory.is_some_and(|name| name.starts_with("soxr-sys"))
    };
    let Some(package) = paths.into_iter().find(is_wanted) else {
        let words = String::from_utf8_lossy(&output.stderr);
        panic!("cargo metadata does not list the package soxr-sys: {words}");
    };
    Path::new(package).with_file_name("src")
}
