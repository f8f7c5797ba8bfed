# shows: a data race in which foldfs takes part, if only as a caller, fails a test
#        that passed otherwise, and is told from one beside it that is others'
# expect: ^fail: kernel: BUG: KCSAN: data-race in mine / yours$
. /tests/lib.sh
race() {
	echo "<3>=================================================================="
	echo "<3>BUG: KCSAN: data-race in $1 / $2"
	echo "<3>"
	echo "<3>write to 0xffff888003c0a1c8 of 8 bytes by task 401 on cpu 1:"
	echo "<4> $1+0x3c/0x80"
	echo "<4> do_syscall_64+0x9e/0x1a0"
	echo "<3>"
	echo "<3>read to 0xffff888003c0a1c8 of 8 bytes by task 400 on cpu 0:"
	echo "<4> $2+0x11/0x40"
	echo "<4> ${3:-vfs_read+0x1d2/0x480}"
	echo "<3>"
	echo "<3>value changed: 0x0000000000000007 -> 0x0000000000000008"
	echo "<3>"
	echo "<3>Reported by Kernel Concurrency Sanitizer on:"
	echo "<3>CPU: 0 UID: 0 PID: 400 Comm: cat Tainted: G           O       6.12.117 #1"
	echo "<3>=================================================================="
}
{
	race theirs others
	race mine yours "fold_read_iter+0x11c/0x2a0 [foldfs]"
} | while IFS= read -r line; do
	echo "$line" >/dev/kmsg
done
