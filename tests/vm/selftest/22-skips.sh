# shows: a test can say that it cannot run
# expect: ^skip: no such thing here$
. /tests/lib.sh
skip "no such thing here"
