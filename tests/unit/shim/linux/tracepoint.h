/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints that nobody listens to. */
#ifndef UNIT_TRACEPOINT_H
#define UNIT_TRACEPOINT_H

#define TP_PROTO(...)	__VA_ARGS__
#define TP_ARGS(...)
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(class, name, proto, args)				\
static inline void trace_##name(proto)					\
{									\
}
#define TRACE_EVENT(name, proto, ...)					\
static inline void trace_##name(proto)					\
{									\
}

#endif
