// SPDX-License-Identifier: GPL-2.0-only
/*
 * Borrowing an address space from the lender (see lender.h for why).
 *
 * The program is written into a tmpfs mount that nobody else can reach and is
 * executed from its root directory as "foldfs-lender", so neither /proc nor
 * any path of the running system is needed, and no file of it stays busy.
 *
 * Who holds what:
 *  - struct fold_loan: its creator, and the control file (private_data);
 *  - the control file: fold_loan_take() while it runs, the lender while it
 *    lives, the mapping in the borrowed address space until that ends;
 *  - the address space: the loan, until fold_loan_free().
 * The loop loan -> address space -> mapping -> control file -> loan is opened
 * by fold_loan_free(), which drops the address space.
 *
 * The control file obeys one task only, the lender, and only while
 * fold_loan_take() runs: a descriptor that a privileged process takes out of
 * the lender can do nothing.
 */
#include <linux/anon_inodes.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/umh.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "lender.h"

#define LENDER_NAME	"foldfs-lender"

/* A lender that was killed before it lent is started again this often. */
#define LENDER_TRIES	3

/* How long others may keep the lender's address space alive, milliseconds. */
#define LENDER_GRACE	2000

struct fold_loan {
	refcount_t ref;
	void *scratch;			/* vmalloc_user(); immutable */
	size_t size;			/* of it, bytes; immutable */

	spinlock_t lock;		/* covers the next two */
	struct pid *lender;		/* NULL unless one is on its way */
	bool aborted;

	/* Constant while a lender is on its way. */
	struct file *control;
	struct path dir;		/* where the program lies */
	const struct inode *program;

	/* Set by the lender's read, stable when it is gone. */
	struct mm_struct *mm;
	unsigned long addr;		/* of the scratch buffer in @mm */
	int err;
};

static void loan_put(struct fold_loan *loan)
{
	if (refcount_dec_and_test(&loan->ref))
		kfree(loan);
}

static bool loan_from_current(struct fold_loan *loan)
{
	bool ret;

	spin_lock(&loan->lock);
	ret = loan->lender && loan->lender == task_pid(current);
	spin_unlock(&loan->lock);
	return ret;
}

/*
 * A kernel may be configured to run one fixed program in place of every
 * usermode helper; that one's address space is not wanted.
 */
static bool loan_runs_program(const struct fold_loan *loan)
{
	struct file *exe;
	bool ret;

	rcu_read_lock();
	exe = rcu_dereference(current->mm->exe_file);
	ret = exe && file_inode(exe) == loan->program;
	rcu_read_unlock();
	return ret;
}

/* The lender's one act. Runs in the lender, with its address space. */
static ssize_t loan_read(struct file *file, char __user *buf, size_t count,
			 loff_t *pos)
{
	struct fold_loan *loan = file->private_data;
	unsigned long addr;

	if (!loan_from_current(loan) || loan->mm)
		return -EPERM;
	if (!loan_runs_program(loan)) {
		loan->err = -ENOEXEC;
		return -EPERM;
	}

	addr = vm_mmap(file, 0, loan->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       0);
	if (IS_ERR_VALUE(addr)) {
		loan->err = addr;
		return addr;
	}
	mmget(current->mm);
	loan->mm = current->mm;
	loan->addr = addr;
	return 0;
}

/*
 * The mapping is shared and made of the module's own pages: should the OOM
 * killer choose the lender, it takes private memory only.
 */
static int loan_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct fold_loan *loan = file->private_data;

	if (!loan_from_current(loan) || loan->mm ||
	    vma->vm_end - vma->vm_start != loan->size)
		return -EPERM;
	vm_flags_set(vma, VM_DONTCOPY);
	return remap_vmalloc_range(vma, loan->scratch, 0);
}

static int loan_release(struct inode *inode, struct file *file)
{
	loan_put(file->private_data);
	return 0;
}

static const struct file_operations loan_fops = {
	.owner = THIS_MODULE,
	.read = loan_read,
	.mmap = loan_mmap,
	.release = loan_release,
};

