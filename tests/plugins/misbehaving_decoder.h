/* The decoder of misbehaving.c. */

struct mw_decoder {
    mw_input input;
    const mw_input *passed;
    mw_stream_info info;
    uint64_t position;
    uint64_t *shared;
    uint64_t num_calls;
    bool is_poisoned;
    pthread_t owner;
    void *table;
};

static uint64_t little(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

/* Copies bytes of the input that must all be there. */
static mw_status fetch(const mw_input *input, uint64_t offset, void *to, uint64_t count)
{
    if (input->data != NULL) {
#ifdef BREAK_WRITES_INPUT
        *(volatile uint8_t *)(input->data + offset) ^= 0;
#endif
        memcpy(to, input->data + offset, count);
        return MW_OK;
    }
    uint64_t done = 0;
    while (done < count) {
        int64_t got = input->read_at(input->context, offset + done, (uint8_t *)to + done, count - done);
#ifdef BREAK_READ_ERRORS
        if (got < 0)
            got = 1;
#endif
        if (got <= 0)
            return MW_IO;
        done += (uint64_t)got;
    }
    return MW_OK;
}

static int32_t probe(const uint8_t *head, uint64_t num_bytes, uint64_t total_bytes, const char *extension,
                     const mw_track *track)
{
    (void)total_bytes;
    (void)extension;
#ifdef TOY_HANGS_IN_PROBE
    for (;;)
        pause();
#endif
#ifdef BREAK_PROBE_ALL
    return 100;
#endif
#ifdef BREAK_PROBE_LEAK
    *(volatile char *)malloc(16) = 1;
#endif
#ifdef BREAK_PROBE_DESCRIPTORS
    if (open("/dev/null", O_RDONLY) < 0)
        return 0;
#endif
#ifdef BREAK_PROBE_CRASH
    if (num_bytes >= 8 && memcmp(head, MAGIC, 8) == 0)
        raise(SIGSEGV);
#endif
#ifdef BREAK_EXTENSION_SCORE
#define TOY_BY_EXTENSION 90
#endif
#ifdef TOY_BY_EXTENSION
    return track == NULL && extension != NULL && strcmp(extension, "toypcm") == 0 ? TOY_BY_EXTENSION : 0;
#endif
#ifdef BREAK_PROBE_RANGE
    return num_bytes == 1 ? 101 : 0;
#endif
#ifdef BREAK_PROBE_BOUNDS
    return track == NULL && memcmp(head, MAGIC, 8) == 0 ? 100 : 0;
#endif
#ifdef BREAK_PROBE_CHANGES
    static int calls;
    if (num_bytes > 20)
        return calls++ % 50;
#endif
    return track == NULL && num_bytes >= 8 && memcmp(head, MAGIC, 8) == 0 ? TOY_SCORE : 0;
}

#ifdef TOY_ASKS_FOR
static const mw_host *told_host;
#endif
#ifdef BREAK_SHARED_STATE
static uint64_t shared_position;
#endif

static mw_status open_decoder(const mw_input *input, const mw_decoder_options *options, mw_decoder **decoder,
                              mw_error *error)
{
    uint8_t header[HEADER_BYTES];
#ifdef TOY_DAMAGED
    return fail(error, MW_BAD_DATA, TOY_DAMAGED);
#endif
#ifdef TOY_REFUSES
    return fail(error, MW_UNSUPPORTED, TOY_REFUSES);
#endif
#ifdef TOY_FAILS
    return fail(error, TOY_FAILS, "told to fail");
#endif
#ifdef TOY_STACK_BYTES
    volatile char deep[TOY_STACK_BYTES];
    for (size_t i = 0; i < sizeof deep; i += 1024)
        deep[i] = 1;
#endif
#ifdef BREAK_INPUT_LATEST
    if (input->size < sizeof *input)
        return fail(error, MW_BAD_ARGUMENT, "mw_input is smaller than that of version 1.2");
#endif
#ifdef BREAK_OPEN_LEAK
    if (input->num_bytes < HEADER_BYTES)
        *(volatile char *)malloc(100) = 1;
#endif
#ifdef TOY_HANGS_IN_OPEN
    for (;;)
        pause();
#endif
#ifdef TOY_ASKS_FOR
    /* As one that loads a model: tenths of a second. */
    for (int i = 0; i < TOY_ASKS_FOR; i++) {
        usleep(100000);
        if (told_host->is_cancelled(told_host->context))
            return fail(error, MW_CANCELLED, "nobody waits");
    }
#endif
#ifndef BREAK_STREAM_OPENS
    if (options->stream != 0 && options->stream != MW_DEFAULT_STREAM)
        return fail(error, MW_BAD_ARGUMENT, "there is one stream");
#endif
#ifndef BREAK_TRUNCATION
    if (input->num_bytes < HEADER_BYTES)
        return fail(error, MW_UNSUPPORTED, "too short for a header");
#endif
    if (fetch(input, 0, header, HEADER_BYTES) != MW_OK)
        return fail(error, MW_IO, "the header cannot be read");
    if (memcmp(header, MAGIC, 8) != 0)
        return fail(error, MW_UNSUPPORTED, "no magic number");
    uint64_t rate = little(header + 8, 4), channels = little(header + 12, 4), frames = little(header + 16, 8);
    if (rate == 0 || channels == 0 || channels > MAX_CHANNELS)
        return fail(error, MW_BAD_DATA, "no rate, or 0 channels, or more than 64");
    uint64_t there = (input->num_bytes - HEADER_BYTES) / (2 * channels);
    bool is_cut = frames != MW_UNKNOWN && frames > there;
    struct mw_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY, "no memory for a handle");
#ifdef BREAK_MAX_ALLOC
    d->table = frames < (uint64_t)1 << 40 ? malloc(frames * channels * 2) : NULL;
#endif
    d->input = *input;
    d->passed = input;
    d->owner = pthread_self();
    d->shared = &d->position;
#ifdef BREAK_SHARED_STATE
    d->shared = &shared_position;
#endif
    *d->shared = 0;
    d->info.size = sizeof d->info;
    d->info.flags = MW_STREAM_LOSSLESS | (is_cut ? MW_STREAM_TRUNCATED : 0);
    d->info.sample_rate = (uint32_t)rate;
    d->info.num_channels = (uint32_t)channels;
    d->info.num_frames = frames > there ? there : frames;
    d->info.bits_per_sample = 16;
    d->info.native_format = MW_I16;
    d->info.formats = 1 << MW_F32 | 1 << MW_I16 | 1 << MW_I32;
    d->info.seek_class = MW_SEEK_EXACT;
    d->info.codec = "toypcm";
    d->info.container = "toypcm";
#ifdef BREAK_EMPTY_CODEC
    d->info.codec = "";
#endif
#ifdef BREAK_QUOTED_CONTAINER
    d->info.container = "\"toypcm\"";
#endif
#ifdef BREAK_CONTROL_CONTAINER
    d->info.container = "toypcm\n";
#endif
#ifdef BREAK_VARIANT
    memset(d->info.container_variant, 'x', sizeof d->info.container_variant);
#endif
#ifdef BREAK_CHANNEL_MASK
    d->info.channel_mask = 0x3;
#endif
#ifdef BREAK_INFO_STRINGS
    static char codec[16];
    snprintf(codec, sizeof codec, "toypcm%d", (int)channels);
    d->info.codec = codec;
#endif
#ifdef BREAK_ANCHORED
    d->info.seek_class = MW_SEEK_ANCHORED;
    d->info.grid_frames = 100;
#endif
#ifdef BREAK_GRID
    d->info.seek_class = MW_SEEK_ANCHORED;
#endif
#ifdef BREAK_FORMAT_SUM
    d->info.formats = 1 << MW_F32;
#endif
#ifdef BREAK_LEAK
    *(volatile char *)malloc(100) = 1;
#endif
#ifdef BREAK_DESCRIPTORS
    if (open("/dev/null", O_RDONLY) < 0)
        return fail(error, MW_INTERNAL, "no descriptor");
#endif
#ifdef BREAK_SIGNALS
    signal(SIGINT, SIG_IGN);
#endif
#ifdef BREAK_LOCALE
    setlocale(LC_ALL, "C.UTF-8");
#endif
#ifdef BREAK_DIRECTORY
    if (chdir("/") != 0)
        return fail(error, MW_INTERNAL, "no directory");
#endif
#ifdef BREAK_ENVIRONMENT
    setenv("TOYPCM", "1", 1);
#endif
#ifdef BREAK_UMASK
    umask(0);
#endif
#ifdef BREAK_INDEX_FAILS
    if (options->size >= sizeof *options && options->index_bytes > 8 && memcmp(options->index, "toyindex", 8) != 0) {
        free(d->table);
        free(d);
        return fail(error, MW_BAD_DATA, "no index");
    }
#endif
#ifdef BREAK_INDEX_INFO
    if (options->size >= sizeof *options && options->index_bytes == 4096)
        d->info.num_frames = 1;
#endif
#ifdef BREAK_INDEX_BOUNDS
    if (options->size >= sizeof *options && options->index_bytes > 0)
        d->num_calls = options->index[options->index_bytes + 16];
#endif
    *decoder = d;
    return MW_OK;
}

