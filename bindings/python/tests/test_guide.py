"""The blocks of docs/guides/python.md, run as they stand and in their order."""

import os
import pathlib
import re
import tempfile
import unittest

from day import given, photograph, signature


class Guide(unittest.TestCase):
    def test_the_guide_does_what_it_says(self):
        text = pathlib.Path(given("SATCHEL_GUIDE")).read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        self.assertGreater(len(blocks), 4)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            photo = folder / "photo.png"
            photograph(photo, seed=7)
            names = {
                "folder": folder,
                "invite_text": os.environ["SATCHEL_INVITE_PYTHON_GUIDE"],
                "photo_file": photo,
                "drawn": signature(),
            }
            for number, block in enumerate(blocks):
                exec(compile(block, f"python.md, block {number + 1}", "exec"), names)  # noqa: S102


if __name__ == "__main__":
    unittest.main()
