"""The names of layouts: our own, and those of plug-ins."""

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticKnownError, core_schema
from pydantic_core.core_schema import CoreSchema

from hpc_launch.config.wording import listed
from hpc_launch.locations import LAYOUTS, plug_ins
from hpc_launch.models.base import Json

OWN = ("single-job", "job-array", "mpi")


def known() -> list[str]:
    """All of them; it takes tens of milliseconds."""
    return [*OWN, *(name for name in sorted(plug_ins(LAYOUTS)) if name not in OWN)]


def is_known(name: object) -> bool:
    """Whether there is such a layout; plug-ins are looked for only where it is none of our own."""
    return name in OWN or (isinstance(name, str) and name in known())


class _OneThatThereIs:
    """The name of a layout that there is; editors are told those that are installed."""

    def check(self, value: Any) -> str:
        if not is_known(value):
            raise PydanticKnownError("literal_error", {"expected": listed([f"'{name}'" for name in known()])})
        name: str = value
        return name

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {"enum": known(), "type": "string"}


LayoutName = Annotated[str, _OneThatThereIs()]
