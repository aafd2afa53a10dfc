# A collector beside the service takes its traces and metrics, and gives them to X-Ray and CloudWatch. The service does
# not need it: without it, telemetry is lost and nothing else.

locals {
  collected = var.collector == null ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    OTEL_TRACES_SAMPLER         = "parentbased_traceidratio"
    OTEL_TRACES_SAMPLER_ARG     = tostring(try(var.collector.traced_share, 0))
  }
  variables = merge(local.collected, var.variables)

  collectors = var.collector == null ? [] : [{
    name                   = "collector"
    image                  = var.collector.image
    essential              = false
    readonlyRootFilesystem = true
    cpu                    = 64
    memoryReservation      = 128
    environment            = [{ name = "AOT_CONFIG_CONTENT", value = var.collector.configuration }]
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    logConfiguration       = local.container.logConfiguration
  }]

  telemetry_statements = var.collector == null ? [] : [
    {
      Sid      = "SendTraces" # X-Ray has no resources to name
      Effect   = "Allow"
      Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      Resource = ["*"]
    },
    {
      Sid      = "SendMetrics"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = ["${var.collector.log_group_arn}:*"]
    },
  ]
}
