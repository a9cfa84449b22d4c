"""numpy, loaded when the first array is made: a bot that has analysed nothing does without its 15 MB.

`from bot.core.loading.arrays import Floats, np` stands in place of `import numpy as np` here and in tools.
"""

from typing import TYPE_CHECKING, Any

from bot.core.loading.deferred import DeferredModule

__all__ = ["Flags", "Floats", "load", "np"]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
else:
    np = DeferredModule("numpy")
    # Annotations of what is not loaded yet.
    Floats = Flags = Any


def load() -> None:
    """Load numpy now, which takes a tenth of a second; in a thread, so that the event loop goes on."""
    _ = np.float64
