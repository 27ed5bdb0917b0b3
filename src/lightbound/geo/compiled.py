"""The kernels as machine code, for files large enough to pay for it.

The functions compiled are the very ones of the kernel modules, found by name; nothing is written twice. What is
interpreted is the normative path; what is compiled is tested against it.
"""

from collections.abc import Callable
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any


def compiled(*modules: ModuleType) -> SimpleNamespace:
    """Every public function of the given modules, compiled; later modules may call functions of earlier ones.

    Compilation happens at the first call of each and is cached beside the module, or where NUMBA_CACHE_DIR says.
    Functions release the interpreter lock, so that threads may share the work.
    """
    import numba

    namespace: dict[str, Any] = {}
    functions: dict[str, Callable[..., Any]] = {}
    for module in modules:
        namespace.update({name: value for name, value in vars(module).items() if name not in functions})
        namespace["__name__"] = module.__name__
        for name, value in vars(module).items():
            if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                plain = FunctionType(value.__code__, namespace, name, value.__defaults__)
                plain.__module__, plain.__qualname__ = module.__name__, value.__qualname__
                functions[name] = numba.njit(cache=True, nogil=True)(plain)
        namespace.update(functions)
    return SimpleNamespace(**functions)
