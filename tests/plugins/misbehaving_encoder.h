/* The encoder of misbehaving.c. */

struct mw_encoder {
    mw_sink sink;
    uint32_t sample_rate, num_channels;
    uint64_t expected, num_frames, end;
    const mw_encoder_options *passed;
    pthread_t owner;
    bool is_finished;
};

static mw_status put(struct mw_encoder *encoder, uint64_t offset, const void *bytes, uint64_t count, mw_error *error)
{
    if (encoder->sink.write_at(encoder->sink.context, offset, bytes, count) == MW_OK)
        return MW_OK;
#ifdef BREAK_WRITE_ERRORS
    return MW_OK;
#endif
    return fail(error, MW_IO, "the sink cannot be written");
}

static mw_status put_header(struct mw_encoder *encoder, uint64_t num_frames, mw_error *error)
{
    uint8_t header[HEADER_BYTES];
#ifdef BREAK_KEEPS_OPTIONS
    encoder->sample_rate = encoder->passed->sample_rate;
#endif
    memcpy(header, MAGIC, 8);
    memcpy(header + 8, &encoder->sample_rate, 4);
    memcpy(header + 12, &encoder->num_channels, 4);
    memcpy(header + 16, &num_frames, 8);
    return put(encoder, 0, header, HEADER_BYTES, error);
}

static mw_status open_encoder(const mw_encoder_options *options, const mw_sink *sink, mw_encoder **encoder,
                              mw_error *error)
{
    if (options->num_channels == 0 || options->num_channels > MAX_CHANNELS || options->sample_rate == 0)
        return fail(error, MW_BAD_ARGUMENT, "no rate, or 0 channels, or more than 64");
#ifdef BREAK_ENCODER_CRASH
    raise(SIGSEGV);
#endif
#ifdef BREAK_ENCODER_REFUSAL_LEAK
    void *early = malloc(100);
    *(volatile char *)early = 1;
#endif
#ifndef BREAK_IGNORES_CODEC
    if (options->codec != NULL && strcmp(options->codec, "toypcm") != 0)
        return fail(error, MW_UNSUPPORTED, "another codec than toypcm");
#endif
#ifndef BREAK_IGNORES_CONTAINER
    if (options->container != NULL && strcmp(options->container, "toypcm") != 0)
        return fail(error, MW_UNSUPPORTED, "another container than toypcm");
#endif
#ifndef BREAK_IGNORES_DEPTH
    if (options->bits_per_sample != 0 && options->bits_per_sample != 16)
        return fail(error, MW_UNSUPPORTED, "another depth than 16 bits");
#endif
#ifndef BREAK_IGNORES_BITRATE
    if (options->bitrate != 0)
        return fail(error, MW_UNSUPPORTED, "a bitrate, where there is no choice");
#endif
#ifndef BREAK_IGNORES_QUALITY
    if (options->quality != 0)
        return fail(error, MW_UNSUPPORTED, "a quality, where there is no choice");
#endif
#ifdef BREAK_IGNORES_SPEAKERS
    if (options->channel_mask == 0x7)
        return fail(error, MW_UNSUPPORTED, "more speakers than channels");
#elif !defined BREAK_SPEAKERS_FIT
    if (options->channel_mask != 0)
        return fail(error, MW_UNSUPPORTED, "speakers, for which there is no place");
#endif
#ifdef BREAK_ENCODER_REFUSAL_LEAK
    free(early);
#endif
    struct mw_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return fail(error, MW_NO_MEMORY, "no memory for a handle");
    e->sink = *sink;
    e->sample_rate = options->sample_rate;
    e->num_channels = options->num_channels;
    e->expected = options->num_frames;
    e->passed = options;
    e->owner = pthread_self();
#ifdef BREAK_ENCODER_LEAK
    *(volatile char *)malloc(100) = 1;
#endif
    *encoder = e;
    return MW_OK;
}

#ifdef BREAK_ENCODER_SHARED
static int16_t shared_sample;
#endif

static mw_status push(mw_encoder *encoder, const mw_buffer *buffer, mw_error *error)
{
#ifdef BREAK_ENCODER_TLS
    if (!pthread_equal(encoder->owner, pthread_self()))
        return fail(error, MW_BAD_STATE, "another thread");
#endif
    if (encoder->end == 0) {
        uint64_t expected = encoder->expected;
#ifdef BREAK_UNKNOWN_COUNT
        expected = expected == MW_UNKNOWN ? 0 : expected;
#endif
        mw_status status = put_header(encoder, expected, error);
        if (status != MW_OK)
            return status;
        encoder->end = HEADER_BYTES;
    }
    uint32_t channels = encoder->num_channels;
    for (uint64_t frame = 0; frame < buffer->num_frames; frame++) {
        int16_t samples[MAX_CHANNELS];
        for (uint32_t channel = 0; channel < channels; channel++) {
            bool planar = buffer->layout == MW_PLANAR;
            const void *plane = buffer->planes[planar ? channel : 0];
            uint64_t place = planar ? frame : frame * channels + channel;
            switch (buffer->format) {
            case MW_I16:
                samples[channel] = ((const int16_t *)plane)[place];
                break;
            case MW_I32:
                samples[channel] = (int16_t)(((const int32_t *)plane)[place] >> 16);
                break;
            default:
                samples[channel] = (int16_t)lrintf(((const float *)plane)[place] * 32768.0f);
            }
#ifdef BREAK_ROUND_TRIP
            samples[channel] &= ~1;
#endif
        }
#ifdef BREAK_ENCODER_SHARED
        if (frame == 0 && encoder->num_frames > 0)
            samples[0] ^= shared_sample & 1;
        shared_sample = samples[0];
#endif
#ifdef BREAK_WRITES_SAMPLES
        if (buffer->format == MW_I16)
            *(int16_t *)buffer->planes[0] ^= 1;
#endif
#ifdef BREAK_PUSHES
        if (frame == 0)
            samples[0] ^= 1;
#endif
        mw_status status = put(encoder, encoder->end, samples, channels * 2, error);
        if (status != MW_OK)
            return status;
        encoder->end += channels * 2;
        encoder->num_frames++;
    }
    return MW_OK;
}

static mw_status finish(mw_encoder *encoder, mw_error *error)
{
    encoder->is_finished = true;
#ifdef BREAK_ENCODER_DIRECTORY
    if (chdir("/") != 0)
        return fail(error, MW_INTERNAL, "no directory");
#endif
    if (encoder->end == 0)
        return put_header(encoder, 0, error);
    bool is_right = encoder->expected == encoder->num_frames;
#ifdef BREAK_UNKNOWN_COUNT
    is_right = true;
#endif
#ifndef BREAK_APPEND_ONLY
    is_right = is_right || (encoder->sink.flags & MW_SINK_APPEND_ONLY) != 0;
#endif
#ifdef BREAK_UNKNOWN_LAST
    encoder->num_frames -= encoder->expected == MW_UNKNOWN;
#endif
#ifdef BREAK_LAST_FRAME
    encoder->num_frames--;
    is_right = false;
#endif
    return is_right ? MW_OK : put_header(encoder, encoder->num_frames, error);
}

static void close_encoder(mw_encoder *encoder)
{
#ifdef BREAK_ABANDON
    if (encoder != NULL)
        finish(encoder, NULL);
#endif
#ifdef BREAK_ABANDON_LEAK
    if (encoder != NULL && !encoder->is_finished)
        return;
#endif
    free(encoder);
}
