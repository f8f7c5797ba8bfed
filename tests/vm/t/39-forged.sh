# shows: where the lower filesystem lies about physical addresses, no two files of
#        different bytes meet on a page: neither when it lies to a newcomer, nor, with
#        the parameter "verify", when it always lies
# module: test
. /tests/lib.sh

FILES=12

switch() {	# PARAMETER VALUE
	echo "$2" >/sys/module/foldfs/parameters/"$1"
}

# All files pretend to lie at the same blocks; four pairs of clones among them.
set_up() {
	local i
	fresh_xfs
	for i in $(seq $FILES); do
		random_file $LOWER/f$i 1 "$i"
	done
	for i in 1 2 3 4; do
		cp --reflink=always $LOWER/f$i $LOWER/g$i
	done
	truncate -s 300001 $LOWER/f9
	(cd $LOWER && md5sum -- *) >/tmp/sums
	drop_caches
	fold_mount
	switch join_eagerly 1
}

# Each is read several times, so that all had the chance to join.
read_all() {
	local i
	for i in 1 2 3 4 5; do
		(cd $FOLD && md5sum --quiet -c /tmp/sums) || return 1
	done
}

take_down() {
	switch forge 0
	switch join_eagerly 0
	switch verify 0
	umount $FOLD
	umount $LOWER
}

set_up
switch forge 1
read_all || fail "a lie to a newcomer is believed"
note "lies to newcomers: $(counter $FOLD joins) joins, $(counter $FOLD breaks) breaks"
assert_ge "$(counter $FOLD joins)" 2 "joins: the lie is not told"
take_down

set_up
switch verify 1
switch forge 2
read_all || fail "who always lies is believed, in spite of verify"
note "always, with verify: $(counter $FOLD joins) joins, $(counter $FOLD breaks) breaks"
dmesg | grep -q 'are said to share blocks, but their bytes differ' || fail "the log does not say so"
take_down

# Nobody can know better without comparing: so the lie is really told.
set_up
switch forge 2
! read_all 2>/dev/null || fail "who always lies is not believed: this test shows nothing"
take_down

# The truth, compared.
set_up
switch verify 1
read_all || fail "wrong with verify"
assert_ge "$(counter $FOLD joins)" 8 "joins with verify"
assert_eq "$(counter $FOLD breaks)" 0 "breaks with verify"
take_down
