/* A plugin with options of its own, for reading and for writing, which also asks whether it is cancelled.
 *
 * A file: "CHOOSY" and two zero bytes, the mark that the encoder was given (8 bytes, padded with zeros), then mono signed 16-bit
 * samples of this machine's byte order at 8 kHz.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mapwave_plugin.h"

#define HEADER_BYTES 16

static const char MAGIC[8] = "CHOOSY";
static const mw_host *host;

static mw_status fail(mw_error *error, mw_status status, const char *message)
{
    if (error != NULL && error->size >= sizeof *error) {
        error->status = status;
        error->offset = MW_UNKNOWN;
        snprintf(error->message, sizeof error->message, "%s", message);
    }
    return status;
}

static const char *value(const mw_tag *settings, uint64_t count, const char *name, const char *otherwise)
{
    for (uint64_t i = 0; i < count; i++)
        if (strcmp(settings[i].key, name) == 0)
            return settings[i].value;
    return otherwise;
}

static mw_status describe(const mw_option *options, uint32_t count, uint32_t index, mw_option *option)
{
    if (index >= count)
        return MW_END;
    uint32_t size = option->size;
    memcpy(option, &options[index], size < sizeof *option ? size : sizeof *option);
    option->size = size;
    return MW_OK;
}

/* Decoder: of files in memory */

struct mw_decoder {
    mw_input input;
    uint64_t position, num_frames;
    char mark[9];
    int shift, negate, is_slow;
};

static mw_status decoder_option(uint32_t index, mw_option *option, mw_error *error)
{
    static const mw_option options[] = {
        {.kind = MW_OPTION_INTEGER, .name = "shift", .default_value = "0", .description = "added to every sample",
         .minimum = -100, .maximum = 100},
        {.kind = MW_OPTION_TEXT, .name = "sign", .default_value = "kept", .choices = "kept,negated"},
        {.kind = MW_OPTION_FLAG, .name = "slow"},
        {.kind = MW_OPTION_NUMBER, .name = "unused"},
    };
    (void)error;
    return describe(options, sizeof options / sizeof *options, index, option);
}

static int32_t probe(const uint8_t *head, uint64_t num_bytes, uint64_t total_bytes, const char *extension,
                     const mw_track *track)
{
    (void)total_bytes;
    (void)extension;
    (void)track;
    return num_bytes >= HEADER_BYTES && memcmp(head, MAGIC, sizeof MAGIC) == 0 ? 95 : 0;
}

static mw_status open_decoder(const mw_input *input, const mw_decoder_options *options, mw_decoder **decoder,
                              mw_error *error)
{
    if (input->data == NULL || input->num_bytes < HEADER_BYTES || memcmp(input->data, MAGIC, sizeof MAGIC) != 0)
        return fail(error, MW_UNSUPPORTED, "no such file");
    struct mw_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY, "no memory");
    d->input = *input;
    d->num_frames = (input->num_bytes - HEADER_BYTES) / 2;
    memcpy(d->mark, input->data + 8, 8);
    const mw_tag *settings = options->settings;
    uint64_t count = options->num_settings;
    d->shift = atoi(value(settings, count, "shift", "0"));
    d->negate = strcmp(value(settings, count, "sign", "kept"), "negated") == 0;
    d->is_slow = strcmp(value(settings, count, "slow", "0"), "1") == 0;
    *decoder = d;
    return MW_OK;
}

static mw_status get_info(const mw_decoder *decoder, mw_stream_info *info, mw_error *error)
{
    mw_stream_info all = {
        .size = info->size, .flags = MW_STREAM_LOSSLESS, .sample_rate = 8000, .num_channels = 1,
        .num_frames = decoder->num_frames, .bits_per_sample = 16, .native_format = MW_I16, .formats = 1u << MW_I16,
        .seek_class = MW_SEEK_EXACT, .codec = "choosy", .container = "choosy",
    };
    (void)error;
    memcpy(info, &all, info->size < sizeof all ? info->size : sizeof all);
    return MW_OK;
}

static mw_status seek(mw_decoder *decoder, uint64_t frame, mw_error *error)
{
    (void)error;
    decoder->position = frame;
    return MW_OK;
}

