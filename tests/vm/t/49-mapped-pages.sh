# shows: of a shared program's mapping perf gets no build ID when it is mapped, since it looks for
#        it in the lower file's own page cache, and /proc/PID/maps has it all the same; of a file
#        that shares nothing, perf gets it as well. A page of it that is mapped cannot be taken
#        out of use softly: EBUSY, until the pages are dropped; no byte is wrong
# kernels: stock
# allows: soft offline|Soft offlining
. /tests/lib.sh

fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked
for tree in $LOWER/native $LOWER/stacked; do
	cp "$(type -P bash)" $tree/program
	cp --reflink=always $tree/program $tree/clone
	cp "$(type -P bash)" $tree/alone
done
fold_mount $LOWER/stacked
drop_caches
joined() {
	cat $FOLD/program $FOLD/clone $FOLD/alone >/dev/null
	[ "$(shared-pages $FOLD/clone)" -gt 0 ]
}
until_true 20 joined
cat $LOWER/native/program $LOWER/native/clone >/dev/null

read -r native query <<<"$(seen id $LOWER/native/program)"
case $native in
*[!0-9a-f]* | "") fail "perf's build ID on XFS: '$native'" ;;
esac
assert_eq "$query" "$native" "the build ID of a mapping on XFS"
assert_eq "$(seen id $FOLD/alone)" "$native $native" "of a file that shares nothing"
assert_eq "$(seen id $FOLD/clone)" "none $native" "of a shared program"

assert_eq "$(seen offline $LOWER/native/clone)" 0 "soft offline on XFS"
assert_eq "$(seen offline $FOLD/alone)" 0 "of what is private"
assert_eq "$(seen offline $FOLD/clone)" EBUSY "of a shared page"
assert_same $FOLD/clone $LOWER/native/program
