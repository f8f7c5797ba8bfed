# shows: a test that reaches its end passes, and its figures are printed
# expect: ^ok$
. /tests/lib.sh
note "a figure"
assert_eq 1 1
