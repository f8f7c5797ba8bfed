# shows: a watch of the audit subsystem on a file hears on foldfs of what it does on an overlayfs,
#        and a watch on its directory of what it does on XFS
# kernels: stock
# alone
. /tests/lib.sh

need_module overlay
fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked $LOWER/layer $LOWER/upper $LOWER/work /mnt/overlay
fold_mount $LOWER/stacked
mount -t overlay -o lowerdir=$LOWER/layer,upperdir=$LOWER/upper,workdir=$LOWER/work overlay /mnt/overlay
auditwatch $LOWER/native >/tmp/native
auditwatch $FOLD >/tmp/fold
auditwatch /mnt/overlay >/tmp/overlay
cat /tmp/native /tmp/fold /tmp/overlay
assert_eq "$(grep -c 'by name by directory' /tmp/native)" 4 "changes heard of on XFS"
assert_eq "$(grep -c 'by directory' /tmp/fold)" 4 "changes heard of by directory"
assert_eq "$(grep 'by name' /tmp/fold | tr '\n' ' ')" "write: by name by directory chmod: by name by directory " "changes heard of by name"
assert_same /tmp/fold /tmp/overlay
