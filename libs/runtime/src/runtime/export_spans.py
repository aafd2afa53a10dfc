"""The SDK's exporter over HTTP, with its settings and retries, but for how spans are encoded."""

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from runtime.encode_spans import encode_spans


class SpanExporter(OTLPSpanExporter):
    """Sends what `encode_spans` makes of a batch."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; what the backend does not take in time is lost."""
        if self._shutdown:
            return SpanExportResult.FAILURE
        sent = self._client.export(encode_spans(spans))
        return SpanExportResult.SUCCESS if sent.success else SpanExportResult.FAILURE
