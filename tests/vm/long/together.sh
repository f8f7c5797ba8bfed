# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What 26-together shows, in RUNS runs.
. /tests/together.inc
map_together "$RUNS"