static mw_status decode(mw_decoder *decoder, const mw_buffer *buffer, uint64_t *num_frames, mw_error *error)
{
    *num_frames = 0;
    while (decoder->is_slow) {
        if (host->is_cancelled(host->context)) {
            FILE *file = fopen(getenv("CHOOSY_CANCELLED"), "w");
            if (file != NULL)
                fclose(file);
            return fail(error, MW_CANCELLED, "nobody waits");
        }
        usleep(1000);
    }
    if (decoder->position >= decoder->num_frames)
        return MW_END;
    uint64_t left = decoder->num_frames - decoder->position;
    *num_frames = left < buffer->num_frames ? left : buffer->num_frames;
    for (uint64_t i = 0; i < *num_frames; i++) {
        int16_t sample;
        memcpy(&sample, decoder->input.data + HEADER_BYTES + 2 * (decoder->position + i), 2);
        ((int16_t *)buffer->planes[0])[i] = (int16_t)((decoder->negate ? -sample : sample) + decoder->shift);
    }
    decoder->position += *num_frames;
    return MW_OK;
}

static mw_status fork_decoder(const mw_decoder *decoder, mw_decoder **other, mw_error *error)
{
    struct mw_decoder *d = malloc(sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY, "no memory");
    *d = *decoder;
    d->position = 0;
    *other = d;
    return MW_OK;
}

static mw_status get_tag(const mw_decoder *decoder, uint32_t index, const char **key, const char **text)
{
    if (index > 0)
        return MW_END;
    *key = "mark";
    *text = decoder->mark;
    return MW_OK;
}

static void close_decoder(mw_decoder *decoder)
{
    free(decoder);
}

static const mw_decoder_table DECODER = {
    .size = sizeof DECODER, .probe_bytes = HEADER_BYTES, .name = "choosy", .codecs = "choosy", .extensions = "choosy",
    .probe = probe, .open = open_decoder, .info = get_info, .seek = seek, .decode = decode, .fork = fork_decoder,
    .tag = get_tag, .close = close_decoder, .option = decoder_option,
};

/* Encoder */

struct mw_encoder {
    mw_sink sink;
    uint64_t end;
};

static mw_status encoder_option(uint32_t index, mw_option *option, mw_error *error)
{
    static const mw_option options[] = {
        {.kind = MW_OPTION_TEXT, .name = "mark", .description = "eight characters for the header"},
#ifdef TOY_BAD_OPTION
        {.kind = MW_OPTION_TEXT, .name = "Not Legal"},
#endif
    };
    (void)error;
    return describe(options, sizeof options / sizeof *options, index, option);
}

static mw_status open_encoder(const mw_encoder_options *options, const mw_sink *sink, mw_encoder **encoder, mw_error *error)
{
    char header[HEADER_BYTES] = {0};
    if (options->num_channels != 1 || options->sample_rate != 8000)
        return fail(error, MW_UNSUPPORTED, "only one channel at 8000 Hz");
    struct mw_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return fail(error, MW_NO_MEMORY, "no memory");
    e->sink = *sink;
    e->end = HEADER_BYTES;
    memcpy(header, MAGIC, sizeof MAGIC);
    strncpy(header + 8, value(options->settings, options->num_settings, "mark", "none"), 8);
    if (e->sink.write_at(e->sink.context, 0, header, HEADER_BYTES) != MW_OK) {
        free(e);
        return fail(error, MW_IO, "the header");
    }
    *encoder = e;
    return MW_OK;
}

static mw_status push(mw_encoder *encoder, const mw_buffer *buffer, mw_error *error)
{
    uint64_t num_bytes = 2 * buffer->num_frames;
    if (encoder->sink.write_at(encoder->sink.context, encoder->end, buffer->planes[0], num_bytes) != MW_OK)
        return fail(error, MW_IO, "the samples");
    encoder->end += num_bytes;
    return MW_OK;
}

static mw_status finish(mw_encoder *encoder, mw_error *error)
{
    (void)encoder;
    (void)error;
    return MW_OK;
}

static void close_encoder(mw_encoder *encoder)
{
    free(encoder);
}

static const mw_encoder_table ENCODER = {
    .size = sizeof ENCODER, .formats = 1u << MW_I16, .name = "choosy", .codecs = "choosy", .containers = "choosy",
    .open = open_encoder, .push = push, .finish = finish, .close = close_encoder, .lossless = "choosy=16",
    .option = encoder_option,
};

/* The library */

static const void *get(const char *interface, uint32_t index)
{
    if (index > 0)
        return NULL;
    if (strcmp(interface, MW_DECODER_INTERFACE) == 0)
        return &DECODER;
    return strcmp(interface, MW_ENCODER_INTERFACE) == 0 ? &ENCODER : NULL;
}

MW_EXPORT const mw_plugin *mapwave_plugin_entry_v1(const mw_host *given, mw_error *error)
{
    static const mw_plugin plugin = {
        .size = sizeof plugin, .abi_major = MW_ABI_MAJOR, .abi_minor = MW_ABI_MINOR, .id = "choosy", .version = "1",
        .vendor = "tests", .license = "MIT", .dependencies = "", .get = get,
    };
    (void)error;
    host = given;
    return &plugin;
}
