"""The one thing pyproject.toml cannot say: the wheel holds a library of this platform, for every Python 3."""

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        # The library is loaded by ctypes: bound to the platform, to no version and no build of Python.
        return ("py3", "none", super().get_tag()[2])


class WithLibrary(Distribution):
    def has_ext_modules(self):
        return True


setup(distclass=WithLibrary, cmdclass={"bdist_wheel": PlatformWheel})
