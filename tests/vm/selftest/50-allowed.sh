# shows: a message that the header allows is no failure
# allows: WARNING: .* at nowhere
# expect: ^ok$
. /tests/lib.sh
echo "<4>WARNING: CPU: 0 PID: 1 at nowhere.c:1 no_function" >/dev/kmsg
