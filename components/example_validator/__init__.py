"""The ExampleValidator component: finds anomalies, drift and skew in the data."""
