/* A plugin that keeps every rule of the interface, and breaks one of them when it is compiled with -DBREAK_...: what the check of
 * plugins is checked with.
 *
 * Its format: "TOYPCM\0\1", then little-endian the sample rate (32 bits), the channels (32) and the frames (64, all ones when
 * unknown), then interleaved signed 16-bit samples.
 */

#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapwave_plugin_util.h"

/* What it is called, how sure it is, and whether it opens anything. */
#ifndef TOY_ID
#define TOY_ID "toypcm"
#endif
#ifndef TOY_SCORE
#define TOY_SCORE 100
#endif

/* How long a call of `decode` takes, as that of a large model does. */
#ifndef TOY_DECODE_MICROSECONDS
#define TOY_DECODE_MICROSECONDS 0
#endif

#define HEADER_BYTES 24
#define MAX_CHANNELS 64
#define MAX_READ_BYTES 4096

static const char MAGIC[8] = {'T', 'O', 'Y', 'P', 'C', 'M', 0, 1};

/* Errors */

static mw_status fail(mw_error *error, mw_status status, const char *message)
{
#ifdef BREAK_STATUS
    if (status == MW_UNSUPPORTED)
        return 77;
#endif
#ifdef BREAK_NULL_ERROR
    error->status = status;
#endif
    if (error == NULL)
        return status;
#ifdef BREAK_ERROR_SIZE
    uint32_t size = sizeof(mw_error);
#else
    uint32_t size = error->size;
#endif
    if (size >= offsetof(mw_error, status) + sizeof error->status)
        error->status = status;
    if (size >= offsetof(mw_error, offset) + sizeof error->offset)
        error->offset = MW_UNKNOWN;
    if (size > offsetof(mw_error, message)) {
        size_t room = size - offsetof(mw_error, message);
        if (room > sizeof error->message)
            room = sizeof error->message;
        snprintf(error->message, room, "%s", message);
#ifdef BREAK_MESSAGE
        error->message[0] = (char)0xff;
#endif
    }
    return status;
}

#include "misbehaving_decoder.h"
#include "misbehaving_encoder.h"
#include "misbehaving_resampler.h"

/* Library */

#if defined BREAK_OPTION_NAME || defined BREAK_OPTION_DEFAULT || defined BREAK_OPTION_ENDLESS || defined BREAK_OPTION_SIZE
static mw_status get_option(uint32_t index, mw_option *option, mw_error *error)
{
    (void)error;
#ifndef BREAK_OPTION_ENDLESS
    if (index > 0)
        return MW_END;
#endif
    static char names[300][8];
    snprintf(names[index % 300], sizeof names[0], "o%u", (unsigned)(index % 300));
    option->kind = MW_OPTION_INTEGER;
    option->name = names[index % 300];
    option->default_value = "8";
    option->minimum = 1;
    option->maximum = 16;
#ifdef BREAK_OPTION_NAME
    option->name = "Steps of it";
#endif
#ifdef BREAK_OPTION_DEFAULT
    option->default_value = "17";
#endif
#ifdef BREAK_OPTION_SIZE
    memset(option + 1, 0, 8);
#endif
    return MW_OK;
}
#define TOY_OPTION get_option
#else
#define TOY_OPTION NULL
#endif

static const mw_decoder_table DECODER = {
    .size = sizeof(mw_decoder_table),
    .probe_bytes = 64,
    .name = "toypcm",
    .codecs = "toypcm",
    .extensions = "toy",
    .probe = probe,
    .open = open_decoder,
    .info = get_info,
    .seek = seek,
    .decode = decode,
#ifndef BREAK_MISSING_FUNCTION
    .fork = fork_decoder,
#endif
    .tag = get_tag,
    .close = close_decoder,
#ifndef TOY_NO_LIST
    .stream = get_stream,
#endif
    .option = TOY_OPTION,
    .save_index = save_index,
    .picture = get_picture,
    .chapter = get_chapter,
};

static const mw_encoder_table ENCODER = {
#ifdef BREAK_TABLE_SIZE
    .size = 16,
#else
    .size = sizeof(mw_encoder_table),
#endif
    .formats = 1 << MW_F32 | 1 << MW_I16 | 1 << MW_I32,
    .name = "toypcm",
    .codecs = "toypcm",
    .containers = "toypcm",
    .open = open_encoder,
    .push = push,
    .finish = finish,
    .close = close_encoder,
#ifdef BREAK_LOSSLESS
    .lossless = "otherpcm=16",
#endif
#ifdef BREAK_DEFAULT_CODECS
    .default_codecs = "toypcm",
#endif
#ifdef BREAK_EXTENSIONS
    .extensions = ".toy=toypcm",
#endif
};

static const mw_resampler_table RESAMPLER = {
    .size = sizeof(mw_resampler_table),
    .formats = 1 << MW_F32,
    .name = "last",
    .qualities = "last",
    .open = open_resampler,
    .process = process,
    .close = close_resampler,
#ifdef BREAK_DEFAULT_QUALITY
    .default_quality = "first",
#endif
};

static const void *get(const char *interface, uint32_t index)
{
#ifdef BREAK_UNKNOWN_INTERFACE
    if (strncmp(interface, "mapwave.decoder", 15) == 0)
        return index == 0 ? &DECODER : NULL;
#endif
    if (index > 0)
        return NULL;
#ifndef TOY_NO_DECODER
    if (strcmp(interface, "mapwave.decoder/1") == 0)
        return &DECODER;
#endif
#ifndef TOY_NO_ENCODER
    if (strcmp(interface, "mapwave.encoder/1") == 0)
        return &ENCODER;
#endif
    return strcmp(interface, "mapwave.resampler/1") == 0 ? &RESAMPLER : NULL;
}

static const mw_plugin PLUGINS[2] = {
    {
        .size = sizeof(mw_plugin),
#ifdef BREAK_ABI_MAJOR
        .abi_major = 2,
#else
        .abi_major = MW_ABI_MAJOR,
#endif
        .abi_minor = MW_ABI_MINOR,
#if defined BREAK_EMPTY_ID
        .id = "",
#elif defined BREAK_RESERVED_ID
        .id = "builtin",
#else
        .id = TOY_ID,
#endif
#ifdef BREAK_UTF8
        .version = "1.0\xff",
#else
        .version = "1.0",
#endif
#ifdef OTHER_VENDOR
        .vendor = "another",
#else
        .vendor = "mapwave's tests",
#endif
#ifdef BREAK_LICENSE
        .license = "MIT\nor not",
#else
        .license = "MIT OR Apache-2.0",
#endif
        .dependencies = "",
        .get = get,
    },
};

#if defined BREAK_CONSTRUCTOR || defined BREAK_CONSTRUCTOR_THREAD
static void *sleep_long(void *unused)
{
    for (;;)
        pause();
    return unused;
}

__attribute__((constructor)) static void construct(void)
{
#ifdef BREAK_CONSTRUCTOR
    raise(SIGSEGV);
#endif
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_long, NULL);
}
#endif

#ifndef BREAK_NO_ENTRY
__attribute__((visibility("default"))) const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error)
{
#ifdef TOY_ASKS_FOR
    told_host = host;
#endif
    (void)host;
    (void)error;
#ifdef BREAK_HANG_ENTRY
    for (;;)
        pause();
#endif
#ifdef BREAK_ENTRY_SLOW
    usleep(80000);
#endif
#ifdef BREAK_ENTRY_CHANGES
    static int calls;
    return &PLUGINS[calls++ > 0];
#endif
    return &PLUGINS[0];
}
#endif
