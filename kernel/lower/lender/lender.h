/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An address space that belongs to no process.
 *
 * The kernel offers modules no way to make an mm_struct, so one is borrowed:
 * a tiny program, the lender, is started as a usermode helper with a control
 * file as its standard input. Its one read() of that file maps a buffer of
 * the module's into its address space and takes a reference on the address
 * space; then the lender exits, and nobody but the module is left in it.
 *
 * Nothing of the process that calls mount(2) is used: another of its threads
 * could overwrite an answer before it is read back, and so forge extents.
 */
#ifndef FOLDFS_LENDER_H
#define FOLDFS_LENDER_H

#include <linux/types.h>

struct fold_loan;
struct mm_struct;

/* The program, from blob.S. */
extern const char fold_lender_start[], fold_lender_end[];

struct fold_loan *fold_loan_new(void *scratch, size_t size);
int fold_loan_take(struct fold_loan *loan);
void fold_loan_abort(struct fold_loan *loan);
struct mm_struct *fold_loan_mm(const struct fold_loan *loan);
unsigned long fold_loan_addr(const struct fold_loan *loan);
void fold_loan_strip(const struct fold_loan *loan);
void fold_loan_free(struct fold_loan *loan);

#endif /* FOLDFS_LENDER_H */
