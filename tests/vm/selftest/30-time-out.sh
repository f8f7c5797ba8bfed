# shows: a test that takes too long is ended and fails, the result says what it waited
#        for, and the VM goes on
# timeout: 2
# expect: ^fail: time-out after \d+ s.*waited for: test -e /nothing
. /tests/lib.sh
sleep 1000 &
until_true 1 test -e /nothing
