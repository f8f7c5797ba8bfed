# shows: with SELinux enforcing, files on foldfs have the labels of the lower filesystem once the
#        policy knows the type (packaging/selinux/foldfs.cil) or those that the mount gives them
#        (context=), and who may not execute a file of such a label can map it for execution
#        neither at once nor by mprotect(2), on foldfs as on XFS
# args: security=selinux enforcing=0
# kernels: stock
. /tests/lib.sh

type -P secilc >/dev/null || skip "there is no secilc here"
mount -t securityfs none /sys/kernel/security
grep -qw selinux /sys/kernel/security/lsm || skip "this kernel has no SELinux"
umount /sys/kernel/security

# As small a policy as can be: classes and permissions that it does not know are allowed.
cat >/run/base.cil <<'END'
(handleunknown allow)
(mls true)
(policycap open_perms)
(sensitivity s0)
(sensitivityorder (s0))
(category c0)
(categoryorder (c0))
(sensitivitycategory s0 (c0))
(class file (execute execmod write))
(classorder (file))
(class process (execmem transition dyntransition))
(classorder (unordered process))
(sid kernel)
(sid security)
(sid unlabeled)
(sid file)
(sidorder (kernel security unlabeled file))
(sidcontext kernel (system_u system_r kernel_t ((s0) (s0))))
(sidcontext security (system_u object_r any_t ((s0) (s0))))
(sidcontext unlabeled (system_u object_r unlabeled_t ((s0) (s0))))
(sidcontext file (system_u object_r any_t ((s0) (s0))))
(user system_u)
(role system_r)
(role object_r)
(userrole system_u system_r)
(userrole system_u object_r)
(userlevel system_u (s0))
(userrange system_u ((s0) (s0)))
(type kernel_t)
(type app_t)
(type any_t)
(type fs_t)
(type unlabeled_t)
(type data_t)
(type program_t)
(typeattribute files)
(typeattributeset files (any_t fs_t unlabeled_t data_t program_t kernel_t app_t))
(typeattribute runs)
(typeattributeset runs (any_t unlabeled_t program_t kernel_t))
(roletype system_r kernel_t)
(roletype system_r app_t)
(roletype object_r files)
(allow kernel_t files (file (execute execmod write)))
(allow kernel_t kernel_t (process (execmem transition dyntransition)))
(allow kernel_t app_t (process (transition)))
(allow app_t app_t (process (transition)))
(allow app_t runs (file (execute write)))
(fsuse xattr xfs (system_u object_r fs_t ((s0) (s0))))
END
label() {	# FILE
	getfattr --absolute-names --only-values -n security.selinux "$1" | tr -d '\0'
}
type_of() {	# FILE: the third of a label's parts
	label "$1" | cut -d : -f 3
}
policy() {	# CIL...
	secilc -o /run/policy -f /dev/null -c 33 "$@"
	cat /run/policy >/sys/fs/selinux/load
}
confined() {
	( echo -n system_u:system_r:app_t:s0 >/proc/self/attr/exec && exec "$@" )
}

mount -t selinuxfs none /sys/fs/selinux
# Without it mount(8) believes that there is no SELinux, and drops context=.
mkdir -p /etc/selinux
echo SELINUX=permissive >/etc/selinux/config
policy /run/base.cil
fresh_xfs
mkdir -p $LOWER/native $LOWER/stacked
for tree in $LOWER/native $LOWER/stacked; do
	random_file $tree/program 1
	cp --reflink=always $tree/program $tree/data
	setfattr -n security.selinux -v system_u:object_r:program_t:s0 $tree/program
	setfattr -n security.selinux -v system_u:object_r:data_t:s0 $tree/data
done

# ---- a policy that does not know the type
fold_mount $LOWER/stacked
assert_eq "$(type_of $FOLD/data)" unlabeled_t "a label, with a policy that does not know foldfs"
umount $FOLD
fold_mount $LOWER/stacked $FOLD -o context=system_u:object_r:data_t:s0
assert_eq "$(type_of $FOLD/program)" data_t "a label, by the mount's context="
assert_eq "$(type_of $LOWER/stacked/program)" program_t "the label below"
umount $FOLD

# ---- one that does
policy /run/base.cil /tests/foldfs.cil
fold_mount $LOWER/stacked
cat $FOLD/program $FOLD/data >/dev/null
for file in program data; do
	assert_eq "$(type_of $FOLD/$file)" ${file}_t "the label of $file"
done
setfattr -n security.selinux -v system_u:object_r:data_t:s0 $FOLD/program
assert_eq "$(type_of $LOWER/stacked/program)" data_t "a label that was set through the mount, below"
setfattr -n security.selinux -v system_u:object_r:program_t:s0 $FOLD/program

echo 1 >/sys/fs/selinux/enforce
assert_eq "$(confined cat /proc/self/attr/current | tr -d '\0')" system_u:system_r:app_t:s0 "the domain"
for tree in $LOWER/native $FOLD; do
	assert_eq "$(confined seen protect $tree/program)" "0 0" "$tree, what may be executed"
	assert_eq "$(confined seen protect $tree/data)" "EACCES EACCES" "$tree, what may not"
	assert_fails "Permission denied" confined dd if=/dev/zero of=$tree/data count=1 conv=notrunc status=none
	assert_eq "$(seen protect $tree/data)" "0 0" "$tree, by who may"
	# What is made there has the same label on both.
	touch $tree/new
	assert_eq "$(type_of $tree/new)" "$(type_of $LOWER/native/new)" "a new file's label"
done
echo 0 >/sys/fs/selinux/enforce
umount $FOLD
umount $LOWER
umount /sys/fs/selinux
