# Where the scheduler and the worker are Lambdas.

locals {
  function_alarms = merge(
    {
      for name in var.functions : "${name}-throttled" => {
        severity   = "page"
        about      = name == "scheduler" ? "The scheduler is throttled" : "${name} is throttled more than 10 times a minute"
        namespace  = "AWS/Lambda"
        metric     = "Throttles"
        dimensions = { FunctionName = "${local.name}-${name}" }
        stat       = "Sum"
        threshold  = name == "scheduler" ? 0 : 10
        periods    = 1
      } if contains(["scheduler", "webhook-worker-critical"], name)
    },
    {
      for name in var.functions : "${name}-duration" => {
        severity   = "warn"
        about      = "p95 of ${name} is more than ${name == "scheduler" ? 5 : 10} s for 5 minutes"
        namespace  = "AWS/Lambda"
        metric     = "Duration"
        dimensions = { FunctionName = "${local.name}-${name}" }
        stat       = "p95"
        threshold  = name == "scheduler" ? 5000 : 10000
        periods    = 5
      } if name != "webhook-worker-retries" # its loops go on for ten seconds each minute
    },
    {
      for name in var.functions : "${name}-failed" => {
        severity   = "page"
        about      = "More than 10 % of the calls of ${name} fail for 5 minutes"
        expression = "IF(calls > 0, 100 * FILL(failed, 0) / calls, 0)"
        over = {
          failed = { namespace = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = "${local.name}-${name}" } }
          calls  = { namespace = "AWS/Lambda", metric = "Invocations", dimensions = { FunctionName = "${local.name}-${name}" } }
        }
        threshold = 10
        periods   = 5
      }
    },
    {
      # Those that the clock calls are called every minute.
      for name in var.functions : "${name}-silent" => {
        severity   = "page"
        about      = "${name} was not called for 5 minutes"
        namespace  = "AWS/Lambda"
        metric     = "Invocations"
        dimensions = { FunctionName = "${local.name}-${name}" }
        stat       = "Sum"
        period     = 300
        threshold  = 1
        below      = true
        periods    = 1
        silence    = true
      } if contains(["scheduler", "webhook-worker-retries"], name)
    },
  )
}
