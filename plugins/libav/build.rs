//! Says which FFmpeg is too old, before the compiler does in many words.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // What ffmpeg-sys-next found in the headers; set for every version up to the one installed.
    let found = std::env::var("DEP_FFMPEG_FFMPEG_5_1");
    assert!(
        found.is_ok_and(|found| found == "true"),
        "mapwave-libav needs the headers of FFmpeg 5.1 or newer (libavcodec 59.37), and those that pkg-config finds are \
         older; leave it out with --exclude mapwave-libav, or point PKG_CONFIG_PATH or FFMPEG_DIR to newer ones"
    );
}
