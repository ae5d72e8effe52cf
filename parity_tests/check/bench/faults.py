from .rows import Fault

FAULTY: tuple[Fault, ...] = ()
KEPT_FAULTY: tuple[Fault, ...] = ()
