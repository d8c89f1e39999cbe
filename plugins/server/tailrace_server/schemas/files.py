"""Stored files, as the API shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from attrs import frozen
from msgspec import Meta

from core.host.views import FilePreview


@frozen
class StoredFile:
    """A file that was stored."""

    uri: Annotated[str, Meta(examples=["storage:///company/team/_files/data/customers.csv"])]
    size: Annotated[int, Meta(description="Bytes.", ge=0)]
    sha256: str


@frozen
class Preview:
    """The beginning of a file. `kind` tells which of the others is filled."""

    uri: Annotated[str, Meta(examples=["storage:///company/team/products/executions/…/products.csv"])]
    size: Annotated[int, Meta(description="Bytes of the whole file.", ge=0)]
    media_type: str
    kind: Annotated[
        Literal["table", "json", "text", "image", "binary"],
        Meta(description="`table`: columns and rows. `json`, `text`: text. `image`, `binary`: only `href` helps."),
    ]
    columns: list[str]
    rows: list[list[Any]]
    text: str
    truncated: Annotated[bool, Meta(description="Whether there is more than is shown.")]
    href: Annotated[str, Meta(description="Where the whole file is.")]


def preview_object(preview: FilePreview, media: str, href: str) -> dict[str, Any]:
    """A view as `Preview`."""
    kind = "image" if preview.kind == "binary" and media.startswith("image/") else preview.kind
    return {
        "uri": preview.uri, "size": preview.size, "media_type": media, "kind": kind, "columns": preview.columns,
        "rows": preview.rows, "text": preview.text, "truncated": preview.truncated, "href": href,
    }  # fmt: skip
