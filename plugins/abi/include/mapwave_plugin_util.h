/*
 * Helpers for plugins in C and C++, on top of mapwave_plugin.h. Nothing here is part of the interface: copy it, change it, or do
 * without. There is nothing to link with; all functions are static.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef MAPWAVE_PLUGIN_UTIL_H
#define MAPWAVE_PLUGIN_UTIL_H

#include "mapwave_plugin.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#if defined(__GNUC__)
#define MW_PRINTF(text, first) __attribute__((unused, format(printf, text, first)))
#define MW_UNUSED __attribute__((unused))
#else
#define MW_PRINTF(text, first)
#define MW_UNUSED
#endif

/* ---- sizes (R1) ---- */

/* The size of a struct in version 1.0, given its last field then, whatever is appended to it later. */
#define MW_SIZE_1_0(type, last) (offsetof(type, last) + sizeof(((const type *)0)->last))

/* Copies as much of a struct of the host as its size covers, and fills the rest with zeros. Returns 0 if the struct is null or
 * smaller than in version 1.0, which is MW_BAD_ARGUMENT, and otherwise 1. */
MW_UNUSED static int mw_take(void *to, size_t to_bytes, const void *from, size_t least_bytes)
{
    uint32_t size;

    memset(to, 0, to_bytes);
    if (from == NULL)
        return 0;
    memcpy(&size, from, sizeof size);
    memcpy(to, from, size < to_bytes ? size : to_bytes);
    return size >= least_bytes;
}

/* Fills a struct of the host with as much of `from` as its size covers; the size stays the host's. Returns 0 if the struct is null
 * or smaller than in version 1.0, and otherwise 1. */
MW_UNUSED static int mw_fill(void *to, const void *from, size_t from_bytes, size_t least_bytes)
{
    uint32_t size;

    if (to == NULL)
        return 0;
    memcpy(&size, to, sizeof size);
    if (size < least_bytes)
        return 0;
    memcpy((char *)to + sizeof size, (const char *)from + sizeof size,
           (size < from_bytes ? size : from_bytes) - sizeof size);
    return 1;
}

/* `mw_take` and `mw_fill` for each struct: mw_take_input(&mine, input). */

MW_UNUSED static int mw_take_input(mw_input *to, const mw_input *from)
{
    return mw_take(to, sizeof *to, from, MW_SIZE_1_0(mw_input, track));
}

MW_UNUSED static int mw_take_track(mw_track *to, const mw_track *from)
{
    return mw_take(to, sizeof *to, from, MW_SIZE_1_0(mw_track, num_packets));
}

MW_UNUSED static int mw_take_decoder_options(mw_decoder_options *to, const mw_decoder_options *from)
{
    return mw_take(to, sizeof *to, from, MW_SIZE_1_0(mw_decoder_options, max_alloc));
}

MW_UNUSED static int mw_take_buffer(mw_buffer *to, const mw_buffer *from)
{
    return mw_take(to, sizeof *to, from, MW_SIZE_1_0(mw_buffer, num_frames));
}

MW_UNUSED static int mw_take_sink(mw_sink *to, const mw_sink *from)
{
    return mw_take(to, sizeof *to, from, MW_SIZE_1_0(mw_sink, write_at));
}

MW_UNUSED static int mw_take_encoder_options(mw_encoder_options *to, const mw_encoder_options *from)
{
    return mw_take(to, sizeof *to, from, MW_SIZE_1_0(mw_encoder_options, max_alloc));
}

MW_UNUSED static int mw_take_resampler_options(mw_resampler_options *to, const mw_resampler_options *from)
{
    return mw_take(to, sizeof *to, from, MW_SIZE_1_0(mw_resampler_options, max_alloc));
}

MW_UNUSED static int mw_fill_info(mw_stream_info *to, const mw_stream_info *from)
{
    return mw_fill(to, from, sizeof *from, MW_SIZE_1_0(mw_stream_info, container));
}

MW_UNUSED static int mw_fill_picture(mw_picture *to, const mw_picture *from)
{
    return mw_fill(to, from, sizeof *from, MW_SIZE_1_0(mw_picture, num_bytes));
}

