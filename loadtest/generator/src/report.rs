//! What came of all requests.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Microseconds from when a request was due until its answer was whole.
    pub(crate) latencies: Vec<u64>,
    /// Microseconds from when a request was due until it was sent, where a connection was free: the generator's own delay.
    pub(crate) delays: Vec<u64>,
    /// Requests that were due while no connection was free.
    pub(crate) queued: u64,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) body_bytes: u64,
    pub(crate) elapsed: Duration,
    /// CPU time of this process.
    pub(crate) cpu: Duration,
}

impl Report {
    pub(crate) fn json(mut self) -> Value {
        self.latencies.sort_unstable();
        self.delays.sort_unstable();
        let requests = self.latencies.len();
        let seconds = self.elapsed.as_secs_f64();
        let statuses: serde_json::Map<String, Value> =
            self.statuses.iter().map(|(status, count)| (status.to_string(), json!(count))).collect();
        json!({
            "requests": requests,
            "seconds": seconds,
            "requests_per_second": requests as f64 / seconds.max(1e-9),
            "statuses": statuses,
            "body_bytes": self.body_bytes,
            "latency_us": {
                "p50": percentile(&self.latencies, 50.0),
                "p90": percentile(&self.latencies, 90.0),
                "p99": percentile(&self.latencies, 99.0),
                "p999": percentile(&self.latencies, 99.9),
                "max": self.latencies.last(),
            },
            "generator": {
                "cpu_us": self.cpu.as_micros() as u64,
                "cores": self.cpu.as_secs_f64() / seconds.max(1e-9),
                "delay_p99_us": percentile(&self.delays, 99.0),
                "queued": self.queued,
            },
        })
    }
}

/// The least figure that is not below so many per cent of them (nearest rank). `None` of nothing.
fn percentile(sorted: &[u64], per_cent: f64) -> Option<u64> {
    let rank = (per_cent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_by_nearest_rank() {
        let figures: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&figures, 50.0), Some(50));
        assert_eq!(percentile(&figures, 99.0), Some(99));
        assert_eq!(percentile(&figures, 99.9), Some(100));
        assert_eq!(percentile(&[7], 50.0), Some(7));
        assert_eq!(percentile(&[], 50.0), None);
    }
}
