# shows: a failed assertion fails the test with its text
# expect: ^fail: a sum: got '2', expected '3'$
. /tests/lib.sh
assert_eq $(( 1 + 1 )) 3 "a sum"
