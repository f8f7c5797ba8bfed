/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints. Pages and blocks are in units of PAGE_SIZE; docs/counters.md
 * describes each.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM foldfs

#if !defined(FOLD_CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define FOLD_CORE_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(foldfs_range,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long index,
		 unsigned long nr, unsigned long phys),
	TP_ARGS(dev, ino, index, nr, phys),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, index)
		__field(unsigned long, nr)
		__field(unsigned long, phys)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->index = index;
		__entry->nr = nr;
		__entry->phys = phys;
	),
	TP_printk("dev=%u:%u ino=%lu index=%lu nr=%lu phys=%lu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->nr, __entry->phys)
);

DEFINE_EVENT(foldfs_range, foldfs_join,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long index,
		 unsigned long nr, unsigned long phys),
	TP_ARGS(dev, ino, index, nr, phys));

DEFINE_EVENT(foldfs_range, foldfs_break,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long index,
		 unsigned long nr, unsigned long phys),
	TP_ARGS(dev, ino, index, nr, phys));

TRACE_EVENT(foldfs_fill,
	TP_PROTO(dev_t dev, unsigned long phys, unsigned long index,
		 unsigned long nr, long res),
	TP_ARGS(dev, phys, index, nr, res),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, phys)
		__field(unsigned long, index)
		__field(unsigned long, nr)
		__field(long, res)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->phys = phys;
		__entry->index = index;
		__entry->nr = nr;
		__entry->res = res;
	),
	TP_printk("dev=%u:%u phys=%lu index=%lu nr=%lu res=%ld",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->phys,
		  __entry->index, __entry->nr, __entry->res)
);

TRACE_EVENT(foldfs_shootdown,
	TP_PROTO(dev_t dev, unsigned long phys, unsigned long nr),
	TP_ARGS(dev, phys, nr),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, phys)
		__field(unsigned long, nr)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->phys = phys;
		__entry->nr = nr;
	),
	TP_printk("dev=%u:%u phys=%lu nr=%lu", MAJOR(__entry->dev),
		  MINOR(__entry->dev), __entry->phys, __entry->nr)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
