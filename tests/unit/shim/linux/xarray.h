/* SPDX-License-Identifier: GPL-2.0-only */
/* Only ever a member of what the tests use. */
#ifndef UNIT_XARRAY_H
#define UNIT_XARRAY_H

struct xarray {
	int unused;
};

#endif
