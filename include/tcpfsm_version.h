/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TCPFSM_VERSION_H
#define _TCPFSM_VERSION_H

/* The version of the module and of the tool; doctor tells if they differ. */
#define TCPFSM_VERSION	"0.2"

#endif
