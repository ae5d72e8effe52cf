"""One file a section; what they hold is measured by name."""

from .arithmetic import *  # noqa: F403
from .gradients import *  # noqa: F403
from .layer_defaults import *  # noqa: F403
from .layer_semantics import *  # noqa: F403
from .losses import *  # noqa: F403
from .optimizer_defaults import *  # noqa: F403
from .optimizer_semantics import *  # noqa: F403
from .schedules import *  # noqa: F403
