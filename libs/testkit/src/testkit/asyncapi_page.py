"""The AsyncAPI document as one HTML page that needs no network: AsyncAPI's React component, inlined."""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMPONENT = "@asyncapi/react-component@3.2.1"
SHA512 = "k5ZqJd6+oxYaQ2o6F3rGWJ1MTIjXdpsUYB3NKQbVqr4yzrN0Ovj5c7eZx8NGd3wfKPhbOrLREtYl9K2OPfnSsA=="
SCRIPT, STYLE = "package/browser/standalone/index.js", "package/styles/default.min.css"
PACK_WITHIN = 60
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Carillon: events</title>
<style>{style}</style>
</head>
<body>
<div id="asyncapi"></div>
<script>{script}</script>
<script>
const shown = {{schema: {document}, config: {{show: {{sidebar: true}}}}}};
AsyncApiStandalone.render(shown, document.getElementById("asyncapi"));
</script>
</body>
</html>
"""


class NoPageError(Exception):
    """The component could not be had; the text is one line that says why."""


def asyncapi_page(document: Mapping[str, Any]) -> str:
    """Return the page. Raises NoPageError without npm, or where npm does not give what was reviewed."""
    script, style = take_component()
    return PAGE.format(style=style, script=inlined(script), document=inlined(json.dumps(document)))


def take_component() -> tuple[str, str]:
    """Take the component's script and stylesheet from npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoPageError("npm is not installed")
    with tempfile.TemporaryDirectory(prefix="carillon-asyncapi-") as folder:
        command = [npm, "pack", "--silent", COMPONENT]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PACK_WITHIN)  # noqa: S603 (no words of a user's)
        except (subprocess.SubprocessError, OSError) as error:
            raise NoPageError(f"npm does not give {COMPONENT}: {error}") from None
        [archive] = Path(folder).glob("*.tgz")
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != SHA512:
            raise NoPageError(f"npm gave another {COMPONENT} than the one reviewed")
        with tarfile.open(archive) as files:
            return read(files, SCRIPT), read(files, STYLE)


def read(files: tarfile.TarFile, name: str) -> str:
    """Read a text file of an archive."""
    file = files.extractfile(name)
    if file is None:
        raise NoPageError(f"{COMPONENT} has no {name}")
    return file.read().decode()


def inlined(script: str) -> str:
    """Keep a script from ending the element it stands in."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
