"""The kernels as machine code, for files large enough to pay for it.

The functions compiled are the very ones of the kernel modules, found by name; nothing is written twice. What is
interpreted is the normative path; what is compiled is tested against it.
"""

import hashlib
import inspect
from collections.abc import Callable
from functools import cache
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any


@cache
def compiled(*modules: ModuleType) -> SimpleNamespace:
    """Every function of the given modules, compiled; later modules may call functions of earlier ones.

    Compilation happens at the first call of each and is cached beside the module, or where NUMBA_CACHE_DIR says.
    The compiler's cache looks only at the file of the function itself, while machine code holds what that function
    calls; so the cache is told a name that changes with the source of any of the modules.
    Functions release the interpreter lock, so that threads may share the work. Where a process may not run what it
    wrote (`MemoryDenyWriteExecute` of systemd), they are the plain ones: some hundred times slower, and the same.
    """
    if not _may_run_what_it_wrote():
        return SimpleNamespace(
            **{
                name: value
                for module in modules
                for name, value in vars(module).items()
                if isinstance(value, FunctionType) and value.__module__ == module.__name__
            }
        )
    sources = hashlib.sha256("".join(inspect.getsource(module) for module in modules).encode()).hexdigest()[:12]
    namespace: dict[str, Any] = {}
    functions: dict[str, Callable[..., Any]] = {}
    for module in modules:
        namespace.update({name: value for name, value in vars(module).items() if name not in functions})
        namespace["__name__"] = module.__name__
        for name, value in vars(module).items():
            if isinstance(value, FunctionType) and value.__module__ == module.__name__:
                plain = FunctionType(value.__code__, namespace, name, value.__defaults__)
                plain.__module__, plain.__qualname__ = module.__name__, f"{name}_{sources}"
                functions[name] = _jitted(plain)
        namespace.update(functions)
    return SimpleNamespace(**functions)


@cache
def _may_run_what_it_wrote() -> bool:
    try:
        import numba  # noqa: F401
    except OSError:
        return False
    return True


def _jitted(function: FunctionType) -> Callable[..., Any]:
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # Nowhere to keep a cache: a read-only installation run without a home. Compile each time.
        return numba.njit(nogil=True)(function)
