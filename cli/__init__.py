"""The front door: one file per command; the only place that knows everybody and wires by hand."""
