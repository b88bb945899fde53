"""Site profiles: found by name or file, listed, and the one that this machine is."""

from hpc_launch.sites.detection import detect, may_be_here
from hpc_launch.sites.files import Listed, SiteFile, find, listed, read
from hpc_launch.sites.search import search_path, unusable

__all__ = [
    "Listed",
    "SiteFile",
    "detect",
    "find",
    "listed",
    "may_be_here",
    "read",
    "search_path",
    "unusable",
]
