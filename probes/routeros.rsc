# Jangkau village probe for RouterOS 7.13 or newer. One site, one key: keep this file to yourself,
# /import it once and delete it. Written by "jangkau probe routeros"; do not edit, write it again.
# Before: /certificate settings set builtin-trust-anchors=trusted  (or import your authority), and
# /system ntp client set enabled=yes servers=...  (lines are kept for later only with a set clock).
#
# What each command does is on help.mikrotik.com/docs, page:
#   :global :local :foreach :if :do on-error :tostr :len :pick :parse :timestamp :tonsec  "Scripting"
#   /system script, /system scheduler                                   "Scripting", "Scheduler"
#   /tool flood-ping                                                    "Flood Ping"
#   /system resource get                                                "Resource"
#   /system health get                                                  "Health"
#   /interface wifi|wireless registration-table print count-only        "WiFi", "Wireless Interface"
#   /tool fetch                                                         "Fetch"
:do { /system scheduler remove [find name=jangkau-probe] } on-error={}
:do { /system script remove [find name=jangkau-probe] } on-error={}
/system script add name=jangkau-probe policy=read,write,test,policy dont-require-permissions=no source=@SOURCE@
/system scheduler add name=jangkau-probe interval=@INTERVAL@ start-time=startup policy=read,write,test,policy on-event="/system script run jangkau-probe"
