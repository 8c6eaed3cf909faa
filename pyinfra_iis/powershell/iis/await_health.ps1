# Asks a site through its own binding until it is healthy. $Request: site, address, host, status (0: any below 500 but 400), timeout (seconds), shared (the application's folder of that name, with its process's log files).
# uses: iis/wait_healthy
$Answer = Wait-Healthy $Request ''
@{ status = $Answer.status; certificate = $Answer.certificate }
