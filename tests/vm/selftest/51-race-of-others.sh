# shows: a data race in which foldfs takes no part is no failure, even if foldfs is
#        named right behind it, or another report follows at once
# expect: ^ok$
. /tests/lib.sh
for line in \
	"BUG: KCSAN: data-race in theirs / others" \
	"read to 0xffff888003c0a1c8 of 8 bytes by task 400 on cpu 0:" \
	" vfs_read+0x1d2/0x480" \
	"BUG: KCSAN: data-race in nobody+0x1c/0x20" \
	"race at unknown origin, with read to 0xffff888003c0a1c8 of 8 bytes by task 400 on cpu 0:" \
	" nobody+0x1c/0x20" \
	"==================================================================" \
	" fold_read_iter+0x11c/0x2a0 [foldfs]"; do
	echo "<3>$line" >/dev/kmsg
done
