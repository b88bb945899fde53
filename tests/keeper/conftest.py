"""Programs of batch systems, as the tests of these have them."""

from tests.batch.conftest import program, programs

__all__ = ["program", "programs"]
