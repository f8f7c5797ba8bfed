# SPDX-License-Identifier: GPL-2.0-only
"""The part of the VM harness that runs on the building machine."""
