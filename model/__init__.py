"""The words of Jangkau: standard library only; reads, writes, waits and formats nothing."""
