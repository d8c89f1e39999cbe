"""The far side of the seam: renders, runs attempts, and tells what became of them."""

from core.work.secrets import Secrets
from core.work.threads import ThreadExecutor
from core.work.tools import Tools

__all__ = ["Secrets", "ThreadExecutor", "Tools"]
