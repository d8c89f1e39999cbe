"""A container engine as tests see it: by the command `docker`, which is another way than the runner's."""

from __future__ import annotations

import os
import shutil
import subprocess

from tailrace_runner_docker.runner import Docker

IMAGE = "tailrace-test:latest"
"""What `.ci/test-image` makes."""


def docker(*words: str) -> str:
    """What the command says."""
    return subprocess.run(("docker", *words), check=True, capture_output=True, text=True).stdout.strip()


def reason_to_skip() -> str:
    """What the tests that need an engine and the image lack; empty when nothing."""
    reason = Docker.unavailable(os.environ)
    if reason:
        return reason
    if not shutil.which("docker"):
        return "no command `docker` to look at the engine with"
    return "" if docker("images", "-q", IMAGE) else f"no image {IMAGE}: run `.ci/test-image`"
