// SPDX-License-Identifier: GPL-2.0-only
/* Names and messages on their way out; see names.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "names.h"

void (*complain_first)(void);

/* Marks that change the direction: with them a name can look like another. */
static bool turns(wchar_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* How many bytes from @at on can be written as they are: a character, or none. */
static size_t can_be_shown(const char *at, size_t left)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t length = mbrtowc(&c, at, left, &state);

	if (!length || length > left)
		return 0;
	return iswprint(c) && !turns(c) ? length : 0;
}

static size_t is_utf8(const char *at, size_t left)
{
	static const unsigned int least[] = { [2] = 0xa0, [3] = 0x800, [4] = 0x10000 };
	const unsigned char *byte = (const unsigned char *)at;
	unsigned int c;
	size_t length;

	if (byte[0] < 0x80)
		return byte[0] >= 0x20 && byte[0] != 0x7f;
	if (byte[0] < 0xc0 || byte[0] >= 0xf8)
		return 0;
	length = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
	if (length > left)
		return 0;
	c = byte[0] & (0x7f >> length);
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (byte[i] & 0x3f);
	}
	/* A control character, or too long for what it says; a surrogate; beyond the last. */
	return c < least[length] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : length;
}

static char *encode(const char *name, size_t (*fits)(const char *at, size_t left))
{
	size_t left = strlen(name), length;
	char *text = malloc(left * 4 + 1), *to = text;

	if (!text)
		return NULL;
	for (; left; name += length, left -= length) {
		length = name[0] == '\\' && name[1] == 'x' ? 0 : fits(name, left);
		if (length) {
			to = mempcpy(to, name, length);
		} else {
			to += sprintf(to, "\\x%02x", (unsigned char)name[0]);
			length = 1;
		}
	}
	*to = '\0';
	return text;
}

char *name_for_terminal(const char *name)
{
	return encode(name, can_be_shown);
}

char *name_for_program(const char *name)
{
	return encode(name, is_utf8);
}

static void print_complaint(const char *format, va_list args, int error)
{
	char *message, *safe = NULL;

	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	if (message)
		safe = name_for_terminal(message);
	if (complain_first)
		complain_first();
	fprintf(stderr, "%s: %s%s%s\n", program_invocation_short_name,
		safe ? safe : "out of memory", error ? ": " : "", error ? strerror(error) : "");
	free(safe);
	free(message);
}

void complain(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	print_complaint(format, args, 0);
	va_end(args);
	errno = error;
}

void complain_errno(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	print_complaint(format, args, error);
	va_end(args);
	errno = error;
}
