# shows: a test that takes too long is ended and fails, and the VM goes on
# timeout: 2
# expect: ^fail: time-out after \d+ s$
. /tests/lib.sh
sleep 1000 &
sleep 1000
