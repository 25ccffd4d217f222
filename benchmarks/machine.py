"""Where a figure was measured: without it a time says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

NOISE = "two busy hyperthreads make wall times vary 3 ×: trust the ratios, taken in one run"
PACKAGES = ("torch", "sentence-transformers", "lancedb", "pylance", "polars", "prefect", "dvc")


def machine() -> dict[str, str]:
    """Return processor, cores, memory, Python and the versions that decide the speed."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": f"{_processor()}{' with AMX' if 'amx_bf16' in _cpuinfo() else ''}",
        "cores": str(cores),
        "memory": f"{_memory() / 2**30:.0f} GiB",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "not set"),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def one_line() -> str:
    """Return `machine()` in words."""
    found = machine()
    packages = ", ".join(f"{name} {found[name]}" for name in ("python", *PACKAGES))
    return (
        f"{found['processor']}, {found['cores']} cores, {found['memory']},"
        f" load {found['load']}, OMP_NUM_THREADS {found['OMP_NUM_THREADS']}, OMP_WAIT_POLICY"
        f" {found['OMP_WAIT_POLICY']}; {packages}; {NOISE}"
    )


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return ""


def _processor() -> str:
    found = {
        key.strip(): value.strip()
        for key, _, value in (line.partition(":") for line in _cpuinfo().splitlines())
    }
    name = found.get("model name") or platform.processor() or platform.machine()
    family = found.get("model")
    return f"{name} (model {family})" if family else name


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
