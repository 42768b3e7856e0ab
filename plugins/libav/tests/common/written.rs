//! Files that the ffmpeg program writes for the tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// File names and ffmpeg's arguments for them.
pub const FORMATS: &[(&str, &str)] = &[
    ("opus.ogg", "-c:a libopus -ar 48000"),
    ("opus.mkv", "-c:a libopus -ar 48000"),
    ("opus.mp4", "-c:a libopus -ar 48000"),
    ("silk.ogg", "-c:a libopus -ar 48000 -application voip -b:a 12k -ac 1"),
    ("hybrid.webm", "-c:a libopus -ar 48000 -application voip -b:a 24k -frame_duration 60"),
    ("short.opus", "-c:a libopus -ar 48000 -frame_duration 2.5 -application lowdelay"),
    ("surround.opus", "-c:a libopus -ar 48000 -ac 6 -mapping_family 1"),
    ("vorbis.mkv", "-c:a libvorbis"),
    ("aac.mp4", "-c:a aac"),
    ("aac.mkv", "-c:a aac"),
    ("aac.ts", "-c:a aac"),
    ("aac.flv", "-c:a aac"),
    ("aac.aac", "-c:a aac"),
    ("aac.latm", "-c:a aac -f latm"),
    ("surround.m4a", "-c:a aac -ac 6"),
    ("surround.ac3", "-c:a ac3 -ac 6"),
    ("ac3.mkv", "-c:a ac3"),
    ("ac3.ts", "-c:a ac3"),
    ("eac3.eac3", "-c:a eac3"),
    ("eac3.mp4", "-c:a eac3"),
    ("dts.dts", "-c:a dca -strict -2 -ar 48000"),
    ("dts.mkv", "-c:a dca -strict -2 -ar 48000"),
    ("truehd.thd", "-c:a truehd -strict -2"),
    ("mlp.mlp", "-c:a mlp -strict -2"),
    ("mp2.mpg", "-c:a mp2"),
    ("mp2.ts", "-c:a mp2"),
    ("mp3.avi", "-c:a libmp3lame"),
    ("mp3.mkv", "-c:a libmp3lame"),
    ("wmav2.wma", "-c:a wmav2"),
    ("wmav1.asf", "-c:a wmav1"),
    ("wavpack.wv", "-c:a wavpack"),
    ("deep.wv", "-c:a wavpack -sample_fmt s32p"),
    ("wavpack.mkv", "-c:a wavpack"),
    ("tta.tta", "-c:a tta"),
    ("tta.mkv", "-c:a tta"),
    ("flac.mkv", "-c:a flac"),
    ("flac.ogg", "-c:a flac"),
    ("alac.mkv", "-c:a alac"),
    ("alac.mp4", "-c:a alac"),
    ("gsm.gsm", "-c:a libgsm -ar 8000 -ac 1"),
    ("gsm.wav", "-c:a libgsm_ms -ar 8000 -ac 1"),
    ("ima.wav", "-c:a adpcm_ima_wav"),
    ("ms.wav", "-c:a adpcm_ms"),
    ("yamaha.wav", "-c:a adpcm_yamaha"),
    ("ima.mov", "-c:a adpcm_ima_qt"),
    ("swf.flv", "-c:a adpcm_swf"),
    ("g722.g722", "-c:a adpcm_g722 -ar 16000 -ac 1"),
    ("g722.wav", "-c:a adpcm_g722 -ar 16000 -ac 1"),
    ("g726.wav", "-c:a adpcm_g726 -ar 8000 -ac 1"),
    ("g723.wav", "-c:a g723_1 -ar 8000 -ac 1 -b:a 6300"),
    ("ra144.rm", "-c:a real_144 -ar 8000 -ac 1"),
    ("nelly.flv", "-c:a nellymoser -ar 22050 -ac 1"),
    ("speex.spx", "-c:a libspeex -ar 16000 -ac 1"),
    ("adx.adx", "-c:a adpcm_adx"),
    ("sbc.sbc", "-c:a sbc"),
    ("aptx.aptx", "-c:a aptx -ar 48000"),
    ("pcm.mov", "-c:a pcm_s24le"),
    ("pcm.au", "-c:a pcm_s16be"),
    ("mulaw.au", "-c:a pcm_mulaw"),
    ("pcm.voc", "-c:a pcm_u8"),
    ("pcm.avi", "-c:a pcm_s16le"),
    ("double.mkv", "-c:a pcm_f64le"),
    ("bluray.m2ts", "-c:a pcm_bluray -ar 48000"),
    ("dvd.vob", "-c:a pcm_dvd -ar 48000"),
    ("pcm.nut", "-c:a pcm_s16le"),
    ("dtx.opus", "-c:a libopus -ar 48000 -application voip -b:a 16k -ac 1 -dtx 1"),
    ("celt.opus", "-c:a libopus -ar 48000 -frame_duration 10 -b:a 40k -ac 1"),
    ("main.mka", "-c:a aac -profile:a aac_main -strict -2"),
    ("ltp.mka", "-c:a aac -profile:a aac_ltp -strict -2"),
    ("slow.mka", "-c:a aac -b:a 48k"),
    ("slow.ac3", "-c:a ac3 -b:a 64k -ac 1"),
    ("eac3.ts", "-c:a eac3"),
    ("low.mka", "-c:a libmp3lame -b:a 8k -ar 24000 -ac 1"),
    ("low.wma", "-c:a wmav2 -b:a 32k -ac 1 -ar 22050"),
    ("vorbis.ogg", "-c:a libvorbis -ac 6"),
    ("dfpwm.wav", "-c:a dfpwm"),
    ("s302m.ts", "-c:a s302m -strict -2 -ar 48000"),
    ("dpcm.roq", "-c:a roq_dpcm -ar 22050"),
    ("aptxhd.aptxhd", "-c:a aptx_hd -ar 48000"),
    ("wide.spx", "-c:a libspeex -ar 32000 -ac 2"),
    ("twolame.mp2", "-c:a libtwolame"),
];

/// The duration of the files in seconds: several grid steps of anchored seeks.
const SECONDS: &str = "5.3";

/// A signal that changes all the time, so that no two positions are alike.
const LEFT: &str = "0.4*sin(2*PI*(220+40*t)*t)+0.05*random(0)";
const RIGHT: &str = "0.3*sin(2*PI*(330+30*t)*t)+0.05*random(1)";

/// A directory of a test's own, removed at its end.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mapwave-libav-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes a file; returns false if ffmpeg or its encoder is missing.
pub fn write(path: &Path, arguments: &str) -> bool {
    let source = format!("aevalsrc='{LEFT}|{RIGHT}':s=44100:d={SECONDS}");
    let mut command = Command::new("ffmpeg");
    command.args([
        "-v",
        "quiet",
        "-nostdin",
        "-y",
        "-f",
        "lavfi",
        "-i",
        &source,
        "-metadata",
        "title=A tone",
    ]);
    command.args(arguments.split(' ')).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
