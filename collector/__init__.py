"""What we keep, and what it means: durable ingest, time series, outages and their causes."""
