# shows: the test after a death runs, in a clean VM
# expect: ^ok$
. /tests/lib.sh
fresh_xfs
touch $LOWER/file
