# shows: readahead(2), posix_fadvise and madvise have their effect on shared ranges; what
# mincore, cachestat and sync_file_range do there is what docs/compatibility.md says
. /tests/lib.sh

fresh_xfs
random_file $LOWER/a 8
cp --reflink=always $LOWER/a $LOWER/b
sync
fold_mount

pages() { counter $FOLD pages_cached; }
all_cached() { [ "$(pages)" -ge 2000 ]; }
advise() {	# FILE CALL
	advice "$FOLD/$1" "$2"
}

# Join both first: advice on a file of which nothing is known goes to the lower file.
head -c 4096 $FOLD/a >/dev/null
head -c 4096 $FOLD/b >/dev/null
advise a dontneed
advise b dontneed
assert_le "$(pages)" 64 "pages cached after POSIX_FADV_DONTNEED"
for call in readahead willneed madv_willneed madv_populate_read; do
	advise a dontneed
	before=$(pages)
	advise b $call
	until_true 10 all_cached
	note "$call: $before to $(pages) pages"
	# All who share have them.
	fills=$(counter $FOLD fills)
	cat $FOLD/a >/dev/null
	assert_le "$(( $(counter $FOLD fills) - fills ))" 16 "pages that were filled again after $call"
done

# Not what somebody maps.
advice $FOLD/b map_dontneed
assert_ge "$(pages)" 2000 "pages cached while they are mapped"

# MADV_DONTNEED and MADV_PAGEOUT of a mapping: it is right afterwards.
advice $FOLD/b madv_dontneed
advice $FOLD/b madv_pageout

# The latter takes no shared page out of memory.
assert_eq "$(advice $LOWER/a pageout_mincore)" 0 "pages in memory after MADV_PAGEOUT, XFS"
assert_eq "$(advice $FOLD/b pageout_mincore)" 2048 "pages in memory after MADV_PAGEOUT"

# What is said about residence.
advise b dontneed
advise b readahead
until_true 10 all_cached
note "2048 pages cached: mincore of an untouched mapping $(advice $FOLD/b mincore), of a touched one $(advice $FOLD/b touch_mincore), cachestat $(advice $FOLD/b cachestat)"
assert_eq "$(advice $FOLD/b mincore)" 0 "mincore of an untouched mapping"
assert_eq "$(advice $FOLD/b touch_mincore)" 2048 "mincore of a touched mapping"
assert_eq "$(advice $FOLD/b cachestat)" 0 "cachestat"
cp $LOWER/a $FOLD/private
assert_ge "$(advice $FOLD/private mincore)" 2000 "mincore of a file that shares nothing"

# sync_file_range says yes and does nothing; fsync does.
advice $FOLD/private sync_file_range
