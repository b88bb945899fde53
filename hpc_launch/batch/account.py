"""What the system says of an account: the one place that asks it."""

from __future__ import annotations

import os
import pwd
from typing import NamedTuple


class Account(NamedTuple):
    """A user of this host."""

    name: str
    home: str


def account(uid: int | None = None) -> Account:
    """The account of a number, or this process's own.

    In a container the system may not know it: then this process's own is called what LOGNAME says, any other by its
    number.
    """
    own = os.geteuid()
    uid = own if uid is None else uid
    try:
        known = pwd.getpwuid(uid)
    except KeyError:
        return Account((os.environ.get("LOGNAME") if uid == own else None) or str(uid), "/")
    return Account(known.pw_name, known.pw_dir)
