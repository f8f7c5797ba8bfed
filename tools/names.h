/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How names are written, and messages with names in them.
 *
 * Who may make a file chooses its name, and any byte but two may be in it: an order
 * to the terminal of the one who looks, a line that seems to come from us, or no text
 * at all. So whatever may hold a name goes through one of these functions on its way
 * out. A byte that cannot be shown becomes \xNN, and a backslash with an x behind it
 * \x5cx, so that every name can be told from what was written.
 */
#ifndef NAMES_H
#define NAMES_H

/*
 * What can be shown in the user's locale; everything else byte by byte as above, and
 * so are characters that change the direction of writing. To be freed; NULL when memory
 * is short.
 */
char *name_for_terminal(const char *name);

/*
 * For programs, whatever the locale: UTF-8. What is not, and control characters, byte by
 * byte as above: what programs are given is looked at on terminals, too. To be freed; NULL
 * when memory is short.
 */
char *name_for_program(const char *name);

/*
 * One line on stderr, with the program's name in front; the second adds what errno
 * says. Every message goes this way, and as a whole through name_for_terminal(). Both
 * leave errno as it was.
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void complain_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* If set: called before a line is written, to clear the terminal's current one. */
extern void (*complain_first)(void);

#endif
