#!/usr/bin/env bash
# make-fixtures.sh DIRECTORY: files by macOS's own encoders, and what its own decoder makes of each, for tests/contract.rs.
#
#   files/NAME        a file
#   references/NAME.wav  its samples as 32-bit floats
#   NAME.txt          what afinfo says of it
set -euo pipefail
out=${1:?the directory to write to}
mkdir -p "$out/files" "$out/references"

# Two seconds and a bit, of tones that differ from channel to channel, with some noise.
python3 - "$out" <<'PYTHON'
import math, random, struct, sys

def wave(path, rate, channels, bits, frames):
    random.seed(rate + channels)
    top = 2 ** (bits - 1) - 1
    data = bytearray()
    for frame in range(frames):
        for channel in range(channels):
            tone = 0.4 * math.sin(2 * math.pi * 220 * (channel + 1) * frame / rate)
            sample = round(top * (tone + 0.02 * random.uniform(-1, 1)))
            data += sample.to_bytes(bits // 8, "little", signed=True)
    size = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * size, size, bits)
    header = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + form
    open(path, "wb").write(header + b"data" + struct.pack("<I", len(data)) + data)

directory = sys.argv[1]
wave(f"{directory}/stereo.wav", 44100, 2, 16, 100_003)
wave(f"{directory}/deep.wav", 48000, 2, 24, 100_003)
wave(f"{directory}/voice.wav", 8000, 1, 16, 20_003)
PYTHON

make() { # NAME SOURCE ARGUMENTS-OF-AFCONVERT..
    local name=$1 source=$2
    shift 2
    if ! afconvert "$@" "$out/$source.wav" "$out/files/$name"; then
        echo "make-fixtures.sh: this system writes no $name" | tee "$out/$name.txt"
        rm -f "$out/files/$name"
        return
    fi
    afinfo "$out/files/$name" >"$out/$name.txt"
    afconvert -f WAVE -d LEF32 "$out/files/$name" "$out/references/$name.wav"
}

make aac.m4a stereo -f m4af -d aac -b 128000
make aac.caf stereo -f caff -d aac -b 128000
make aac.aac stereo -f adts -d aac -b 128000
make he.m4a stereo -f m4af -d aach -b 64000
make he2.m4a stereo -f m4af -d aacp -b 32000
make alac16.m4a stereo -f m4af -d alac
make alac24.caf deep -f caff -d alac
make flac16.flac stereo -f flac -d flac
make flac24.flac deep -f flac -d flac
make ima4.aifc stereo -f AIFC -d ima4
make ima4.caf stereo -f caff -d ima4
make opus.caf deep -f caff -d opus
make ilbc.caf voice -f caff -d ilbc