static int loan_open_control(struct fold_loan *loan)
{
	struct file *file;

	refcount_inc(&loan->ref);
	file = anon_inode_getfile("[foldfs-loan]", &loan_fops, loan, O_RDWR);
	if (IS_ERR(file)) {
		loan_put(loan);
		return PTR_ERR(file);
	}
	loan->control = file;
	return 0;
}

static int loan_write_program(struct fold_loan *loan)
{
	size_t len = fold_lender_end - fold_lender_start;
	struct file_system_type *type;
	struct vfsmount *mnt;
	struct file *file;
	ssize_t written;
	loff_t pos = 0;

	type = get_fs_type("tmpfs");
	if (!type)
		return -ENODEV;
	mnt = kern_mount(type);
	module_put(type->owner);
	if (IS_ERR(mnt))
		return PTR_ERR(mnt);

	loan->dir.mnt = mnt;
	loan->dir.dentry = mnt->mnt_root;
	file = file_open_root(&loan->dir, LENDER_NAME,
			      O_CREAT | O_EXCL | O_WRONLY, 0555);
	if (IS_ERR(file)) {
		kern_unmount(mnt);
		return PTR_ERR(file);
	}
	loan->program = file_inode(file);
	written = kernel_write(file, fold_lender_start, len, &pos);
	/* Nobody else has it; and a file open for writing cannot be executed. */
	__fput_sync(file);
	if (written != len) {
		kern_unmount(mnt);
		return written < 0 ? written : -EIO;
	}
	return 0;
}

/* Runs in the child, before it executes the program. */
static int lender_init(struct subprocess_info *info, struct cred *new)
{
	struct fold_loan *loan = info->data;
	struct fs_struct *fs = current->fs;
	struct path old;
	int fd;

	fd = get_unused_fd_flags(0);
	if (fd < 0)
		return fd;
	if (fd) {
		/* Kernel threads have no open files: somebody's mistake. */
		put_unused_fd(fd);
		return -EMFILE;
	}
	fd_install(fd, get_file(loan->control));

	path_get(&loan->dir);
	old = fold_set_pwd(fs, &loan->dir);
	path_put(&old);

	spin_lock(&loan->lock);
	if (loan->aborted) {
		spin_unlock(&loan->lock);
		return -EINTR;
	}
	loan->lender = get_pid(task_pid(current));
	spin_unlock(&loan->lock);
	return 0;
}

/* Start a lender and wait until it is gone. */
static int loan_run_lender(struct fold_loan *loan)
{
	char *argv[2] = { LENDER_NAME, NULL };
	char *envp[1] = { NULL };
	struct subprocess_info *info;
	struct pid *pid;
	int ret;

	info = call_usermodehelper_setup(LENDER_NAME, argv, envp, GFP_KERNEL,
					 lender_init, NULL, loan);
	if (!info)
		return -ENOMEM;
	ret = call_usermodehelper_exec(info, UMH_WAIT_PROC);

	spin_lock(&loan->lock);
	pid = loan->lender;
	loan->lender = NULL;
	if (!loan->mm && loan->aborted)
		ret = -EINTR;
	spin_unlock(&loan->lock);
	put_pid(pid);

	if (loan->mm)
		return 0;
	if (loan->err)
		return loan->err;
	/* Positive: a wait status. Zero: no program was run at all. */
	return ret < 0 ? ret : ret ? -ECHILD : -ENOEXEC;
}

/*
 * The lender has left its address space, but a reader of its /proc files may
 * still be inside for a moment.
 */
static int loan_await_sole_user(const struct fold_loan *loan)
{
	int ms;

	for (ms = 0; ms < LENDER_GRACE; ms++) {
		if (atomic_read(&loan->mm->mm_users) == 1)
			return 0;
		usleep_range(1000, 2000);
	}
	return -EBUSY;
}

/**
 * fold_loan_new - prepare to borrow an address space
 * @scratch: memory from vmalloc_user() that will be mapped into it
 * @size: how much of it, bytes, a multiple of the page size
 *
 * Context: may sleep.
 * Return: the loan, to be ended by fold_loan_free() before @scratch is freed,
 * or NULL without memory.
 */
