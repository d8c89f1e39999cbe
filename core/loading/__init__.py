"""YAML text → a flow and its problems, each with line and column."""

from core.loading.flow import load_flow
from core.loading.placing import place_of
from core.loading.positions import task_lines
from core.loading.problems import Loaded, Problem
from core.loading.reader import FindTemplate, parse_yaml

__all__ = ["FindTemplate", "Loaded", "Problem", "load_flow", "parse_yaml", "place_of", "task_lines"]
