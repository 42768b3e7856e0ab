//! Reports an FFmpeg that is too old before the compiler fails, and finds FFmpeg's libraries on macOS.

/// Where macOS's loader looks for the libraries that `bundle.sh` names by `@rpath`, as conda names its own anyway: in the
/// prefixes of Homebrew on Apple silicon and on Intel and of MacPorts, and in the `lib` above the Python that the package is
/// installed in, `lib/python3.x/site-packages/mapwave/plugins/abi1` being where the plugin lies then.
const RPATHS: [&str; 4] =
    ["/opt/homebrew/lib", "/usr/local/lib", "/opt/local/lib", "@loader_path/../../../../.."];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "macos") {
        for path in RPATHS {
            println!("cargo:rustc-link-arg=-Wl,-rpath,{path}");
        }
        // Room for what `bundle.sh` changes.
        println!("cargo:rustc-link-arg=-Wl,-headerpad_max_install_names");
    }
    // What ffmpeg-sys-next found in the headers; set for every version up to the one installed.
    let found = std::env::var("DEP_FFMPEG_FFMPEG_5_1");
    assert!(
        found.is_ok_and(|found| found == "true"),
        "mapwave-libav needs the headers of FFmpeg 5.1 or newer (libavcodec 59.37), and those that pkg-config finds are \
         older; leave it out with --exclude mapwave-libav, or point PKG_CONFIG_PATH or FFMPEG_DIR to newer ones"
    );
}