MW_UNUSED static int mw_fill_chapter(mw_chapter *to, const mw_chapter *from)
{
    return mw_fill(to, from, sizeof *from, MW_SIZE_1_0(mw_chapter, end));
}

MW_UNUSED static int mw_fill_entry(mw_stream_entry *to, const mw_stream_entry *from)
{
    return mw_fill(to, from, sizeof *from, MW_SIZE_1_0(mw_stream_entry, language));
}

MW_UNUSED static int mw_fill_option(mw_option *to, const mw_option *from)
{
    return mw_fill(to, from, sizeof *from, MW_SIZE_1_0(mw_option, maximum));
}

/* ---- errors (R6) ---- */

/* The number of bytes of a text, at most `most`, that end between characters (R3). */
MW_UNUSED static size_t mw_whole_characters(const char *text, size_t most)
{
    size_t length = 0;

    while (length < most && text[length] != '\0')
        length++;
    if (text[length] != '\0')
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    return length;
}

/* Says what was found, what was expected and at which byte of the input, or MW_UNKNOWN, and returns `status`:
 *
 *     return mw_fail(error, MW_BAD_DATA, 20, "there are %u channels, expected 1 to %u", channels, MAX_CHANNELS);
 *
 * The error may be null, and of any size. */
MW_PRINTF(4, 5)
static mw_status mw_fail(mw_error *error, mw_status status, uint64_t offset, const char *format, ...)
{
    char text[MW_MESSAGE_BYTES + 8];
    mw_error whole;
    size_t room = sizeof whole.message;
    va_list arguments;

    if (error == NULL)
        return status;
    memset(&whole, 0, sizeof whole);
    whole.status = status;
    whole.offset = offset;
    if (error->size < sizeof whole)
        room = error->size > offsetof(mw_error, message) ? error->size - offsetof(mw_error, message) : 1;
    memset(text, 0, sizeof text);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(whole.message, text, mw_whole_characters(text, room - 1));
    mw_fill(error, &whole, sizeof whole, sizeof whole.size);
    return status;
}

/* ---- bytes (R8) ---- */

/* Reads all of `num_bytes` bytes from `offset` on, whether the input is in memory or must be read. They must lie inside the
 * input: compare every offset and size from a file with `num_bytes` of the input first. */
MW_UNUSED static mw_status mw_read_all(const mw_input *input, uint64_t offset, void *to, uint64_t num_bytes,
                                       mw_error *error)
{
    unsigned char *place = (unsigned char *)to;

    if (offset > input->num_bytes || num_bytes > input->num_bytes - offset)
        return mw_fail(error, MW_BAD_DATA, offset, "the file ends at byte %llu, %llu bytes are needed here",
                       (unsigned long long)input->num_bytes, (unsigned long long)num_bytes);
    if (input->data != NULL) {
        memcpy(place, input->data + offset, num_bytes);
        return MW_OK;
    }
    while (num_bytes > 0) {
        int64_t count = input->read_at(input->context, offset, place, num_bytes);
        if (count < 0 || (uint64_t)count > num_bytes)
            return mw_fail(error, MW_IO, offset, "the host could not read the file (%lld)", (long long)count);
        if (count == 0)
            return mw_fail(error, MW_IO, offset, "the file ends here; it was longer when it was opened");
        place += count;
        offset += (uint64_t)count;
        num_bytes -= (uint64_t)count;
    }
    return MW_OK;
}

/* Writes bytes to the destination of an encoder. */
MW_UNUSED static mw_status mw_write(const mw_sink *sink, uint64_t offset, const void *from, uint64_t num_bytes,
                                    mw_error *error)
{
    if (num_bytes > 0 && sink->write_at(sink->context, offset, from, num_bytes) < 0)
        return mw_fail(error, MW_IO, MW_UNKNOWN, "the host could not write %llu bytes at byte %llu",
                       (unsigned long long)num_bytes, (unsigned long long)offset);
    return MW_OK;
}

#endif /* MAPWAVE_PLUGIN_UTIL_H */
