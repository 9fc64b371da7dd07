//! What was seen in a run, from all sides, on one clock that starts with the first request.

use std::collections::BTreeMap;

use super::counts::{Asked, Counts};
use super::plan::Load;
use super::requests::{self, Request};
use super::sample::{Sample, Samples};
use super::scenario::Scenario;
use super::traffic::{self, Objectives};

/// Everything that the verdict and the charts are made from.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) scenario: Scenario,
    pub(super) load: Load,
    pub(super) objectives: Objectives,
    pub(super) requests: Vec<Request>,
    /// The first request, in milliseconds since the epoch: second 0.
    pub(super) zero: u64,
    /// When the last answer was complete, in seconds.
    pub(super) end: f64,
    pub(super) dropped: u64,
    pub(super) crossed: Vec<String>,
    pub(super) samples: Samples,
    /// What the origins answered.
    pub(super) asked: Vec<Asked>,
    pub(super) counts: Counts,
    /// What was done to the system, and when.
    pub(super) events: Vec<(f64, String)>,
    /// Requests a second that the generator can do by itself.
    pub(super) ceiling: f64,
}

impl Seen {
    /// Sets everything on the clock of the first request. `began` is the samples' second 0, in milliseconds since the epoch.
    pub(super) fn set_clock(&mut self, began: u64) {
        self.zero = self.requests.iter().map(|request| request.sent).min().unwrap_or(began);
        let shift = (self.zero as f64 - began as f64) / 1000.0;
        let last = self.requests.iter().map(|request| {
            request.sent.saturating_sub(self.zero) as f64 / 1000.0 + request.milliseconds / 1000.0
        });
        self.end = last.fold(0.0, f64::max);
        for samples in self.samples.values_mut() {
            samples.iter_mut().for_each(|sample| sample.at -= shift);
            samples.retain(|sample| sample.at >= 0.0);
        }
        self.samples.retain(|_, samples| !samples.is_empty());
        self.asked.iter_mut().for_each(|asked| asked.at -= shift);
        self.asked.retain(|asked| asked.at >= 0.0);
        self.counts.iter_mut().for_each(|counts| counts.0 -= shift);
        self.events.iter_mut().for_each(|event| event.0 = (event.0 - shift).max(0.0));
    }

    /// How wide a point of a chart is, in seconds: about a hundred and fifty of them fit.
    pub(super) fn width(&self) -> f64 {
        (self.end / 150.0).ceil().max(1.0)
    }

    pub(super) fn of_journey<'a>(&'a self, journey: &str) -> impl Iterator<Item = &'a Request> {
        let kinds = self.objectives.get(journey).map(|journey| journey.kinds.clone()).unwrap_or_default();
        self.requests.iter().filter(move |request| kinds.contains(&request.kind))
    }

    /// The highest rate over five seconds, in requests a second.
    pub(super) fn highest_rate(&self) -> f64 {
        let windows = requests::windows(&self.requests, self.zero, 5.0);
        windows.values().map(|window| window.len() as f64 / 5.0).fold(0.0, f64::max)
    }

    /// The planned rate at a second.
    pub(super) fn planned(&self, at: f64) -> f64 {
        match &self.load {
            Load::Arrivals { arrivals } => traffic::rate_at(arrivals, at),
            _ => f64::NAN,
        }
    }

    /// How many answers came from where, most first.
    pub(super) fn sources(&self) -> Vec<(String, usize)> {
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        for request in &self.requests {
            *counted.entry(&request.source).or_default() += 1;
        }
        let mut counted: Vec<_> =
            counted.into_iter().map(|(source, count)| (source.to_owned(), count)).collect();
        counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counted
    }

    /// CPU seconds that a process used while requests came.
    pub(super) fn cpu_seconds(&self, name: &str) -> f64 {
        let samples = self.samples.get(name).map(Vec::as_slice).unwrap_or_default();
        samples
            .windows(2)
            .filter(|pair| pair[1].at <= self.end + 1.5)
            .map(|pair| pair[1].cores * (pair[1].at - pair[0].at))
            .sum()
    }

    /// How fast a process's memory grew over the second half, in MiB an hour, by least squares.
    pub(super) fn memory_slope(&self, name: &str) -> f64 {
        let samples = self.samples.get(name).map(Vec::as_slice).unwrap_or_default();
        let late: Vec<(f64, f64)> = samples
            .iter()
            .filter(|sample| sample.at >= self.end / 2.0 && sample.at <= self.end)
            .map(|sample| (sample.at / 3600.0, mebibytes(sample)))
            .collect();
        slope(&late)
    }
}

pub(super) fn mebibytes(sample: &Sample) -> f64 {
    sample.usage.resident as f64 / f64::from(1 << 20)
}

/// The slope of the line through points by least squares; `NaN` for fewer than two.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if points.len() < 2 { f64::NAN } else { above / below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_of_a_line_is_its_slope() {
        let points: Vec<(f64, f64)> = (0..10).map(|x| (f64::from(x), 3.0 * f64::from(x) + 7.0)).collect();
        assert!((slope(&points) - 3.0).abs() < 1e-9);
        assert!(slope(&points[..1]).is_nan());
    }
}
