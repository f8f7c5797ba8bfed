# shows: a command that fails outside of a condition fails the test
# expect: ^fail: exit status 1$
. /tests/lib.sh
false
true
