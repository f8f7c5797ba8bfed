# shows: those parts of the kernel that use a file as a disk get from foldfs what they get
#        from XFS: md keeps a bitmap in a file's blocks, and a loop device with direct I/O
#        asks which sizes the disk below takes
# kernels: stock
. /tests/lib.sh

need_module loop
need_module raid1
fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked
fold_mount $LOWER/stacked

# ---- md asks for a file's blocks, and then goes to the device of its superblock
truncate -s 16M /run/half1 /run/half2
half1=$(losetup -f --show /run/half1)
half2=$(losetup -f --show /run/half2)
native=$(mdbitmap $LOWER/native/bitmap "$half1" "$half2")
stacked=$(mdbitmap $FOLD/bitmap "$half1" "$half2")
refused="refused: EINVAL"
case $native in
"magic "*" first bits 0000") ;;
"no bitmap in any file: EINVAL")
	# As of 7.3: it wants a bitmap that is there already, and then there is one already.
	note "this kernel's md takes no bitmap in a file, on XFS either"
	refused=$native
	;;
*) fail "md on XFS: $native" ;;
esac
assert_eq "$stacked" "$native" "what md left in its bitmap"
# It does not take a file whose blocks another shares, on XFS as here.
cp --reflink=always $FOLD/bitmap $FOLD/clone
cp --reflink=always $LOWER/native/bitmap $LOWER/native/clone
for tree in $LOWER/native $FOLD; do
	assert_eq "$(xfs_io -r -c 'fiemap' $tree/clone | grep -c 'hole')" 0 "holes in the clone"
	assert_eq "$(mdbitmap -k $tree/clone "$half1" "$half2")" "$refused" \
		"md and a file with shared blocks in $tree"
done
losetup -d "$half1" "$half2"
umount $FOLD
umount $LOWER

# ---- a disk that takes nothing smaller than 4 KiB
wide=$(losetup -f --show -b 4096 $DISK)
fresh_xfs "$wide" $LOWER
mkdir -p $LOWER/native $LOWER/stacked /mnt/inner
fold_mount $LOWER/stacked
for tree in $LOWER/native $FOLD; do
	truncate -s 400M $tree/image
	inner=$(losetup -f --show --direct-io=on $tree/image)
	blockdev --getss "$inner" >"/run/size${tree//\//-}"
	losetup -n -O DIO -l "$inner" >"/run/direct${tree//\//-}"
	fresh_xfs "$inner" /mnt/inner
	random_file /mnt/inner/file 4
	sync
	drop_caches
	random_file /run/file 4
	assert_same /mnt/inner/file /run/file
	umount /mnt/inner
	losetup -d "$inner"
done
assert_same /run/size-mnt-lower-native /run/size-mnt-fold
assert_same /run/direct-mnt-lower-native /run/direct-mnt-fold
umount $FOLD
umount $LOWER
losetup -d "$wide"