static mw_status get_info(const mw_decoder *decoder, mw_stream_info *info, mw_error *error)
{
    (void)error; /* where no rule is kept that can be broken */
    mw_stream_info full = decoder->info;
#ifdef BREAK_NUM_FRAMES
    full.num_frames += full.num_frames > 10;
#endif
#ifdef BREAK_INFO_CHANGES
    full.seek_cost_frames = decoder->position;
#endif
    size_t least = offsetof(mw_stream_info, container) + sizeof full.container;
#ifdef BREAK_INFO_LATEST
    least = sizeof full;
#endif
#if !defined BREAK_INFO_SIZE && !defined BREAK_INFO_SMALL
    if (info->size < least)
        return fail(error, MW_BAD_ARGUMENT, "mw_stream_info is smaller than that of version 1.0");
#endif
    full.size = info->size;
#ifdef BREAK_INFO_SIZE
    memcpy(info, &full, sizeof full);
#else
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
#endif
    return MW_OK;
}

static mw_status seek(mw_decoder *decoder, uint64_t frame, mw_error *error)
{
#ifdef BREAK_SEEK_END
    if (frame > decoder->info.num_frames)
        frame = decoder->info.num_frames;
#endif
#ifdef BREAK_RECOVERY
    if (decoder->is_poisoned)
        return fail(error, MW_BAD_STATE, "an error came before");
#endif
    if (frame > decoder->info.num_frames)
        return fail(error, MW_BAD_ARGUMENT, "past the end");
#ifdef BREAK_SEEK_LEAK
    *(volatile char *)malloc(100) = 1;
#endif
#ifdef BREAK_SEEK
    if (frame > 0 && frame < decoder->info.num_frames)
        frame--;
#endif
    *decoder->shared = frame;
    return MW_OK;
}