struct fold_loan *fold_loan_new(void *scratch, size_t size)
{
	struct fold_loan *loan = kzalloc(sizeof(*loan), GFP_KERNEL);

	if (!loan)
		return NULL;
	refcount_set(&loan->ref, 1);
	spin_lock_init(&loan->lock);
	loan->scratch = scratch;
	loan->size = size;
	return loan;
}

/**
 * fold_loan_take - start a lender, and take its address space when it is gone
 * @loan: a fresh loan
 *
 * Context: a kernel thread, so that the program file belongs to the kernel,
 * whatever the mounter's limits and identity are. Sleeps until the lender is
 * gone, uninterruptibly: let another task watch the clock and call
 * fold_loan_abort().
 * Return: 0, and fold_loan_mm() and fold_loan_addr() have answers; -EINTR when
 * aborted, -ENOEXEC when the kernel runs another program or none, -ECHILD when
 * the lender was killed time and again, -EBUSY when somebody would not leave
 * its address space or usermode helpers are disabled for now, or what the
 * failing step said.
 */
int fold_loan_take(struct fold_loan *loan)
{
	int tries = LENDER_TRIES;
	int err;

	err = loan_write_program(loan);
	if (err)
		return err;
	err = loan_open_control(loan);
	if (err)
		goto out_unmount;

	do {
		err = loan_run_lender(loan);
	} while (err == -ECHILD && --tries);

	if (!err)
		err = loan_await_sole_user(loan);

	/* The mapping, if it was made, keeps the file; else it goes now. */
	__fput_sync(loan->control);
	loan->control = NULL;
out_unmount:
	/* As the program does its mount, for as long as @mm has a use for it. */
	kern_unmount(loan->dir.mnt);
	return err;
}

/**
 * fold_loan_abort - stop waiting for the lender
 * @loan: which fold_loan_take() may be working on
 *
 * The lender is killed, or will not be started; the take ends soon.
 *
 * Context: any task; does not sleep.
 */
void fold_loan_abort(struct fold_loan *loan)
{
	spin_lock(&loan->lock);
	loan->aborted = true;
	if (loan->lender)
		kill_pid(loan->lender, SIGKILL, 1);
	spin_unlock(&loan->lock);
}

/**
 * fold_loan_mm - the borrowed address space
 * @loan: which fold_loan_take() succeeded on
 *
 * Return: it, valid until fold_loan_free(); the reference is the loan's.
 */
struct mm_struct *fold_loan_mm(const struct fold_loan *loan)
{
	return loan->mm;
}

/**
 * fold_loan_addr - where the scratch buffer lies in it
 * @loan: which fold_loan_take() succeeded on
 *
 * Return: the user address.
 */
unsigned long fold_loan_addr(const struct fold_loan *loan)
{
	return loan->addr;
}

/**
 * fold_loan_strip - unmap all but the scratch buffer
 * @loan: which fold_loan_take() succeeded on; so the lender is gone, under
 *	which nothing may be unmapped
 *
 * What cannot be unmapped stays and does no harm.
 *
 * Context: a kernel thread inside kthread_use_mm(). May sleep.
 */
void fold_loan_strip(const struct fold_loan *loan)
{
	unsigned long end = loan->addr + loan->size;

	if (loan->addr)
		vm_munmap(0, loan->addr);
	if (end < TASK_SIZE)
		vm_munmap(end, TASK_SIZE - end);
}

/**
 * fold_loan_free - give the address space up
 * @loan: in any state, with no fold_loan_take() under way and no thread in the
 *	address space any more
 *
 * In a user process everything is gone before it returns to user mode: the
 * mapping holds the control file, that a reference on the module, and a
 * process's final fput()s run then. A kernel thread's run a moment later.
 *
 * Context: may sleep.
 */
void fold_loan_free(struct fold_loan *loan)
{
	if (loan->mm)
		mmput(loan->mm);
	loan_put(loan);
}
