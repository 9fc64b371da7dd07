//! What the generator saw: one line a request, the same from both tools.

use std::collections::BTreeMap;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    /// When it was sent, in milliseconds since the Unix epoch.
    pub(super) sent: u64,
    pub(super) kind: String,
    pub(super) status: u16,
    pub(super) milliseconds: f64,
    pub(super) right: bool,
    /// Where the answer came from: `memory`, `kv`, `stale`, `miss`, …
    pub(super) source: String,
}

impl Request {
    /// Reads `sent,kind,status,tenths of a millisecond,right,source`.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut fields = line.trim().split(',');
        let mut next = || fields.next();
        let request = Self {
            sent: next()?.parse().ok()?,
            kind: next()?.to_owned(),
            status: next()?.parse().ok()?,
            milliseconds: next()?.parse::<f64>().ok()? / 10.0,
            right: next()? == "1",
            source: next()?.to_owned(),
        };
        fields.next().is_none().then_some(request)
    }
}

/// The value below or at which `percent` of the sorted values lie (nearest rank); `NaN` where there are none.
pub(super) fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
}

/// Sorted latencies, in milliseconds.
pub(super) fn latencies<'a>(requests: impl Iterator<Item = &'a Request>) -> Vec<f64> {
    let mut sorted: Vec<f64> = requests.map(|request| request.milliseconds).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Requests in windows of `width` seconds since `began` (milliseconds since the epoch), by number of the window.
pub(super) fn windows(requests: &[Request], began: u64, width: f64) -> BTreeMap<u64, Vec<&Request>> {
    let mut windows: BTreeMap<u64, Vec<&Request>> = BTreeMap::new();
    for request in requests {
        let at = request.sent.saturating_sub(began) as f64 / 1000.0;
        windows.entry((at / width) as u64).or_default().push(request);
    }
    windows
}

/// How many requests were under way at each moment at which that changed: (seconds since `began`, how many).
pub(super) fn under_way(requests: &[Request], began: u64) -> Vec<(f64, f64)> {
    let mut changes: Vec<(f64, i32)> = requests
        .iter()
        .flat_map(|request| {
            let sent = request.sent.saturating_sub(began) as f64;
            [(sent, 1), (sent + request.milliseconds, -1)]
        })
        .collect();
    // At the same moment the one that ends is gone before the next begins.
    changes.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let mut now = 0;
    changes
        .into_iter()
        .map(|(at, change)| {
            now += change;
            (at / 1000.0, f64::from(now))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_others_are_not() {
        let request = Request::read("1764000000123,seats,200,57,1,memory\n").expect("a request");
        assert_eq!((request.sent, request.status, request.right), (1_764_000_000_123, 200, true));
        assert!((request.milliseconds - 5.7).abs() < 1e-9);
        for other in ["", "GET /x: the body is not JSON", "1,seats,200,57,1", "1,seats,200,57,1,memory,more"]
        {
            assert_eq!(Request::read(other), None, "{other}");
        }
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((percentile(&values, 99.0) - 99.0).abs() < 1e-9);
        assert!((percentile(&values[..1], 50.0) - 1.0).abs() < 1e-9);
        assert!(percentile(&[], 50.0).is_nan());
    }

    #[test]
    fn the_peak_of_those_under_way() {
        let request =
            |sent, tenths: u32| Request::read(&format!("{sent},data,200,{tenths},1,miss")).expect("one");
        let requests = [request(1000, 1000), request(1050, 1000), request(1100, 10)];
        let most = under_way(&requests, 1000).into_iter().map(|(_, now)| now).fold(0.0, f64::max);
        assert!((most - 2.0).abs() < 1e-9, "{most}");
    }
}
