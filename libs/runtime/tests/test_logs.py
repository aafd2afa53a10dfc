import json
import subprocess
import sys

PROGRAM = """
import logging
import structlog
from runtime.logs import configure_logs

configure_logs("test", form={form!r}, level="info")
log = structlog.get_logger()

def open_letter(secret):
    raise ValueError("it broke")

log.debug("not said")
logging.getLogger("library").warning("from %s", "elsewhere")
try:
    open_letter("whsec_hidden")
except ValueError:
    log.exception("letter.lost", letter=1)
if {form!r} == "json":
    log.info("hard to write", half="\\ud800", large=2**70, thing=object, name="Zoë")
"""


def said(form: str) -> str:
    done = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-W", "error", "-c", PROGRAM.format(form=form)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_every_line_is_json_with_level_time_and_service_libraries_included() -> None:
    lines = [json.loads(line) for line in said("json").splitlines()]

    assert [(line["event"], line["level"], line["service"]) for line in lines] == [
        ("from elsewhere", "warning", "test"),
        ("letter.lost", "error", "test"),
        ("hard to write", "info", "test"),
    ]
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert lines[1]["letter"] == 1
    assert lines[1]["exception"][0]["exc_type"] == "ValueError"
    assert (lines[2]["half"], lines[2]["large"], lines[2]["name"]) == ("\ud800", 2**70, "Zoë")


def test_a_traceback_does_not_tell_what_the_variables_held() -> None:
    for form in ("json", "console"):
        output = said(form)

        assert "open_letter" in output
        assert "hidden" not in output.replace('open_letter("whsec_hidden")', "")
