#!/usr/bin/env python3
"""Reads the rating QR back from pictures as bad as a doorway makes them, with two foreign readers.

Takes rating codes as the core draws them (URL, side and modules, one code a line on standard input), adds
the margin of four modules, puts each on a grey scene at a total width of --width pixels, degrades it in
eight mild ways, and gives every picture to zbar (zbarimg) and zxing-cpp. Every picture
must be read by both, as exactly the text that went in. A dark-mode (inverted) code is the control: a
harness that reads everything proves nothing.

Needs Pillow, numpy and zxing-cpp from PyPI and zbarimg from Debian; keep them in a virtual
environment outside the tree. Nothing is written but a folder that is thrown away.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import zxingcpp
from PIL import Image, ImageFilter

MAX_VERSION = 4
MARGIN = 4
OVER = 4  # drawn this much larger, then averaged down, as a lens does


def code(line):
    """URL, version and modules with their margin."""
    text, side, bits = line.split("\t")
    side = int(side)
    modules = np.array([bit == "1" for bit in bits], dtype=bool).reshape(side, side)
    return text, (side - 17) // 4, np.pad(modules, MARGIN)


def scene(modules, width, angle, rng, dark=False):
    """The code at a total width of `width` pixels, a little turned and shifted, on grey."""
    side = int(width * 1.7) + 20
    scale = max(8, -(-4 * width // len(modules)))
    ink = np.kron(modules if not dark else ~modules, np.ones((scale, scale), dtype=bool))
    big = Image.fromarray(np.where(ink, 0, 255).astype(np.uint8))
    canvas = Image.new("L", (side * OVER, side * OVER), 200 if not dark else 30)
    at = (side * OVER - width * OVER) // 2
    jitter = lambda: at + rng.randint(-OVER, OVER)
    canvas.paste(big.resize((width * OVER, width * OVER), Image.Resampling.NEAREST), (jitter(), jitter()))
    fill = 200 if not dark else 30
    return canvas.rotate(angle + rng.uniform(-1, 1), Image.Resampling.BICUBIC, fillcolor=fill), side


def glare(canvas, share, code_width, rng):
    """A white blot: `share` of the code's own area, margin not counted, is at least half washed out."""
    pixels = np.asarray(canvas).astype(np.float32)
    n = pixels.shape[0]
    y, x = np.mgrid[0:n, 0:n]
    # Half of white is reached at 0.8 of the radius squared.
    radius = (share / np.pi / 0.8) ** 0.5 * code_width * OVER
    cx, cy = (n / 2 + rng.uniform(-0.1, 0.2) * code_width * OVER for _ in "xy")
    blot = np.clip(1.3 - ((x - cx) ** 2 + (y - cy) ** 2) / radius**2, 0, 1)
    return Image.fromarray((pixels * (1 - blot) + 255 * blot).astype(np.uint8))


MILD = {
    "clean": {},
    "blur": {"blur": 1.0},
    "turned 15": {"angle": 15},
    "turned 45": {"angle": 45},
    "contrast 25 %": {"contrast": 0.25},
    "contrast 10 %": {"contrast": 0.10},
    "noise": {"noise": 25},
    "glare": {"glare": 0.04},
}


def picture(modules, width, how, rng, dark=False):
    canvas, side = scene(modules, width, how.get("angle", 0), rng, dark)
    if "glare" in how:
        code_width = width * (len(modules) - 2 * MARGIN) / len(modules)
        canvas = glare(canvas, how["glare"], code_width, rng)
    image = canvas.resize((side, side), Image.Resampling.BOX)
    if "blur" in how:
        image = image.filter(ImageFilter.GaussianBlur(how["blur"]))
    pixels = np.asarray(image).astype(np.float32)
    if "contrast" in how:
        pixels = 128 + (pixels - 128) * how["contrast"]
    if "noise" in how:
        seeded = np.random.default_rng(rng.randrange(1 << 30))
        pixels = pixels + seeded.normal(0, how["noise"], pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def zbar(files):
    """Texts by file; files that cannot be read are missing."""
    done = subprocess.run(
        ["zbarimg", "-q", "--xml", "-Sdisable", "-Sqrcode.enable", *map(str, files)],
        capture_output=True, text=True, check=False,
    )
    import xml.etree.ElementTree as tree

    found = {}
    for source in tree.fromstring(done.stdout).iter():
        if source.tag.endswith("source"):
            texts = [d.text for d in source.iter() if d.tag.endswith("data")]
            found[source.get("href")] = texts
    return found


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--width", type=int, default=160, help="total width in pixels, margin included")
    options.add_argument("--each", type=int, default=1, help="pictures per text and degradation")
    options.add_argument("--glare", type=float, default=0.04, help="part of the code that a reflection washes out")
    options.add_argument("--seed", type=int, default=8)
    given = options.parse_args()
    MILD["glare"] = {"glare": given.glare}
    codes = [code(line.rstrip("\n")) for line in sys.stdin if line.strip()]
    total, missed, wrong, largest, dark = 0, {"zbar": [], "zxing": []}, 0, 0, {"zbar": 0, "zxing": 0}
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for index, (text, version, modules) in enumerate(codes):
            largest = max(largest, version)
            for name, how in MILD.items():
                for n in range(given.each):
                    rng = random.Random(f"{given.seed}/{index}/{name}/{n}")
                    file = Path(folder) / f"{index}-{len(jobs)}.png"
                    picture(modules, given.width, how, rng).save(file)
                    jobs.append((file, text, name))
        for start in range(0, len(jobs), 200):
            part = jobs[start : start + 200]
            read = zbar([file for file, _, _ in part])
            for file, text, name in part:
                total += 1
                other = [r.text for r in zxingcpp.read_barcodes(Image.open(file), formats=zxingcpp.BarcodeFormat.QRCode)]
                for reader, got in (("zbar", read.get(str(file), [])), ("zxing", other)):
                    if text not in got:
                        missed[reader].append(name)
                    wrong += sum(one != text for one in got)
        # The control: inverted, as a dark theme would show it.
        for index, (text, _, modules) in enumerate(codes[:20]):
            file = Path(folder) / f"dark-{index}.png"
            picture(modules, given.width, {}, random.Random(index), dark=True).save(file)
            dark["zbar"] += text in zbar([file]).get(str(file), [])
    print(f"{len(codes)} URLs, QR version {largest} at most, {total} pictures at {given.width} px")
    for reader, names in missed.items():
        print(f"{reader}: {total - len(names)} of {total} read" + (f", missed: {names[:10]}" if names else ""))
    print(f"misread: {wrong}; control, inverted: zbar read {dark['zbar']} of {min(20, len(codes))}")
    good = not any(missed.values()) and not wrong and largest <= MAX_VERSION and not dark["zbar"]
    sys.exit(0 if good and total >= 1280 else 1)


if __name__ == "__main__":
    main()
