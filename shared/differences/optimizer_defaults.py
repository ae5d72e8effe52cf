from shared.differences.spec import Difference
ROWS: tuple[Difference, ...] = ()
