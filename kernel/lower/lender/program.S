/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lender: a user program of two system calls. It reads one byte from its
 * standard input, which is where the module takes the loan, and exits with
 * what the read returned.
 */
	.globl	_start
	.text
_start:
#if defined(__x86_64__)
	xorl	%eax, %eax		/* read */
	xorl	%edi, %edi
	movq	%rsp, %rsi
	movl	$1, %edx
	syscall
	movl	%eax, %edi
	movl	$231, %eax		/* exit_group */
	syscall
	hlt
#elif defined(__aarch64__)
	mov	x0, #0
	mov	x1, sp
	mov	x2, #1
	mov	x8, #63			/* read */
	svc	#0
	mov	x8, #94			/* exit_group */
	svc	#0
	brk	#0
#else
#error "foldfs: the lender is not written for this architecture yet"
#endif
	.section .note.GNU-stack, "", %progbits
