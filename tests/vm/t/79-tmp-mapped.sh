# shows: a clone on foldtmp is one moment of a file that is mapped and being written; no
#        mapping, pipe or device that has a page of one file in hand shows or changes another
# timeout: 240
. /tests/lib.sh

used() {	# pages
	local used
	used=$(df -k --output=used /mnt/t | tail -n 1)
	echo $(( used / 4 ))
}

load_foldfs
grep -qw foldtmp /proc/filesystems || skip "this kernel has no MMU notifiers, and so no foldtmp"
mkdir -p /mnt/t
mount -t foldtmp -o size=192M none /mnt/t
mkdir /mnt/t/m
note "$(tmpclone moment /mnt/t/m 100)"
rm /mnt/t/m/*
tmpclone pipe /mnt/t/m
rm -f /mnt/t/m/*
for (( i = 0; i < 3; i++ )); do
	tmpclone ways /mnt/t/m
	rm /mnt/t/m/*
done
note "$(tmpclone around /mnt/t/m)"
rm /mnt/t/m/*
mapops /mnt/t/m /mnt/t/out
rm -r /mnt/t/m /mnt/t/out
fresh_xfs
tmpclone direct /mnt/t $LOWER/raw
rm /mnt/t/?
assert_eq "$(used)" 0 "pages after all that"

# Neighbours in a store may be of different files, so no page there may be a large one.
huge=/sys/kernel/mm/transparent_hugepage/shmem_enabled
if [ -e $huge ]; then
	trap 'echo never >$huge' EXIT
	before=$(vmstat thp_file_alloc)
	echo force >$huge
	mkdir /mnt/t/m
	tmpclone ways /mnt/t/m
	rm -r /mnt/t/m
	random_file /mnt/t/f 8
	assert_eq "$(used)" 2048 "pages with huge pages forced"
	assert_eq "$(vmstat thp_file_alloc)" "$before" "huge pages"
	rm /mnt/t/f
fi

random_file /mnt/t/big 64
note "ns for a clone of 64 MiB, not mapped, and all mapped and dirty: $(tmpclone cost /mnt/t)"
