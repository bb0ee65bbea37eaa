"""What several tests share: chart inputs."""

from __future__ import annotations

from reports import build
from studied_reports import studied

STUDY = studied(build()).performance
