//! The helpers for plugins in C do what they say, in C and in C++.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

/// Exits with the line of the first claim that does not hold.
const PROGRAM: &str = r#"
#include "mapwave_plugin_util.h"

#define CLAIM(condition) do { if (!(condition)) { printf("line %d: %s\n", __LINE__, #condition); return 1; } } while (0)

static int64_t read_at(void *context, uint64_t offset, void *buffer, uint64_t num_bytes)
{
    static const char text[] = "0123456789";
    uint64_t most = *(const uint64_t *)context;
    if (most == 0 || offset >= 10)
        return most == 0 && offset == 5 ? -5 : 0;
    if (num_bytes > most)
        num_bytes = most;
    if (num_bytes > 10 - offset)
        num_bytes = 10 - offset;
    memcpy(buffer, text + offset, num_bytes);
    return (int64_t)num_bytes;
}

static int errors(void)
{
    unsigned char bytes[1000];
    mw_error error;
    uint32_t size;

    CLAIM(mw_fail(NULL, MW_BAD_DATA, 3, "%d", 1) == MW_BAD_DATA);
    for (size = 4; size < 900; size++) {
        size_t at;
        memset(bytes, 0xa5, sizeof bytes);
        memset(bytes, 0, size);
        memcpy(bytes, &size, sizeof size);
        CLAIM(mw_fail((mw_error *)(void *)bytes, MW_BAD_DATA, 7, "%s", "twelve bytes and more") == MW_BAD_DATA);
        for (at = size; at < sizeof bytes; at++)
            CLAIM(bytes[at] == 0xa5);
        memcpy(&error, bytes, sizeof error);
        CLAIM(error.size == size);
        CLAIM(size < 8 || error.status == MW_BAD_DATA);
        CLAIM(size < 24 || error.offset == 7);
        if (size > 24)
            CLAIM(memchr(error.message, 0, size - 24 < sizeof error.message ? size - 24 : sizeof error.message) != NULL);
    }
    memset(&error, 0, sizeof error);
    error.size = sizeof error;
    {
        /* 511 bytes have room for 170 characters of 3 bytes and one more byte. */
        char text[1000];
        size_t at;
        for (at = 0; at + 3 < sizeof text; at += 3)
            memcpy(text + at, "\xe2\x82\xac", 3);
        text[at] = 0;
        mw_fail(&error, MW_LIMIT, MW_UNKNOWN, "%s", text);
        CLAIM(strlen(error.message) == 510);
        mw_fail(&error, MW_LIMIT, MW_UNKNOWN, "x%s", text);
        CLAIM(strlen(error.message) == 511);
    }
    return 0;
}

static int structs(void)
{
    mw_input input, from;
    mw_stream_info info, all;
    unsigned char *bytes = (unsigned char *)&info;
    size_t at;

    memset(&from, 0x11, sizeof from);
    from.size = 55;
    CLAIM(!mw_take_input(&input, &from) && !mw_take_input(&input, NULL));
    from.size = 56;
    CLAIM(mw_take_input(&input, &from) && input.num_bytes == from.num_bytes && input.release == NULL);
    from.size = 1000;
    CLAIM(mw_take_input(&input, &from) && input.release == from.release && input.size == 1000);
    CLAIM(MW_SIZE_1_0(mw_track, num_packets) == 128 && MW_SIZE_1_0(mw_decoder_options, max_alloc) == 24);
    CLAIM(MW_SIZE_1_0(mw_buffer, num_frames) == 32 && MW_SIZE_1_0(mw_sink, write_at) == 24);
    CLAIM(MW_SIZE_1_0(mw_encoder_options, max_alloc) == 88 && MW_SIZE_1_0(mw_resampler_options, max_alloc) == 40);
    CLAIM(MW_SIZE_1_0(mw_stream_info, container) == 88 && MW_SIZE_1_0(mw_stream_entry, language) == 32);

    memset(&all, 0x22, sizeof all);
    for (at = 80; at <= sizeof info; at += 8) {
        size_t i;
        memset(&info, 0xa5, sizeof info);
        info.size = (uint32_t)at;
        CLAIM(mw_fill_info(&info, &all) == (at >= 88) && info.size == at);
        for (i = 4; i < sizeof info; i++)
            CLAIM(bytes[i] == (at >= 88 && i < at ? 0x22 : 0xa5));
    }
    CLAIM(!mw_fill_info(NULL, &all));
    return 0;
}

static int reads(void)
{
    static const uint8_t data[10] = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9'};
    uint64_t most;
    mw_input input;
    mw_error error;
    char to[10];

    memset(&input, 0, sizeof input);
    memset(&error, 0, sizeof error);
    error.size = sizeof error;
    input.num_bytes = 10;
    input.data = data;
    CLAIM(mw_read_all(&input, 2, to, 8, &error) == MW_OK && memcmp(to, "23456789", 8) == 0);
    CLAIM(mw_read_all(&input, 10, to, 0, &error) == MW_OK);
    CLAIM(mw_read_all(&input, 3, to, 8, &error) == MW_BAD_DATA && error.offset == 3);
    CLAIM(mw_read_all(&input, UINT64_MAX, to, 2, &error) == MW_BAD_DATA);
    CLAIM(mw_read_all(&input, 1, to, UINT64_MAX, &error) == MW_BAD_DATA);
    input.data = NULL;
    input.read_at = read_at;
    input.context = &most;
    for (most = 1; most < 12; most++)
        CLAIM(mw_read_all(&input, 1, to, 9, &error) == MW_OK && memcmp(to, "123456789", 9) == 0);
    most = 0;
    CLAIM(mw_read_all(&input, 5, to, 1, &error) == MW_IO && mw_read_all(&input, 1, to, 1, &error) == MW_IO);
    most = 10;
    input.num_bytes = 20; /* the file was longer */
    CLAIM(mw_read_all(&input, 5, to, 9, &error) == MW_IO && error.offset == 10);
    return 0;
}

int main(void)
{
    return errors() || structs() || reads();
}
"#;

#[test]
fn the_helpers_do_what_they_say() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/abi/include");
    for (compiler, standard, name) in [("cc", "-std=c99", "program.c"), ("c++", "-std=c++11", "program.cpp")]
    {
        let directory = tempfile::tempdir().unwrap();
        let (source, program) = (directory.path().join(name), directory.path().join("program"));
        fs::write(&source, PROGRAM).unwrap();
        let mut command = Command::new(compiler);
        command.args([standard, "-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I"]).arg(&include);
        match command.arg(&source).arg("-o").arg(&program).output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: there is no {compiler}");
                continue;
            }
            Err(error) => panic!("{compiler}: {error}"),
        }
        let output = Command::new(&program).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
