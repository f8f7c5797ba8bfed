# shows: a user, the root of a user namespace and a root without capabilities get on foldfs
# the errors that XFS gives; who cannot open a file does not read it through pages that it
# shares with one that he can open
. /tests/lib.sh
. /tests/cases.inc

fresh_xfs
same_cases rights rights
same_cases rights rights nofold

# A user's clone of a secret, and the secret's later life.
fold_mount $LOWER/stacked
rm -rf "${FOLD:?}"/*
chmod 755 $FOLD
as_user() {
	setpriv --reuid=1000 --regid=1000 --clear-groups "$@"
}
random_file $FOLD/secret 2
chmod 600 $FOLD/secret
cp --reflink=always $FOLD/secret $FOLD/theirs
chown 1000 $FOLD/theirs
cp $FOLD/secret /tmp/old
chmod 644 /tmp/old
sync
cat $FOLD/secret >/dev/null
as_user cmp $FOLD/theirs /tmp/old
assert_ge "$(counter $FOLD pages_saved)" 500 "pages saved"
setpriv --reuid=1000 --regid=1000 --clear-groups advice $FOLD/theirs hold &
holder=$!
until_true 20 [ -e /tmp/held ]
for i in 1 2 3 4 5; do
	head -c 300000 /dev/urandom | dd of=$FOLD/secret bs=100000 seek=$i conv=notrunc status=none
	cat $FOLD/secret >/dev/null
	as_user cmp $FOLD/theirs /tmp/old
done
truncate -s 1000 $FOLD/secret
random_file $FOLD/secret 2 9
as_user cmp $FOLD/theirs /tmp/old
assert_fails "Permission denied" as_user cat $FOLD/secret
# Rights are asked for at each open, whatever is cached.
chmod 644 $FOLD/secret
as_user cat $FOLD/secret >/dev/null
chmod 600 $LOWER/stacked/secret
assert_fails "Permission denied" as_user cat $FOLD/secret
kill -USR1 $holder
wait $holder || fail "a mapping of the clone changed"