static void store(const mw_buffer *buffer, uint64_t frame, uint32_t channel, uint32_t channels, int16_t sample)
{
    uint64_t plane = 0, place = frame * channels + channel;
    if (buffer->layout == MW_PLANAR) {
        plane = channel;
        place = frame;
#ifdef BREAK_PLANAR
        plane = channels - 1 - channel;
#endif
    }
    switch (buffer->format) {
    case MW_I16:
        ((int16_t *)buffer->planes[plane])[place] = sample;
        break;
    case MW_I32:
        ((int32_t *)buffer->planes[plane])[place] = (int32_t)((uint32_t)sample << 16);
        break;
    default:
#ifdef BREAK_NAN
        if (sample % 97 == 3) {
            ((float *)buffer->planes[plane])[place] = NAN;
            break;
        }
#endif
#ifdef BREAK_FORMATS
        ((float *)buffer->planes[plane])[place] = (float)sample / 32767.0f;
#else
        ((float *)buffer->planes[plane])[place] = (float)sample / 32768.0f;
#endif
    }
}

static mw_status decode(mw_decoder *decoder, const mw_buffer *buffer, uint64_t *num_frames, mw_error *error)
{
    uint32_t channels = decoder->info.num_channels;
    uint64_t position = *decoder->shared, rest = decoder->info.num_frames - position;
    uint64_t most = MAX_READ_BYTES / (2 * channels), count = buffer->num_frames;
    const mw_input *input = &decoder->input;
    uint8_t bytes[MAX_READ_BYTES];
    *num_frames = 0;
    decoder->num_calls++;
    if (TOY_DECODE_MICROSECONDS > 0)
        usleep(TOY_DECODE_MICROSECONDS);
#ifdef BREAK_SIGNAL_MASK
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
#endif
#ifdef BREAK_ENDLESS
    if (position == decoder->info.num_frames && position > 0) {
        position = *decoder->shared = 0;
        rest = decoder->info.num_frames;
    }
#endif
#ifdef BREAK_STDOUT
    printf("decoding\n");
    fflush(stdout);
#endif
#ifdef BREAK_STDERR
    fprintf(stderr, "decoding\n");
#endif
#ifdef BREAK_EXIT
    exit(0);
#endif
#ifdef BREAK_ABORT
    fprintf(stderr, "first words\nlast words before the end\n");
    abort();
#endif
#ifdef BREAK_HANG_DECODE
    for (;;)
        pause();
#endif
#ifdef BREAK_TLS
    if (!pthread_equal(decoder->owner, pthread_self()))
        return fail(error, MW_BAD_STATE, "another thread");
#endif
#ifdef BREAK_KEEPS_INPUT
    input = decoder->passed;
#endif
#ifdef BREAK_WRITES_MORE
    rest += rest > 0;
#endif
    count = count < most ? count : most;
    count = count < rest ? count : rest;
    if (count == 0) {
#ifdef BREAK_END
        *decoder->shared = 0;
#endif
        return MW_END;
    }
    uint64_t size = count * channels * 2;
#ifdef BREAK_OUT_OF_BOUNDS
    size = size + 16 < sizeof bytes ? size + 16 : size;
#endif
#ifdef BREAK_WRITES_MORE
    if (count == rest)
        size -= channels * 2;
#endif
    if (fetch(input, HEADER_BYTES + position * channels * 2, bytes, size) != MW_OK) {
        decoder->is_poisoned = true;
        return fail(error, MW_IO, "the samples cannot be read");
    }
    for (uint64_t frame = 0; frame < count; frame++) {
        for (uint32_t channel = 0; channel < channels; channel++) {
            int16_t sample = (int16_t)little(bytes + (frame * channels + channel) * 2, 2);
#ifdef BREAK_SPLITS
            sample = (int16_t)(sample ^ (frame == 0 && position > 100));
#endif
#ifdef BREAK_ANCHORED
            sample = (int16_t)(sample ^ (frame == 0 && decoder->num_calls > 2));
#endif
            store(buffer, frame, channel, channels, sample);
        }
    }
#ifdef BREAK_OVERRUN
    if (count == buffer->num_frames)
        store(buffer, count, 0, channels, 0);
#endif
#ifdef BREAK_WRITES_MORE
    count -= count == rest;
#endif
#ifdef BREAK_OVERCOUNT
    *num_frames = buffer->num_frames + 1;
    return MW_OK;
#endif
    *decoder->shared += count;
    *num_frames = count;
    return MW_OK;
}

