:global jangkauRing
:if ([:typeof $jangkauRing] != "array") do={ :set jangkauRing [:toarray ""] }
:local at ""
:local now ([:tonsec [:timestamp]] / 1000000)
:if ($now > 1577836800000) do={ :set at " $now" }
:local body ""
:foreach target in={@TARGETS@} do={
  :local head ($target->0)
  :local address ($target->1)
  :local got 0
  :local low 0
  :local high 0
  :local outcome 2
  :do {
    /tool flood-ping address=$address count=@COUNT@ size=44 do={
      :set got $received
      :set low $"min-rtt"
      :set high $"max-rtt"
    }
    :set outcome 0
    :if ($got > 0) do={ :set outcome 1 }
  } on-error={ :set outcome 2 }
  :if ($outcome = 1) do={ :set body ($body . "$head outcome=1i,sent=@COUNT@i,received=$got\69,rtt_min_seconds=$low\65-3,rtt_max_seconds=$high\65-3$at\0A") }
  :if ($outcome = 0) do={ :set body ($body . "$head outcome=0i,sent=@COUNT@i,received=0i,reason=\22no answer\22$at\0A") }
  :if ($outcome = 2) do={ :set body ($body . "$head outcome=2i,reason=\22not looked\22$at\0A") }
}
:local more ""
:do {
  :local volts [[:parse ":return [/system health get [find name=voltage] value]"]]
  :if ([:len $volts] > 0) do={ :set more "$more,supply_volts=$volts" }
} on-error={}
:do {
  :local clients [[:parse ":return [/interface wifi registration-table print count-only]"]]
  :set more "$more,clients=$clients\69"
} on-error={
  :do {
    :local clients [[:parse ":return [/interface wireless registration-table print count-only]"]]
    :set more "$more,clients=$clients\69"
  } on-error={}
}
:local up ([:tonsec [/system resource get uptime]] / 1000000000)
:set body ($body . "@DEVICE@ outcome=1i,uptime_seconds=$up$more$at\0A")
:local waiting $jangkauRing
:set jangkauRing [:toarray ""]
:local failed false
:foreach part in=([:toarray ""], $body, $waiting) do={
  :if ([:len $part] > 0) do={
    :if (!$failed) do={
      :do {
        /tool fetch url=@URL@ http-method=post http-data=$part http-header-field=@HEADERS@ check-certificate=yes output=none
        :set part ""
      } on-error={ :set failed true }
    }
    :if (([:len $part] > 0) and ([:len $at] > 0) and ([:len $jangkauRing] < @RING@)) do={
      :set jangkauRing ($jangkauRing, $part)
    }
  }
}
