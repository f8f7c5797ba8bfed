# shows: on a kernel that loads signed modules only, the kernel, mount and foldctl doctor
#        say why there is no foldfs, and doctor what to do
# kernels: stock
# alone
. /tests/lib.sh
. /tests/foldctl.inc

# signature: what doctor says of it
signature() {
	foldctl doctor >/tmp/out || true
	grep -A1 ' signature: ' /tmp/out || fail "no word on signatures: $(cat /tmp/out)"
}

fresh_xfs
have_foldfs || skip "there is no foldfs.ko in this tree"
modules=/lib/modules/$(uname -r)
cp $MODULE $modules/foldfs.ko
echo "foldfs.ko:" >>$modules/modules.dep
foldctl doctor >/tmp/out || fail "doctor: $(cat /tmp/out)"
! grep -q signature /tmp/out || fail "doctor on a kernel that loads any module: $(cat /tmp/out)"

# There is no way back from this but a boot.
echo Y >/sys/module/module/parameters/sig_enforce
assert_fails "Key was rejected by service" insmod $MODULE
dmesg | grep -q "Loading of unsigned module is rejected" || fail "not in the kernel's log: $(dmesg | tail -n 3)"
status=0
mkdir -p $FOLD
mount -t foldfs $LOWER $FOLD >/tmp/out 2>&1 || status=$?
assert_eq "$status" 32 "exit status of mount"
grep -qF "foldctl doctor" /tmp/out || fail "mount does not say where to ask: $(cat /tmp/out)"
signature | grep -q "^FAIL  signature: this kernel loads signed modules only, and .*/foldfs.ko is not signed" ||
	fail "doctor: $(cat /tmp/out)"
signature | grep -q "README, Secure Boot" || fail "no advice: $(cat /tmp/out)"
status=0
foldctl doctor >/dev/null || status=$?
assert_eq "$status" 1 "exit status of doctor"

# A signature of an unknown key; what counts for doctor is that there is one.
printf '~Module signature appended~\n' >>$modules/foldfs.ko
signature | grep -q "^note  signature: this kernel loads signed modules only; .*/foldfs.ko is signed" ||
	fail "doctor on a signed module: $(cat /tmp/out)"
