/* SPDX-License-Identifier: GPL-2.0-only */
/* The linked lender program, as bytes inside the module. */
	.section .rodata, "a"
	.globl	fold_lender_start
	.globl	fold_lender_end
	.balign	8
fold_lender_start:
	.incbin	"lender.elf"
fold_lender_end:
	.section .note.GNU-stack, "", %progbits