static mw_status fork_decoder(const mw_decoder *decoder, mw_decoder **fork, mw_error *error)
{
    struct mw_decoder *d = malloc(sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY, "no memory for a handle");
    *d = *decoder;
    d->owner = pthread_self();
    d->is_poisoned = false;
    d->num_calls = 0;
    d->table = NULL;
#ifdef BREAK_FORK_LEAK
    *(volatile char *)malloc(100) = 1;
#endif
#ifndef BREAK_SHARED_STATE
    d->shared = &d->position;
#endif
#ifdef BREAK_FORK
    d->position = decoder->position;
#else
    *d->shared = 0;
#endif
    *fork = d;
    return MW_OK;
}

#ifdef BREAK_UNBOUND
extern void no_such_function(void);
#endif

static mw_status get_tag(const mw_decoder *decoder, uint32_t index, const char **key, const char **value)
{
    (void)decoder;
#ifdef TOY_HANGS_IN_TAG
    for (;;)
        pause();
#endif
    if (index > 0)
        return MW_END;
#ifdef BREAK_UNBOUND
    no_such_function();
#endif
#if defined BREAK_TAG
    *key = "Title";
#elif defined BREAK_TAG_KEY
    *key = "ti\ttle";
#else
    *key = "title";
#endif
#ifdef BREAK_TAG_LEAK
    *(volatile char *)malloc(100) = 1;
#endif
#ifdef BREAK_TAG_BUFFER
    static char text[32];
    snprintf(text, sizeof text, "a toy of %d frames", (int)decoder->info.num_frames);
    *value = text;
#else
    *value = "a toy";
#endif
    return MW_OK;
}

static mw_status get_stream(const mw_decoder *decoder, uint32_t index, mw_stream_entry *entry, mw_error *error)
{
    uint32_t size = entry->size;
    mw_stream_entry filled = {
        .size = size,
        .flags = MW_ENTRY_DEFAULT,
        .sample_rate = decoder->info.sample_rate,
        .num_channels = decoder->info.num_channels,
        .codec = "toypcm",
        .language = "tlh",
    };
    (void)error;
#ifdef BREAK_STREAM_DEFAULT
    filled.flags = 0;
#endif
#ifdef BREAK_STREAM_FLAGS
    filled.flags = 2;
#endif
#ifdef BREAK_STREAM_CODEC
    filled.codec = "otherpcm";
#endif
#ifdef BREAK_STREAM_TEXT
    filled.codec = "\xff";
    filled.language = "a language\n";
#endif
#ifdef BREAK_STREAM_SIZE
    size += 8;
#endif
#ifndef BREAK_STREAM_ENDLESS
    if (index > 0)
        return MW_END;
#endif
    memcpy(entry, &filled, size < sizeof filled ? size : sizeof filled);
    if (size > sizeof filled)
        memset((uint8_t *)entry + sizeof filled, 0, size - sizeof filled);
    return MW_OK;
}

