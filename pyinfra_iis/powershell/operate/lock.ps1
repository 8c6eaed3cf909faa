# Keeps deploys of an application out until this process ends. $Request: root, by (who works on it).
# uses: release/lock
Enter-Deploy $Request.root $Request.by
$null
