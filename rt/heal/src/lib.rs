//! Handlers, object state, anomaly reports and the repair supervisor.
