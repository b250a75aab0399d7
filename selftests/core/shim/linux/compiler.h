/* SPDX-License-Identifier: GPL-2.0 */
/* One access, as the kernel has it, for a file of the module that is tested in user space. */
#ifndef _SHIM_COMPILER_H
#define _SHIM_COMPILER_H

#define WRITE_ONCE(x, value)	__atomic_store_n(&(x), value, __ATOMIC_RELAXED)

#endif /* _SHIM_COMPILER_H */
