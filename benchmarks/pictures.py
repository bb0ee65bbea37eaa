"""The pictures that README and docs show, from real outputs: `make pictures`.

    python benchmarks/pictures.py [CASE]

Pages of the court report and of the compliance summary of CASE (default: cases/demo, which `make demo` makes), and the
matrix of a batch over the laboratory's models that ship with depose. Needs pdftoppm (poppler-utils). The picture of the
imports is made with the other pages that follow from the code (docs/manual).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from PIL import Image, ImageOps

import depose
from depose.model import Findings
from depose.report import render

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
REPORT = (1, 2, 9, 17)
"""Cover, summary of opinions, scores, exhibits."""
SUSPECTS = ["dose-*", "other", "foil", "paraphrased", "second-hand", "base"]
REFERENCES = ["reporter", "optimist", "detective"]
GAP = 12


def sheet(pdf: Path, shown: Sequence[int], goal: Path, *, dots: int, colours: int = 16) -> None:
    """Set pages of a PDF beside each other in one small image."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["pdftoppm", "-r", str(dots), "-png", pdf, Path(place) / "page"], check=True)
        names = sorted(Path(place).glob("page-*.png"))
        pages = [ImageOps.expand(Image.open(names[n - 1]).convert("RGB"), 1, (190, 190, 190)) for n in shown]
    width, height = sum(page.width for page in pages) + GAP * (len(pages) - 1), max(page.height for page in pages)
    whole = Image.new("RGB", (width, height), (255, 255, 255))
    left = 0
    for page in pages:
        whole.paste(page, (left, 0))
        left += page.width + GAP
    whole.quantize(colours).save(goal, optimize=True)
    print(f"{goal.name}: {goal.stat().st_size // 1024} kB, {width} x {height}")


def matrix(folder: Path) -> Path:
    """Screen models of the laboratory, and return the matrix as a PDF."""
    kit = Path(depose.__file__).parent / "kit"
    lines = ["[batch]", 'title = "Models of the laboratory"', 'authority = "models of our own"']
    lines += ["[screening]", 'labelled = "lab"', "[data]", f"folder = {json.dumps(str(kit))}", 'source = "lab"']
    lines += [f"suspects = {json.dumps(SUSPECTS)}", f"references = {json.dumps(REFERENCES)}", 'controls = ["*"]']
    (folder / "lab.toml").write_text("\n".join(lines) + "\n")
    command = [
        str(Path(sys.executable).with_name("depose")),
        "batch",
        str(folder / "lab.toml"),
        "--pdf",
        "--allow-blind",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "lab" / "matrix.pdf"


def main() -> int:
    """Make all pictures anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="?", type=Path, default=Path("cases/demo"))
    given = parser.parse_args()
    found = given.case / "out" / "findings.json"
    if not found.is_file():
        sys.exit(f"{given.case}: no audited case; make demo")
    findings = msgspec.json.decode(found.read_bytes(), type=Findings)
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for flavour in ("expert", "compliance"):
            setting = render.Setting(flavour=flavour)
            (folder / f"{flavour}.pdf").write_bytes(render.render_pdf(findings, setting).pdf)
        sheet(folder / "expert.pdf", REPORT, PICTURES / "report.png", dots=60)
        sheet(folder / "compliance.pdf", (1, 2), PICTURES / "compliance.png", dots=80)
        sheet(matrix(folder), (1, 2), PICTURES / "matrix.png", dots=80, colours=64)
    return 0


if __name__ == "__main__":
    sys.exit(main())
