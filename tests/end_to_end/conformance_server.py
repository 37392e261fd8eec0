"""A FastMCP server with the tools, resources and prompts that the MCP conformance suite asks for."""

import asyncio
import base64
from typing import Annotated, Any

from fastmcp import Context, FastMCP
from fastmcp.prompts import Message
from mangum import Mangum
from mcp.types import (
    AudioContent,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="

mcp = FastMCP("conformance")


def _resource(uri: str, text: str, mime: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime, text=text))


@mcp.tool
def test_simple_text() -> str:
    """Return text."""
    return "This is a simple text response for testing."


@mcp.tool
def test_image_content() -> ImageContent:
    """Return an image."""
    return ImageContent(type="image", data=PNG, mime_type="image/png")


@mcp.tool
def test_audio_content() -> AudioContent:
    """Return audio."""
    return AudioContent(type="audio", data=WAV, mime_type="audio/wav")


@mcp.tool
def test_embedded_resource() -> EmbeddedResource:
    """Return a resource."""
    return _resource("test://embedded-resource", "This is an embedded resource content.")


@mcp.tool
def test_multiple_content_types() -> list[ContentBlock]:
    """Return text, an image and a resource."""
    return [
        TextContent(type="text", text="Multiple content types test:"),
        ImageContent(type="image", data=PNG, mime_type="image/png"),
        _resource("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
    ]


@mcp.tool
async def test_tool_with_logging(ctx: Context) -> str:
    """Log three messages."""
    for message in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(message)
        await asyncio.sleep(0.05)
    return "done"


@mcp.tool
async def test_tool_with_progress(ctx: Context) -> str:
    """Report progress."""
    for progress in (0, 50, 100):
        await ctx.report_progress(progress, 100)
        await asyncio.sleep(0.05)
    return "done"


@mcp.tool
def test_error_handling() -> str:
    """Fail."""
    raise RuntimeError("This tool intentionally returns an error for testing")


@mcp.tool
def test_custom_headers(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
    """Return an argument that the client also sends in a header."""
    return region


@mcp.tool
async def test_elicitation(message: str, ctx: Context) -> str:
    """Ask the user."""
    result = await ctx.elicit(message, response_type=str)
    return f"User response: {result}"


@mcp.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    """Return text."""
    return "This is the content of the static text resource."


@mcp.resource("test://static-binary", mime_type="image/png")
def static_binary() -> bytes:
    """Return an image."""
    return base64.b64decode(PNG)


@mcp.resource("test://template/{id}/data", mime_type="application/json")
def template_data(id: str) -> dict[str, Any]:  # noqa: A002 - the suite names the parameter
    """Return JSON."""
    return {"id": id, "templateTest": True, "data": f"Data for ID: {id}"}


@mcp.resource("test://watched-resource", mime_type="text/plain")
def watched() -> str:
    """Return text."""
    return "Watched resource content"


@mcp.prompt
def test_simple_prompt() -> str:
    """A prompt without arguments."""
    return "This is a simple prompt for testing."


@mcp.prompt
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """A prompt with arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


@mcp.prompt
def test_prompt_with_embedded_resource(resourceUri: str) -> list[Message]:  # noqa: N803
    """A prompt with a resource."""
    return [
        Message(_resource(resourceUri, "Embedded resource content for testing.")),
        Message("Please process the embedded resource above."),
    ]


@mcp.prompt
def test_prompt_with_image() -> list[Message]:
    """A prompt with an image."""
    return [
        Message(ImageContent(type="image", data=PNG, mime_type="image/png")),
        Message("Please analyze the image above."),
    ]


streaming_app = mcp.http_app(host_origin_protection=True)
app = mcp.http_app(stateless_http=True, json_response=True, host_origin_protection=True)
handler = Mangum(app)
