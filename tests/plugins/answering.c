/* A plugin whose files say what it answers: it breaks any rule that a host can notice. It keeps those that no host can check: it
 * writes only where it may, and what its pointers point to is there.
 *
 * A file begins with MAGIC. Each answer takes bytes behind that, and each handle remembers how many it has taken. A zero, and the end
 * of the file, is the answer of a good plugin.
 */

#include "mapwave_plugin.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "MWANSWER"
#define MAX_BYTES 65536u

struct mw_decoder {
    uint64_t place, num_bytes;
    uint64_t position, num_frames;
    uint32_t num_channels, told_channels;
    unsigned char bytes[];
};

static const char LONG_TEXT[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/* What a text may be instead of a good one. */
static const char *const TEXTS[] = {
    NULL, "", "\xff\xfe", "UPPER", "a b", "\x1b[31m", "\xc3", "title", "\n", LONG_TEXT, "../../x", "wav", "pcm_s16le", "=", "\xe2\x80\xae",
};

static const uint64_t NUMBERS[] = {
    0, 1, 2, 3, 255, 256, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1ull << 40, 1ull << 62, 1ull << 63,
    UINT64_MAX - 1, UINT64_MAX,
};

static const mw_status STATUSES[] = {MW_END, MW_UNSUPPORTED, MW_BAD_ARGUMENT, MW_BAD_DATA, MW_IO, MW_NO_MEMORY, MW_BAD_STATE,
    MW_MISSING_DEPENDENCY, MW_CANCELLED, MW_LIMIT, MW_PANIC, MW_INTERNAL, -12, 2, 77, INT32_MIN, INT32_MAX};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static unsigned byte(const struct mw_decoder *decoder)
{
    /* A handle takes one call at a time, and only its own place changes. */
    struct mw_decoder *own = (struct mw_decoder *)decoder;
    return own->place < own->num_bytes ? own->bytes[own->place++] : 0;
}

static uint64_t number(const struct mw_decoder *decoder, uint64_t good)
{
    unsigned choice = byte(decoder);
    uint64_t value = 0;
    int i;

    if (choice == 0)
        return good;
    if (choice <= COUNT(NUMBERS))
        return NUMBERS[choice - 1];
    if (choice < 128)
        return good + choice - 64;
    for (i = 0; i < (choice & 8 ? 8 : choice & 4 ? 4 : 2); i++)
        value = value << 8 | byte(decoder);
    return value;
}

static const char *text(const struct mw_decoder *decoder, const char *good)
{
    unsigned choice = byte(decoder);
    return choice == 0 ? good : TEXTS[(choice - 1) % COUNT(TEXTS)];
}

static mw_status status(const struct mw_decoder *decoder, mw_error *error)
{
    unsigned choice = byte(decoder);
    mw_status answer;

    if (choice < 200)
        return MW_OK;
    answer = STATUSES[(choice - 200) % COUNT(STATUSES)];
    if (error != NULL) {
        const char *words = text(decoder, "told to fail");
        unsigned size = byte(decoder);
        if (size >= 250)
            error->size = size;
        error->status = byte(decoder) & 1 ? MW_BAD_DATA : answer;
        error->offset = number(decoder, MW_UNKNOWN);
        if (words != NULL)
            strncpy(error->message, words, sizeof error->message - (choice & 1)); /* without a NUL where it is long */
    }
    return answer;
}

static int32_t probe(const uint8_t *head, uint64_t num_bytes, uint64_t total_bytes, const char *extension, const mw_track *track)
{
    (void)total_bytes;
    (void)extension;
    return track == NULL && num_bytes >= 8 && memcmp(head, MAGIC, 8) == 0 ? 100 : 0;
}

static mw_status open_decoder(const mw_input *input, const mw_decoder_options *options, mw_decoder **decoder, mw_error *error)
{
    uint64_t count = input->num_bytes < MAX_BYTES ? input->num_bytes : MAX_BYTES, done = 0;
    struct mw_decoder *opened = malloc(sizeof *opened + count);
    mw_status answer;

    if (opened == NULL)
        return MW_NO_MEMORY;
    memset(opened, 0, sizeof *opened);
    while (done < count) {
        int64_t got = count - done;
        if (input->data != NULL)
            memcpy(opened->bytes + done, input->data + done, count - done);
        else
            got = input->read_at(input->context, done, opened->bytes + done, count - done);
        if (got <= 0) {
            free(opened);
            return MW_IO;
        }
        done += (uint64_t)got;
    }
    opened->num_bytes = count;
    opened->place = 8;
    opened->num_channels = 1 + byte(opened) % 8;
    opened->num_frames = byte(opened) * 37u;
    if (options->index != NULL && options->index_bytes > 0)
        opened->place += options->index[0] & 3;
    answer = status(opened, error);
    if (answer < 0) {
        free(opened);
        return answer;
    }
    if (byte(opened) == 255) { /* nothing is opened, and that is called a success */
        free(opened);
        *decoder = NULL;
        return answer;
    }
    *decoder = opened;
    return answer;
}

static mw_status info(const mw_decoder *decoder, mw_stream_info *info, mw_error *error)
{
    mw_status answer = status(decoder, error);
    uint32_t size = info->size;

    info->flags = (uint32_t)number(decoder, MW_STREAM_LOSSLESS);
    info->sample_rate = (uint32_t)number(decoder, 44100);
    info->num_channels = (uint32_t)number(decoder, decoder->num_channels);
    if (decoder->told_channels == 0) /* the host makes room for so many */
        ((struct mw_decoder *)decoder)->told_channels = info->num_channels;
    info->channel_mask = number(decoder, 0);
    info->num_frames = number(decoder, decoder->num_frames);
    info->bits_per_sample = (uint32_t)number(decoder, 16);
    info->native_format = (uint32_t)number(decoder, MW_I16);
    info->formats = (uint32_t)number(decoder, 1u << MW_F32 | 1u << MW_I16 | 1u << MW_I32);
    info->seek_class = (uint32_t)number(decoder, MW_SEEK_EXACT);
    info->priming_frames = (uint32_t)number(decoder, 0);
    info->padding_frames = (uint32_t)number(decoder, 0);
    info->seek_cost_frames = number(decoder, 0);
    info->grid_frames = number(decoder, 1);
    info->codec = text(decoder, "answer");
    info->container = text(decoder, "answer");
    if (size >= sizeof *info && byte(decoder) > 100)
        memset(info->container_variant, (int)byte(decoder), sizeof info->container_variant);
    if (byte(decoder) > 250)
        info->size = (uint32_t)number(decoder, size);
    return answer;
}

static mw_status seek(mw_decoder *decoder, uint64_t frame, mw_error *error)
{
    decoder->position = number(decoder, frame);
    return status(decoder, error);
}

static mw_status decode(mw_decoder *decoder, const mw_buffer *buffer, uint64_t *num_frames, mw_error *error)
{
    uint64_t room = buffer->num_frames, left, count, frame;
    uint64_t plane_channels = buffer->layout == MW_PLANAR ? 1 : decoder->told_channels;
    uint64_t frame_bytes = (buffer->format == MW_I16 ? 2 : 4) * plane_channels;
    uint32_t plane;

    left = decoder->position < decoder->num_frames ? decoder->num_frames - decoder->position : 0;
    count = number(decoder, left < room ? left : room);
    *num_frames = count;
    for (plane = 0; plane < buffer->num_planes && count <= room; plane++)
        for (frame = 0; frame < count; frame++)
            memset((char *)buffer->planes[plane] + frame * frame_bytes, (int)(frame + decoder->position) & 0x3f, frame_bytes);
    decoder->position += count <= room ? count : 0;
    if (count == 0)
        return MW_END;
    return status(decoder, error);
}

static mw_status fork_decoder(const mw_decoder *decoder, mw_decoder **fork, mw_error *error)
{
    struct mw_decoder *copy;
    mw_status answer = status(decoder, error);

    if (answer < 0)
        return answer;
    *fork = NULL;
    if (byte(decoder) == 255)
        return answer;
    copy = malloc(sizeof *copy + decoder->num_bytes);
    if (copy == NULL)
        return MW_NO_MEMORY;
    memcpy(copy, decoder, sizeof *copy + decoder->num_bytes);
    copy->position = 0;
    *fork = copy;
    return answer;
}

static mw_status tag(const mw_decoder *decoder, uint32_t index, const char **key, const char **value)
{
    mw_status answer = status(decoder, NULL);

    *key = text(decoder, "title");
    *value = text(decoder, "An answer");
    return index >= 3 && byte(decoder) < 200 ? MW_END : answer;
}

static void close_decoder(mw_decoder *decoder)
{
    free(decoder);
}

static mw_status stream(const mw_decoder *decoder, uint32_t index, mw_stream_entry *entry, mw_error *error)
{
    if (index >= 1 && byte(decoder) < 200)
        return MW_END;
    entry->flags = (uint32_t)number(decoder, index == 0 ? MW_ENTRY_DEFAULT : 0);
    entry->sample_rate = (uint32_t)number(decoder, 44100);
    entry->num_channels = (uint32_t)number(decoder, decoder->num_channels);
    entry->codec = text(decoder, "answer");
    entry->language = text(decoder, NULL);
    return status(decoder, error);
}

static mw_status save_index(const mw_decoder *decoder, const mw_sink *sink, mw_error *error)
{
    unsigned char bytes[256];
    unsigned count = byte(decoder), i;

    if (count == 0)
        return MW_END;
    for (i = 0; i < count; i++)
        bytes[i] = (unsigned char)byte(decoder);
    for (i = 0; i < 4; i++) {
        uint64_t offset = number(decoder, i * (uint64_t)count);
        mw_status written = sink->write_at(sink->context, offset, bytes, count);
        if (written < 0 && byte(decoder) < 200)
            return written;
    }
    return status(decoder, error);
}

static mw_status picture(const mw_decoder *decoder, uint32_t index, mw_picture *picture, mw_error *error)
{
    if (index >= byte(decoder) % 4)
        return MW_END;
    picture->kind = (uint32_t)number(decoder, 3);
    picture->mime = text(decoder, "image/png");
    picture->description = text(decoder, NULL);
    picture->width = (uint32_t)number(decoder, 1);
    picture->height = (uint32_t)number(decoder, 1);
    picture->num_bytes = byte(decoder) % (decoder->num_bytes + 1);
    picture->data = byte(decoder) > 250 ? NULL : decoder->bytes;
    return status(decoder, error);
}

static mw_status chapter(const mw_decoder *decoder, uint32_t index, mw_chapter *chapter, mw_error *error)
{
    if (index >= byte(decoder) % 4)
        return MW_END;
    chapter->label = text(decoder, "one");
    chapter->start = number(decoder, 0);
    chapter->end = number(decoder, MW_UNKNOWN);
    return status(decoder, error);
}

static const mw_decoder_table DECODER = {
    .size = sizeof DECODER,
    .probe_bytes = 8,
    .name = "answering",
    .codecs = "answer",
    .extensions = "answer",
    .probe = probe,
    .open = open_decoder,
    .info = info,
    .seek = seek,
    .decode = decode,
    .fork = fork_decoder,
    .tag = tag,
    .close = close_decoder,
    .stream = stream,
    .save_index = save_index,
    .picture = picture,
    .chapter = chapter,
};

static const void *get(const char *name, uint32_t index)
{
    return index == 0 && strcmp(name, MW_DECODER_INTERFACE) == 0 ? &DECODER : NULL;
}

static const mw_plugin PLUGIN = {
    .size = sizeof PLUGIN,
    .abi_major = MW_ABI_MAJOR,
    .abi_minor = MW_ABI_MINOR,
    .id = "answering",
    .version = "1.0.0",
    .vendor = "mapwave",
    .license = "MIT OR Apache-2.0",
    .dependencies = "",
    .get = get,
};

const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error)
{
    (void)host;
    (void)error;
    return &PLUGIN;
}
