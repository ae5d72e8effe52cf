from .layer_defaults import *  # noqa: F403
from .layer_semantics import *  # noqa: F403
from .losses import *  # noqa: F403
from .schedules import *  # noqa: F403
