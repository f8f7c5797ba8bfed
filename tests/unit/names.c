// SPDX-License-Identifier: GPL-2.0-only
/*
 * How names are written: nothing but printable characters goes to a terminal and nothing
 * but UTF-8 to a program, and every name can be told from what was written.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "names.h"
#include "test.h"

static void is(char *(*write)(const char *name), const char *name, const char *want)
{
	char *got = write(name);

	CHECK(!strcmp(got, want), "got '%s', wanted '%s'", got, want);
	free(got);
}

TEST(names, for_terminals)
{
	CHECK(setlocale(LC_ALL, "C.UTF-8"));
	is(name_for_terminal, "", "");
	is(name_for_terminal, "/usr/lib/a b", "/usr/lib/a b");
	is(name_for_terminal, "\xd0\x96\xe2\x82\xac", "\xd0\x96\xe2\x82\xac");
	is(name_for_terminal, "a\033[2Jb", "a\\x1b[2Jb");
	is(name_for_terminal, "a\nfoldctl: all is well\r\t\x7f",
	   "a\\x0afoldctl: all is well\\x0d\\x09\\x7f");
	is(name_for_terminal, "\xc2\x9b" "2J", "\\xc2\\x9b2J");		/* CSI in eight bits */
	is(name_for_terminal, "a\xff\xd0", "a\\xff\\xd0");
	is(name_for_terminal, "exe.\xe2\x80\xaetxt", "exe.\\xe2\\x80\\xaetxt");	/* right to left */
	is(name_for_terminal, "a\\x1b\\n\\\\x", "a\\x5cx1b\\n\\\\x5cx");
	CHECK(setlocale(LC_ALL, "C"));
	is(name_for_terminal, "a\xd0\x96", "a\\xd0\\x96");
}

TEST(names, for_programs)
{
	is(name_for_program, "a\xd0\x96\xf0\x9f\x98\x80", "a\xd0\x96\xf0\x9f\x98\x80");
	is(name_for_program, "a\033\n\x7f", "a\\x1b\\x0a\\x7f");
	is(name_for_program, "\xc2\x9b\xc2\xa0", "\\xc2\\x9b\xc2\xa0");
	is(name_for_program, "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf",	/* slashes, overlong */
	   "\\xc0\\xaf\\xe0\\x80\\xaf\\xf0\\x80\\x80\\xaf");
	is(name_for_program, "\xed\xa0\x80\xf4\x90\x80\x80\xf8",	/* no characters */
	   "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xf8");
	is(name_for_program, "\xd0", "\\xd0");
	is(name_for_program, "\xe2\x82", "\\xe2\\x82");
	is(name_for_program, "\\x41", "\\x5cx41");
}

/* \xNN becomes the byte again, as the manual says. */
static void decode(char *text)
{
	char *to = text, number[3] = "";

	for (; *text; to++) {
		if (text[0] == '\\' && text[1] == 'x') {
			memcpy(number, text + 2, 2);
			*to = strtoul(number, NULL, 16);
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

TEST(names, can_be_told_again)
{
	static const char likely[] = "\\x\\x1b\033\xc2\x9b\xe2\x80\xae\xf0\x9f";
	char name[33], *texts[2];

	CHECK(setlocale(LC_ALL, "C.UTF-8"));
	for (int i = 0; i < 200000; i++) {
		size_t length = rnd(sizeof(name));

		for (size_t j = 0; j < length; j++)
			name[j] = rnd(2) ? likely[rnd(sizeof(likely) - 1)] : 1 + rnd(255);
		name[length] = '\0';
		texts[0] = name_for_terminal(name);
		texts[1] = name_for_program(name);
		for (const char *at = texts[0]; *at;) {
			wchar_t c;
			int used = mbtowc(&c, at, MB_CUR_MAX);

			CHECK(used > 0 && iswprint(c), "'%s'", texts[0]);
			at += used;
		}
		CHECK(mbstowcs(NULL, texts[1], 0) != (size_t)-1, "'%s'", texts[1]);
		for (int j = 0; j < 2; j++) {
			decode(texts[j]);
			CHECK(!strcmp(texts[j], name));
			free(texts[j]);
		}
	}
	CHECK(setlocale(LC_ALL, "C"));
}
