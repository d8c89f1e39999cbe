"""A server without an engine and two engines, all processes of their own, on one database and one storage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import psycopg
import pytest

from core.app import open_deployment
from core.host.records import EVERY_STATE
from core.settings import Settings

pytestmark = pytest.mark.postgres