/* The first bytes of a PNG file, and another picture. */
static const uint8_t COVER[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static mw_status get_picture(const mw_decoder *decoder, uint32_t index, mw_picture *picture, mw_error *error)
{
    mw_picture filled = {
        .size = sizeof filled,
        .kind = index == 0 ? 3 : 0,
        .mime = index == 0 ? "image/png" : "image/x-toy",
        .description = index == 0 ? "a cover" : NULL,
        .width = index == 0 ? 640 : 0,
        .height = index == 0 ? 480 : 0,
        .data = COVER,
        .num_bytes = sizeof COVER,
    };
    (void)decoder, (void)error;
#ifdef BREAK_PICTURE_KIND
    filled.kind = 21;
#endif
#ifdef BREAK_PICTURE_TYPE
    filled.mime = "png";
#endif
#ifdef BREAK_PICTURE_TEXT
    filled.description = "";
#endif
#ifdef BREAK_PICTURE_EMPTY
    filled.num_bytes = 0;
#endif
#ifdef BREAK_PICTURE_NULL
    filled.data = NULL;
#endif
#ifdef BREAK_PICTURE_BUFFER
    static uint8_t bytes[8];
    bytes[0] = (uint8_t)(bytes[0] + 1);
    filled.data = bytes;
#endif
#ifdef BREAK_PICTURE_SIZE
    memset((uint8_t *)picture + picture->size, 0, 8);
#endif
#ifndef BREAK_PICTURE_ENDLESS
    if (index > 1) {
#ifdef BREAK_PICTURE_END
        mw_fill_picture(picture, &filled);
#endif
        return MW_END;
    }
#endif
    mw_fill_picture(picture, &filled);
    return MW_OK;
}

static mw_status get_chapter(const mw_decoder *decoder, uint32_t index, mw_chapter *chapter, mw_error *error)
{
    uint64_t num_frames = decoder->info.num_frames;
    mw_chapter filled = {
        .size = sizeof filled,
        .label = index == 0 ? NULL : "the toy",
        .start = index == 0 ? num_frames / 2 : 0,
        .end = index == 0 ? MW_UNKNOWN : num_frames / 2,
    };
    (void)error;
#ifdef BREAK_CHAPTER_ORDER
    filled.start = num_frames;
    filled.end = num_frames - 1;
#endif
#ifdef BREAK_CHAPTER_BEHIND
    filled.start = num_frames + 1;
#endif
#ifdef BREAK_CHAPTER_RESERVED
    filled.reserved = 1;
#endif
#ifdef BREAK_CHAPTER_FORK
    static const char *const LABELS[3] = {"a", "b", "c"};
    static _Atomic unsigned number;
    filled.label = LABELS[number++ % 3];
#endif
    if (index > 1)
        return MW_END;
    mw_fill_chapter(chapter, &filled);
    return MW_OK;
}

/* The index is a tag and the number of frames, which open compares. */
static const char INDEX_TAG[8] = "toyindex";

static mw_status save_index(const mw_decoder *decoder, const mw_sink *sink, mw_error *error)
{
    uint8_t frames[8];
    for (int i = 0; i < 8; i++)
        frames[i] = (uint8_t)(decoder->info.num_frames >> 8 * i);
#ifdef BREAK_INDEX_FORK
    static int number;
    frames[0] ^= number++ & 1;
#endif
#ifdef BREAK_INDEX_EMPTY
    return MW_OK;
#endif
    mw_status status = sink->write_at(sink->context, 0, INDEX_TAG, sizeof INDEX_TAG);
#ifdef BREAK_INDEX_OFFSET
    sink->write_at(sink->context, 0, frames, sizeof frames);
#endif
    if (status == MW_OK)
        status = sink->write_at(sink->context, sizeof INDEX_TAG, frames, sizeof frames);
    if (status != MW_OK)
        return fail(error, MW_IO, "the host takes no more");
#ifdef BREAK_INDEX_END
    return MW_END;
#endif
    return MW_OK;
}

static void close_decoder(mw_decoder *decoder)
{
#ifdef BREAK_CLOSE_NULL
    decoder->position = 0;
#endif
    if (decoder != NULL)
        free(decoder->table);
    free(decoder);
}
