# SPDX-License-Identifier: GPL-2.0-only
# Included by kernel/Kbuild: the query pool and the program it starts.

lender := lower/lender
foldfs-y += lower/query.o lower/queue.o $(lender)/loan.o $(lender)/blob.o

# The program runs in user space: it gets none of the kernel's compiler flags,
# and no C library.
quiet_cmd_lender_as = AS [U]  $@
      cmd_lender_as = $(CC) $(CLANG_FLAGS) -c -o $@ $<
quiet_cmd_lender_ld = LD [U]  $@
      cmd_lender_ld = $(LD) $(KBUILD_LDFLAGS) -static -s --build-id=none \
		      -z noexecstack -z noseparate-code -o $@ $<

targets += $(lender)/program.o $(lender)/lender.elf

$(obj)/$(lender)/program.o: $(src)/$(lender)/program.S FORCE
	$(call if_changed,lender_as)

$(obj)/$(lender)/lender.elf: $(obj)/$(lender)/program.o FORCE
	$(call if_changed,lender_ld)

AFLAGS_$(lender)/blob.o := -Wa,-I$(obj)/$(lender)
$(obj)/$(lender)/blob.o: $(obj)/$(lender)/lender.elf
