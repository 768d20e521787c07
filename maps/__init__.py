"""What we show: coverage, maps, the weekly report, exports."""
