locals {
  api_requests = {
    errors   = { namespace = "AWS/ApiGateway", metric = "5xx", dimensions = { ApiId = var.api_id } }
    requests = { namespace = "AWS/ApiGateway", metric = "Count", dimensions = { ApiId = var.api_id } }
  }
  api_alarms = merge(
    {
      # Below 20 requests a minute one error is not a rate.
      for severity, percent in { page = 10, warn = 5 } : "api-errors-${severity}" => {
        severity                      = severity
        about                         = "More than ${percent} % of API requests fail for 5 minutes"
        expression                    = "IF(requests > 20, 100 * errors / requests, 0)"
        over                          = local.api_requests
        threshold                     = percent
        periods                       = 5
      }
    },
    {
      api-slow = {
        severity   = "warn"
        about      = "The API's p99 is more than 2 s for 5 minutes"
        namespace  = "AWS/ApiGateway"
        metric     = "Latency"
        dimensions = { ApiId = var.api_id }
        stat       = "p99"
        threshold  = 2000
        periods    = 5
      }
    },
    {
      # Errors of the services that nobody calls, of what they handle: the rate of the API's is above.
      for service in var.services : "${service}-errors" => {
        severity   = "warn"
        about      = "${service} logs more than 3 errors in 5 minutes"
        namespace  = local.metrics
        metric     = "Errors"
        dimensions = { Service = service }
        stat       = "Sum"
        period     = 300
        threshold  = 3
        periods    = 1
      }
    },
  )
}
